#include "bridges/agent/agent_ws/codec.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace pb;
namespace says = pb::agent_says;
using nlohmann::json;

agent_frame decoded(const std::string& text, const agent_spec& spec = {}) {
  return make_agent_ws_codec(spec)->decode(text);
}

template <class T>
T as(const std::string& text, const agent_spec& spec = {}) {
  auto frame = decoded(text, spec);
  if (const auto* bad = std::get_if<says::malformed>(&frame.event))
    INFO("malformed: " << bad->cause);
  REQUIRE(std::holds_alternative<T>(frame.event));
  return std::get<T>(std::move(frame.event));
}

std::string cause(const std::string& text) { return as<says::malformed>(text).cause; }

const std::string fffd = "\xEF\xBF\xBD";

std::string nested(std::size_t arrays) {
  return R"({"type":"AGENT_EVENT_CUSTOM_UPDATE","payload":)" + std::string(arrays, '[') + "1" +
         std::string(arrays, ']') + "}";
}

} // namespace

TEST_CASE("every event of the contract is understood") {
  CHECK(as<says::status>(R"({"type":"STATUS","text":"warming up"})").text == "warming up");
  CHECK(as<says::text_chunk>(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":"Hi \u00e9\n"})").text ==
        "Hi \xC3\xA9\n");

  const auto call = as<says::tool_call>(
      R"({"type":"AGENT_EVENT_TOOL_CALL_CHUNK","tool_call_id":"c1","tool_name":"grep","args_chunk":"{\"a\":"})");
  CHECK(call.id == "c1");
  CHECK(call.name == "grep");
  CHECK(call.args == "{\"a\":");

  const auto result = as<says::tool_result>(
      R"({"type":"AGENT_EVENT_TOOL_RESULT","tool_call_id":"c1","tool_name":"grep","result":{"n":[1, 2]},"is_error":true})");
  CHECK(result.id == "c1");
  CHECK(result.name == "grep");
  CHECK(result.result == R"({"n":[1,2]})");
  CHECK(result.is_error);

  const auto update = as<says::custom_update>(
      R"({"type":"AGENT_EVENT_CUSTOM_UPDATE","name":"progress","payload":{"done":3}})");
  CHECK(update.name == "progress");
  CHECK(update.payload == R"({"done":3})");

  CHECK(as<says::send_file>(R"({"type":"AGENT_EVENT_SEND_FILE","path":"out/a.png"})").path ==
        "out/a.png");

  const auto ask = as<says::confirm>(
      R"({"type":"AGENT_EVENT_CONFIRM","confirmation_id":"q1","prompt":"Delete?","expires_in":90})");
  CHECK(ask.id == "q1");
  CHECK(ask.prompt == "Delete?");
  CHECK(ask.expires_in == std::chrono::seconds(90));

  const auto push = as<says::push>(
      R"({"type":"AGENT_EVENT_PUSH","event_id":"e1","kind":"task_done","text":"Done.","attachments":["a","b"]})");
  CHECK(push.event_id == "e1");
  CHECK(push.kind == "task_done");
  CHECK(push.text == "Done.");
  CHECK(push.attachments == std::vector<std::string>{"a", "b"});

  const auto error =
      as<says::error>(R"({"type":"ERROR","code":"overloaded","details":"later","retryable":true})");
  CHECK(error.code == "overloaded");
  CHECK(error.details == "later");
  CHECK(error.retryable);

  as<says::goodbye>(R"({"type":"GRACEFUL_DISCONNECT"})");
  as<says::end>(R"({"type":"AGENT_EVENT_END"})");
}

TEST_CASE("what an agent may leave out is empty") {
  const auto call = as<says::tool_call>(R"({"type":"AGENT_EVENT_TOOL_CALL_CHUNK"})");
  CHECK(call.id + call.name + call.args == "");
  const auto result = as<says::tool_result>(R"({"type":"AGENT_EVENT_TOOL_RESULT"})");
  CHECK(result.result == "null");
  CHECK_FALSE(result.is_error);
  CHECK(as<says::custom_update>(R"({"type":"AGENT_EVENT_CUSTOM_UPDATE"})").payload == "null");
  CHECK(as<says::status>(R"({"type":"STATUS"})").text.empty());
  CHECK(as<says::error>(R"({"type":"ERROR"})").code.empty());
  CHECK_FALSE(
      as<says::confirm>(R"({"type":"AGENT_EVENT_CONFIRM","confirmation_id":"1","prompt":"?"})")
          .expires_in);
}

