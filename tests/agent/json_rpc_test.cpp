#include "bridges/agent/json_rpc.hpp"

#include "bridges/agent/base64.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using namespace pb;
using nlohmann::json;

std::string wrong(const std::string& text) { return json_rpc::read(text).wrong; }

} // namespace

TEST_CASE("JSON-RPC: requests, notifications and answers are told apart") {
  const auto request =
      json_rpc::read(R"({"jsonrpc":"2.0","id":"a-5","method":"ask","params":{"x":[1,"\u0000y"]}})");
  CHECK(request.wrong.empty());
  CHECK(request.is_request());
  CHECK(request.id == R"("a-5")");
  CHECK(request.method == "ask");
  CHECK(request.params["x"].items().at(0).integer() == 1);
  CHECK(request.params["x"].items().at(1).text() == "\xEF\xBF\xBDy");
  CHECK_FALSE(request.params["y"]);

  const auto told = json_rpc::read(R"({"jsonrpc":"2.0","method":"tell"})");
  CHECK(told.is_notification());
  CHECK_FALSE(told.params);

  const auto answer = json_rpc::read(R"({"jsonrpc":"2.0","id":7,"result":{"ok":true}})");
  CHECK(answer.is_answer());
  CHECK(answer.id == "7");
  CHECK(answer.result["ok"].truth());

  const auto refused =
      json_rpc::read(R"({"id":7,"jsonrpc":"2.0","error":{"code":-32000,"message":"no"}})");
  REQUIRE(refused.error);
  CHECK(refused.error->code == -32000);
  CHECK(refused.error->message == "no");
}

TEST_CASE("JSON-RPC: an answer may be null, and a null error beside a result is let pass") {
  const auto nothing = json_rpc::read(R"({"jsonrpc":"2.0","id":1,"result":null})");
  CHECK(nothing.wrong.empty());
  CHECK_FALSE(nothing.error);
  const auto both = json_rpc::read(R"({"jsonrpc":"2.0","id":1,"result":{"a":1},"error":null})");
  CHECK(both.wrong.empty());
  CHECK(both.result["a"].integer() == 1);
}

TEST_CASE("JSON-RPC: what is not a message says why, without a word of it") {
  CHECK(wrong("") == "empty frame");
  CHECK(wrong("hello") == "not JSON");
  CHECK(wrong("\"\xFF\"") == "not UTF-8");
  CHECK(wrong(R"([{"jsonrpc":"2.0","method":"a"}])") == "not a JSON object");
  CHECK(wrong(R"({"method":"a"})") == "not JSON-RPC 2.0");
  CHECK(wrong(R"({"jsonrpc":2.0,"method":"a"})") == "not JSON-RPC 2.0");
  CHECK(wrong(R"({"jsonrpc":"2.0","id":{},"method":"a"})") ==
        "id is neither a string nor a number");
  CHECK(wrong(R"({"jsonrpc":"2.0","method":5})") == "method is not a name");
  CHECK(wrong(R"({"jsonrpc":"2.0","method":"a","params":5})") ==
        "params are neither an object nor an array");
  CHECK(wrong(R"({"jsonrpc":"2.0","id":1})") == "neither method nor result nor error");
  CHECK(wrong(R"({"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1}})") ==
        "both result and error");
  CHECK(wrong(R"({"jsonrpc":"2.0","id":1,"error":{"message":"secret"}})") ==
        "error without a code");
}

TEST_CASE("JSON-RPC: ids and depth have their limits") {
  const auto with_id = [](std::size_t bytes) {
    return wrong(R"({"jsonrpc":"2.0","method":"a","id":")" + std::string(bytes - 2, 'i') + "\"}");
  };
  CHECK(with_id(json_rpc::id_limit).empty());
  CHECK(with_id(json_rpc::id_limit + 1) == "id is too long");
  const auto nested = [](std::size_t arrays) {
    return wrong(R"({"jsonrpc":"2.0","method":"a","params":)" + std::string(arrays, '[') + "1" +
                 std::string(arrays, ']') + "}");
  };
  CHECK(nested(json_rpc::depth_limit - 1).empty());
  CHECK(nested(json_rpc::depth_limit) == "JSON nested too deep");
  CHECK(nested(100'000) == "JSON nested too deep");
}

TEST_CASE("JSON-RPC: what we write is what we would read") {
  const auto request = json::parse(json_rpc::request("1", "go",
                                                     {{"text", "a\xFF"
                                                               "b"}}));
  CHECK(request ==
        json::parse(R"({"jsonrpc":"2.0","id":1,"method":"go","params":{"text":"a\ufffdb"}})"));
  CHECK(json::parse(json_rpc::notification("stop", nullptr)) ==
        json::parse(R"({"jsonrpc":"2.0","method":"stop"})"));
  CHECK(json::parse(json_rpc::answer(R"("a-5")", json::object())) ==
        json::parse(R"({"jsonrpc":"2.0","id":"a-5","result":{}})"));
  CHECK(json::parse(json_rpc::refusal("1.5", json_rpc::method_not_found, "no")) ==
        json::parse(R"({"jsonrpc":"2.0","id":1.5,"error":{"code":-32601,"message":"no"}})"));
}

TEST_CASE("a field that is there twice counts as the last one says") {
  const auto message = json_rpc::read(R"({"jsonrpc":"2.0","method":"a","params":{"x":1,"x":2}})");
  CHECK(message.params["x"].integer() == 2);
  CHECK(message.params.fields().size() == 2);
}

TEST_CASE("base64 goes both ways") {
  for (std::size_t bytes = 0; bytes < 50; ++bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i)
      text += static_cast<char>(i * 37 + 200);
    const auto coded = to_base64(text);
    CHECK(coded.size() == (bytes + 2) / 3 * 4);
    CHECK(from_base64(coded) == text);
  }
  const std::string large((std::size_t{3} << 20) + 5, 'x');
  CHECK(from_base64(to_base64(large)) == large);
  CHECK(from_base64("aGV\nsbG8") == "hello");
  for (const auto* bad :
       {"a", "aGVsbG8==", "aGVsbG8=x", "aGV$bG8=", "====", "=", "aGVsb===", "\xFF\xFF\xFF\xFF"})
    CHECK_FALSE(from_base64(bad));
}
