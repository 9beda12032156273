// ACP: whatever comes, nothing worse than a clear ending.

#include "acp_agent.hpp"

#include <vector>

using namespace pb;
using namespace pb::test;

namespace {

/// One frame of each kind that an agent may send after the prompt; the last one ends the turn.
std::vector<std::string> frames() {
  const auto update = [](const std::string& what) {
    return R"({"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":)" +
           what + "}}";
  };
  return {
      update(
          R"({"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"h\u00e9 \ud83d\ude00"}})"),
      update(R"({"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"hm"}})"),
      update(
          R"({"sessionUpdate":"tool_call","toolCallId":"t","title":"rm","kind":"delete","status":"pending","rawInput":{"a":[1,2]},"locations":[{"path":"/w/a","line":3}]})"),
      update(
          R"({"sessionUpdate":"tool_call_update","toolCallId":"t","status":"completed","content":[{"type":"diff","path":"/a","newText":"x"},{"type":"content","content":{"type":"image","mimeType":"image/png","data":"aGk="}}]})"),
      update(
          R"({"sessionUpdate":"plan","entries":[{"content":"a","priority":"low","status":"pending"}]})"),
      update(
          R"({"sessionUpdate":"agent_message_chunk","content":{"type":"resource_link","name":"a","uri":"file:///workspace/a%20b"}})"),
      R"({"jsonrpc":"2.0","id":"p","method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"t"},"options":[{"optionId":"y","name":"Y","kind":"allow_once"}]}})",
      R"({"jsonrpc":"2.0","id":1,"method":"fs/read_text_file","params":{"sessionId":"s-1","path":"/a"}})",
      R"({"jsonrpc":"2.0","method":"$/cancel_request","params":{"requestId":"p"}})",
      R"({"jsonrpc":"2.0","id":2,"result":{"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}})",
  };
}

std::string cause(const std::string& text) {
  acp_agent a;
  a.prompted();
  a.says(text);
  return a.heard<says::malformed>().size() == 1 ? a.heard<says::malformed>()[0].cause : "-";
}

} // namespace

TEST_CASE("acp: a frame that is cut anywhere is malformed") {
  for (const auto& frame : frames())
    for (std::size_t bytes = 1; bytes < frame.size(); ++bytes) {
      acp_agent a;
      a.prompted();
      a.says(frame.substr(0, bytes));
      REQUIRE(a.heard<says::malformed>().size() == 1);
      REQUIRE(a.said.size() == 1);
      REQUIRE(a.running);
    }
}

TEST_CASE("acp: the same frames, whole, make a turn") {
  acp_agent a;
  a.prompted();
  for (const auto& frame : frames())
    a.says(frame);
  CHECK(a.heard<says::malformed>().empty());
  CHECK(a.heard<says::end>().size() == 1);
  CHECK(a.answer() == "hé 😀");
  CHECK(a.keep());
}

TEST_CASE("acp: bytes that are changed anywhere do no harm") {
  for (const auto& frame : frames())
    for (std::size_t at = 0; at < frame.size(); ++at)
      for (const char byte : {'\0', '"', '{', '\xFF', '0', '\\'}) {
        auto changed = frame;
        changed[at] = byte;
        acp_agent a;
        a.prompted();
        a.says(changed);
        for (const auto& chunk : a.heard<says::text_chunk>())
          REQUIRE_NOTHROW(json(chunk.text).dump());
        for (const auto& file : a.heard<says::send_file>())
          REQUIRE_NOTHROW(json(file.path).dump());
      }
}

TEST_CASE("acp: what is not the protocol says why") {
  CHECK(cause("hello") == "not JSON");
  CHECK(cause("[]") == "not a JSON object");
  CHECK(cause(R"([{"jsonrpc":"2.0","method":"session/update"}])") == "not a JSON object");
  CHECK(cause(R"({"jsonrpc":"1.0","method":"a"})") == "not JSON-RPC 2.0");
  CHECK(cause("{\"jsonrpc\":\"2.0\",\"method\":\"\xFF\"}") == "not UTF-8");
  CHECK(cause(R"({"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1"}})") ==
        "session/update: sessionUpdate is missing");
  CHECK(cause(R"({"jsonrpc":"2.0","method":"a","params":)" + std::string(100'000, '[')) ==
        "not JSON");
  CHECK(cause(R"({"jsonrpc":"2.0","method":"a","params":)" + std::string(1'000, '[') +
              std::string(1'000, ']') + "}") == "JSON nested too deep");
}

TEST_CASE("acp: a session that heard nonsense is not kept") {
  acp_agent a;
  a.prompted();
  a.ends();
  CHECK(a.keep());
  a.says("nonsense");
  CHECK_FALSE(a.keep());
}

TEST_CASE("acp: frames before their time are not taken for answers") {
  acp_agent a;
  a.begin("hello");
  a.opened();
  a.chunk("too early");
  a.answer_to(5, {{"stopReason", "end_turn"}});
  CHECK(a.strays == 2);
  CHECK(a.said.empty());
  a.asks_permission(1, {{"toolCallId", "t"}});
  CHECK(a.last()["result"]["outcome"]["outcome"] == "cancelled");
  CHECK(a.running);
}

TEST_CASE("acp: what a link says that is not the present one is nobody's") {
  acp_agent a;
  a.prompted();
  a.ends();
  a.closed();
  a.begin("again", {}, "turn-2");
  a.says(a.links[0].wire, frames().back());
  a.closed(a.links[0].wire, {});
  CHECK(a.said.size() == 1);
  CHECK_FALSE(a.gave_up);
}

TEST_CASE("acp: lone surrogates, NUL and huge numbers come out as text and numbers") {
  acp_agent a;
  a.prompted();
  a.says(
      R"({"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"a\ud800b\u0000c"}}}})");
  CHECK(a.answer() == "a\xEF\xBF\xBD"
                      "b\xEF\xBF\xBD"
                      "c");
  a.says(
      R"({"jsonrpc":"2.0","id":2,"result":{"stopReason":"end_turn","usage":{"inputTokens":1e300,"outputTokens":-5}}})");
  REQUIRE(a.heard<says::end>().size() == 1);
  CHECK(a.heard<says::end>()[0].input_tokens == 1'000'000'000'000'000);
  CHECK(a.heard<says::end>()[0].output_tokens == 0);
}

TEST_CASE("acp: 8 MiB in one chunk is taken as it is") {
  acp_agent a;
  a.prompted();
  a.chunk(std::string(std::size_t{8} << 20, 'x'));
  CHECK(a.answer().size() == std::size_t{8} << 20);
}

TEST_CASE("acp: silence before the prompt ends the turn, silence after it does not") {
  acp_agent a;
  a.begin("hello");
  a.opened();
  REQUIRE(a.alarm_after);
  SECTION("before") {
    a.alarm();
    CHECK(a.gave_up->ending == turn_ending::unreachable);
  }
  SECTION("after") {
    a.initialized();
    a.result({{"sessionId", "s-1"}});
    CHECK_FALSE(a.alarm_after);
    a.alarm();
    CHECK_FALSE(a.gave_up);
  }
}