TEST_CASE("usage counts tokens, in parts or as a total") {
  const auto tokens = [](const std::string& rest) {
    const auto end = as<says::end>(R"({"type":"AGENT_EVENT_END")" + rest + "}");
    return std::pair{end.input_tokens, end.output_tokens};
  };
  using pair = std::pair<std::int64_t, std::int64_t>;
  constexpr std::int64_t most = 1'000'000'000'000'000;
  CHECK(tokens("") == pair{0, 0});
  CHECK(tokens(R"(,"tokens_used":42)") == pair{0, 42});
  CHECK(tokens(R"(,"tokens_used":42.9)") == pair{0, 42});
  CHECK(tokens(R"(,"tokens_used":"42")") == pair{0, 42});
  CHECK(tokens(R"(,"tokens_used":-5)") == pair{0, 0});
  CHECK(tokens(R"(,"tokens_used":1e400)") == pair{0, most});
  CHECK(tokens(R"(,"tokens_used":-1e400)") == pair{0, 0});
  CHECK(tokens(R"(,"tokens_used":123456789012345678901234567890)") == pair{0, most});
  CHECK(tokens(R"(,"tokens_used":18446744073709551615)") == pair{0, most});
  CHECK(tokens(R"(,"tokens_used":[1])") == pair{0, 0});
  CHECK(tokens(R"(,"tokens_used":"many")") == pair{0, 0});
  CHECK(tokens(R"(,"tokens_used":"nan")") == pair{0, 0});
  CHECK(tokens(R"(,"tokens_used":"inf")") == pair{0, most});
  CHECK(tokens(R"(,"usage":{"input_tokens":3,"output_tokens":4})") == pair{3, 4});
  CHECK(tokens(R"(,"usage":{"output_tokens":4},"tokens_used":9)") == pair{0, 4});
  CHECK(tokens(R"(,"usage":null,"tokens_used":9)") == pair{0, 9});
  CHECK(tokens(R"(,"usage":[3,4],"tokens_used":9)") == pair{0, 9});
}

TEST_CASE("a confirmation's time is never negative, never endless") {
  const auto wait = [](const std::string& number) {
    return as<says::confirm>(
               R"({"type":"AGENT_EVENT_CONFIRM","confirmation_id":"1","prompt":"?","expires_in":)" +
               number + "}")
        .expires_in;
  };
  using std::chrono::seconds;
  CHECK(wait("0") == seconds(0));
  CHECK(wait("1.2") == seconds(2));
  CHECK(wait("-3") == seconds(0));
  CHECK(wait("-1e400") == seconds(0));
  CHECK(wait("1e-400") == seconds(0));
  CHECK(wait("1e9") == seconds(315'360'000));
  CHECK(wait("1e400") == seconds(315'360'000));
  CHECK(wait("18446744073709551615") == seconds(315'360'000));
  CHECK(wait("\"60\"") == seconds(60));
  CHECK_FALSE(wait("null"));
  CHECK_FALSE(wait("true"));
  CHECK_FALSE(wait("{}"));
}

TEST_CASE("a result may be any JSON and stays JSON") {
  const std::vector<std::string> values{"null",
                                        "true",
                                        "0",
                                        "-1.5",
                                        "\"\"",
                                        "\"quoted \\\" text\"",
                                        "[]",
                                        "{}",
                                        R"([1,"a",{"b":[null]}])",
                                        R"({"type":"AGENT_EVENT_END"})"};
  for (const auto& value : values) {
    const auto result =
        as<says::tool_result>(R"({"type":"AGENT_EVENT_TOOL_RESULT","result":)" + value + "}")
            .result;
    CHECK(json::parse(result) == json::parse(value));
    const auto payload =
        as<says::custom_update>(R"({"type":"AGENT_EVENT_CUSTOM_UPDATE","payload":)" + value + "}")
            .payload;
    CHECK(json::parse(payload) == json::parse(value));
  }
}

TEST_CASE("a number that fits nowhere keeps its digits") {
  const auto result = as<says::tool_result>(
      R"({"type":"AGENT_EVENT_TOOL_RESULT","result":{"n":123456789012345678901234567890,"m":1e400}})");
  CHECK(json::parse(result.result) ==
        json{{"n", "123456789012345678901234567890"}, {"m", "1e400"}});
}

TEST_CASE("a field of another type is tolerated where it can be, else the frame is malformed") {
  const std::vector<std::string> wrong{"null", "true", "7", "1.5", "[\"x\"]", "{\"x\":1}"};
  for (const auto& value : wrong) {
    INFO(value);
    const auto with = [&](const std::string& head, const std::string& name) {
      return R"({"type":")" + head + ",\"" + name + "\":" + value + "}";
    };
    // Without these a frame says nothing.
    CHECK_FALSE(cause(R"({"type":)" + value + "}").empty());
    CHECK(cause(with("AGENT_EVENT_TEXT_CHUNK\"", "text")) ==
          "AGENT_EVENT_TEXT_CHUNK: text is missing or not a string");
    CHECK_FALSE(cause(with("AGENT_EVENT_SEND_FILE\"", "path")).empty());
    CHECK_FALSE(cause(with("AGENT_EVENT_CONFIRM\",\"confirmation_id\":\"a\"", "prompt")).empty());
    CHECK_FALSE(
        cause(with("AGENT_EVENT_PUSH\",\"event_id\":\"a\",\"text\":\"t\"", "kind")).empty());
    CHECK_FALSE(
        cause(with("AGENT_EVENT_PUSH\",\"event_id\":\"a\",\"kind\":\"k\"", "text")).empty());
    // Without these it still does.
    as<says::status>(with("STATUS\"", "text"));
    for (const auto* name : {"tool_call_id", "tool_name", "args_chunk"})
      as<says::tool_call>(with("AGENT_EVENT_TOOL_CALL_CHUNK\"", name));
    for (const auto* name : {"tool_call_id", "tool_name", "result", "is_error"})
      as<says::tool_result>(with("AGENT_EVENT_TOOL_RESULT\"", name));
    for (const auto* name : {"name", "payload"})
      as<says::custom_update>(with("AGENT_EVENT_CUSTOM_UPDATE\"", name));
    for (const auto* name : {"code", "details", "retryable"})
      as<says::error>(with("ERROR\"", name));
    for (const auto* name : {"tokens_used", "usage"})
      as<says::end>(with("AGENT_EVENT_END\"", name));
    as<says::confirm>(
        with("AGENT_EVENT_CONFIRM\",\"confirmation_id\":\"a\",\"prompt\":\"p\"", "expires_in"));
    as<says::push>(
        with("AGENT_EVENT_PUSH\",\"event_id\":\"a\",\"kind\":\"k\",\"text\":\"t\"", "attachments"));
    CHECK(decoded(with("AGENT_EVENT_END\"", "message_id")).message_id.empty());
  }
  CHECK(as<says::tool_call>(R"({"type":"AGENT_EVENT_TOOL_CALL_CHUNK","tool_call_id":7})").id ==
        "7");
  CHECK(
      as<says::tool_call>(R"({"type":"AGENT_EVENT_TOOL_CALL_CHUNK","args_chunk":{"a":1}})").args ==
      R"({"a":1})");
  CHECK(as<says::error>(R"({"type":"ERROR","code":503,"message":"busy"})").code == "503");
  CHECK(as<says::error>(R"({"type":"ERROR","code":503,"message":"busy"})").details == "busy");
  CHECK_FALSE(as<says::error>(R"({"type":"ERROR","retryable":"true"})").retryable);
  CHECK(cause(R"({"type":"AGENT_EVENT_SEND_FILE","path":""})") ==
        "AGENT_EVENT_SEND_FILE: path is missing or not a string");
  CHECK_FALSE(cause(R"({"type":"AGENT_EVENT_CONFIRM","prompt":"?"})").empty());
  CHECK_FALSE(cause(R"({"type":"AGENT_EVENT_PUSH","kind":"task_done","text":"x"})").empty());
  CHECK(
      as<says::push>(
          R"({"type":"AGENT_EVENT_PUSH","event_id":5,"kind":"k","text":"t","attachments":["a",1,null]})")
          .attachments == std::vector<std::string>{"a"});
}

TEST_CASE("what is no frame is malformed, and the cause repeats nothing of it") {
  const std::vector<std::pair<std::string, std::string>> frames{
      {"", "empty frame"},
      {"   ", "not JSON"},
      {"SECRET", "not JSON"},
      {"\"SECRET\"", "not a JSON object"},
      {"[1,2]", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{}", "type is missing or not a string"},
      {R"({"type":"STATUS","text":"SECRET")", "not JSON"},
      {R"({"type":"STATUS"} SECRET)", "not JSON"},
      {R"({"type":"STATUS"}{"type":"STATUS"})", "not JSON"},
      {R"({'type':'STATUS'})", "not JSON"},
      {R"({"type":"STATUS","text":"SECRET\x"})", "not JSON"},
      {R"({"type":"STATUS","n":01})", "not JSON"},
      {R"({"type":"STATUS","n":NaN})", "not JSON"},
      {R"({1e400:"STATUS"})", "not JSON"},
      {"{\"type\":\"STATUS\",\"text\":\"SECRET\x01\"}", "not JSON"},
      {"{\"type\":\"STATUS\",\"text\":\"SECRET\xFF\"}", "not UTF-8"},
      {"{\"type\":\"STATUS\",\"text\":\"\xED\xA0\x80\"}", "not UTF-8"},
      {"{\"type\":\"STATUS\",\"text\":\"\xC0\x80\"}", "not UTF-8"},
  };
  for (const auto& [text, why] : frames) {
    INFO(text);
    CHECK(cause(text) == why);
  }
  CHECK(cause(std::string("{\"type\":\"STATUS\"\0}", 18)) == "not JSON");
}

TEST_CASE("JSON may be 64 deep and no deeper") {
  as<says::custom_update>(nested(63)); // and the frame itself
  CHECK(cause(nested(64)) == "JSON nested too deep");
  CHECK(cause(nested(1000)) == "JSON nested too deep");
  CHECK(cause(nested(200'000)) == "JSON nested too deep");
  CHECK_FALSE(cause(std::string(100'000, '[')).empty());
  as<says::custom_update>(nested(63));
}

TEST_CASE("strings come out as UTF-8 without NUL") {
  const auto text = [](const std::string& escaped) {
    return as<says::text_chunk>(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":")" + escaped + "\"}")
        .text;
  };
  CHECK(text(R"(\ud83d\ude00)") == "\xF0\x9F\x98\x80");
  CHECK(text(R"(a\ud800b)") == "a" + fffd + "b");
  CHECK(text(R"(a\udc00b)") == "a" + fffd + "b");
  CHECK(text(R"(\uDFFF\uD83D)") == fffd + fffd);
  CHECK(text(R"(\ud800\ud83d\ude00)") == fffd + "\xF0\x9F\x98\x80");
  CHECK(text(R"(\\ud800)") == R"(\ud800)");
  CHECK(text(R"(a\u0000b)") == "a" + fffd + "b");
  CHECK(as<says::tool_result>(R"({"type":"AGENT_EVENT_TOOL_RESULT","result":"\udc00"})").result ==
        "\"" + fffd + "\"");
}

TEST_CASE("unknown types are named in a form fit for the log") {
  CHECK(as<says::unknown>(R"({"type":"AGENT_EVENT_DANCE","text":1})").type == "AGENT_EVENT_DANCE");
  CHECK(as<says::unknown>(R"({"type":"a b\nc\u001b[31m"})").type == "a?b?c??31m");
  CHECK(as<says::unknown>(R"({"type":""})").type.empty());
  CHECK(as<says::unknown>(R"({"type":")" + std::string(5000, 'x') + "\"}").type.size() == 64);
  as<says::unknown>(R"({"type":"USER_MESSAGE","text":"mine"})");
}

TEST_CASE("the echoed message id comes with the event, unknown fields are passed over") {
  const auto frame = decoded(
      R"({"extra":[1,{"type":"x"}],"type":"AGENT_EVENT_TEXT_CHUNK","text":"a","message_id":"t-1","y":null})");
  CHECK(frame.message_id == "t-1");
  CHECK(std::get<says::text_chunk>(frame.event).text == "a");
  CHECK(decoded(R"({"type":"NEW","message_id":"t-2"})").message_id == "t-2");
  CHECK(decoded("\xEF\xBB\xBF{\"type\":\"GRACEFUL_DISCONNECT\"}").event.index() ==
        agent_event(says::goodbye{}).index());
}

TEST_CASE("an agent with names of its own is understood by both") {
  agent_spec spec;
  spec.aliases = {
      {"kind_of", "type"},         {"token", "AGENT_EVENT_TEXT_CHUNK"}, {"delta", "text"},
      {"done", "AGENT_EVENT_END"}, {"prompt_tokens", "input_tokens"},   {"messageId", "message_id"},
      {"nonsense", "no_such_name"}};
  const auto frame = decoded(R"({"kind_of":"token","delta":"Hi","messageId":"m"})", spec);
  CHECK(std::get<says::text_chunk>(frame.event).text == "Hi");
  CHECK(frame.message_id == "m");
  CHECK(as<says::text_chunk>(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":"Hi"})", spec).text ==
        "Hi");
  CHECK(as<says::end>(R"({"type":"done","usage":{"prompt_tokens":5,"output_tokens":6}})", spec)
            .input_tokens == 5);
  CHECK(as<says::unknown>(R"({"type":"nonsense"})", spec).type == "nonsense");
}

TEST_CASE("an alias may give one of our names another meaning") {
  agent_spec spec;
  spec.aliases = {{"text", "details"}};
  CHECK(as<says::error>(R"({"type":"ERROR","text":"why"})", spec).details == "why");
}

TEST_CASE("a frame of eight megabytes is decoded, and small ones after it") {
  const std::string big(8'000'000, 'x');
  CHECK(as<says::text_chunk>(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":")" + big + "\"}").text ==
        big);
  CHECK(as<says::text_chunk>(R"({"type":"AGENT_EVENT_TEXT_CHUNK","text":"y"})").text == "y");
}

TEST_CASE("every truncation of a frame is malformed") {
  const std::string whole =
      R"({"type":"AGENT_EVENT_TOOL_RESULT","tool_call_id":"c","result":{"a":[1,-2.5e3,"\ud83d\ude00"]}})";
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK_FALSE(cause(whole.substr(0, n)).empty());
  as<says::tool_result>(whole);
}
