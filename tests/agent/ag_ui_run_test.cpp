#include "bridges/agent/ag_ui/record.hpp"
#include "bridges/agent/ag_ui/run.hpp"
#include "bridges/agent/ag_ui/state.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

using namespace pb;
using namespace pb::ag_ui;
using nlohmann::json;

namespace {

template <class T>
std::vector<T> of(const happened& h) {
  std::vector<T> out;
  for (const auto& e : h.events)
    if (const auto* event = std::get_if<T>(&e))
      out.push_back(*event);
  return out;
}

std::string words(run& r, std::initializer_list<const char*> events) {
  std::string out;
  for (const auto* text : events)
    for (const auto& chunk : of<agent_says::text_chunk>(r.read(text)))
      out += chunk.text;
  return out;
}

const std::vector<const char*>& every_event() {
  static const std::vector<const char*> all{
      R"({"type":"RUN_STARTED","threadId":"C17","runId":"r1"})",
      R"({"type":"STEP_STARTED","stepName":"plan"})",
      R"({"type":"REASONING_START","messageId":"x"})",
      R"({"type":"REASONING_MESSAGE_CONTENT","messageId":"x","delta":"hm"})",
      R"({"type":"THINKING_TEXT_MESSAGE_CONTENT","delta":"hm"})",
      R"({"type":"TEXT_MESSAGE_START","messageId":"m1","role":"assistant"})",
      R"({"type":"TEXT_MESSAGE_CONTENT","messageId":"m1","delta":"Hi ж🙂"})",
      R"({"type":"TEXT_MESSAGE_END","messageId":"m1"})",
      R"({"type":"TOOL_CALL_START","toolCallId":"tc1","toolCallName":"sendEmail"})",
      R"({"type":"TOOL_CALL_ARGS","toolCallId":"tc1","delta":"{\"to\":\"bob\"}"})",
      R"({"type":"TOOL_CALL_END","toolCallId":"tc1"})",
      R"({"type":"TOOL_CALL_RESULT","messageId":"t1","toolCallId":"tc1","content":"sent","role":"tool"})",
      R"({"type":"STATE_SNAPSHOT","snapshot":{"mood":"good"}})",
      R"({"type":"STATE_DELTA","delta":[{"op":"replace","path":"/mood","value":"better"}]})",
      R"({"type":"MESSAGES_SNAPSHOT","messages":[{"id":"u","role":"user","content":"x"}]})",
      R"({"type":"ACTIVITY_SNAPSHOT","messageId":"a","activityType":"PLAN","content":{}})",
      R"({"type":"CUSTOM","name":"progress","value":{"pct":80}})",
      R"({"type":"RAW","event":{}})",
      R"({"type":"SOMETHING_NEW","x":1})",
      R"({"type":"RUN_FINISHED","threadId":"C17","runId":"r1","usage":[{"provider":"a","inputTokens":900,"outputTokens":40},{"provider":"b","inputTokens":1}]})",
  };
  return all;
}

} // namespace

TEST_CASE("a run of AG-UI events becomes words, tools, progress and an end") {
  run r({});
  std::string text;
  std::vector<agent_event> all;
  happened last;
  for (const auto* event : every_event()) {
    last = r.read(event);
    CHECK(last.malformed.empty());
    for (auto& e : last.events)
      all.push_back(std::move(e));
  }
  happened sum;
  sum.events = all;
  CHECK(of<agent_says::text_chunk>(sum).size() == 1);
  CHECK(of<agent_says::text_chunk>(sum)[0].text == "Hi ж🙂");
  const auto calls = of<agent_says::tool_call>(sum);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].name == "sendEmail");
  CHECK(calls[1].args == R"({"to":"bob"})");
  const auto results = of<agent_says::tool_result>(sum);
  REQUIRE(results.size() == 1);
  CHECK(results[0].id == "tc1");
  CHECK(results[0].name == "sendEmail");
  CHECK(results[0].result == R"("sent")");
  const auto updates = of<agent_says::custom_update>(sum);
  REQUIRE(updates.size() == 3);
  CHECK(updates[0].name == "plan");
  CHECK(updates[1].name == "PLAN");
  CHECK(updates[2].name == "progress");
  CHECK(updates[2].payload == R"({"pct":80})");
  CHECK(of<agent_says::status>(sum).size() == 1);
  const auto unknown = of<agent_says::unknown>(sum);
  REQUIRE(unknown.size() == 2);
  CHECK(unknown[0].type == "RAW");
  CHECK(unknown[1].type == "SOMETHING_NEW");
  CHECK(last.how == happened::ending::success);
  CHECK(last.used.input_tokens == 901);
  CHECK(last.used.output_tokens == 40);
  CHECK(json::parse(r.state()) == json{{"mood", "better"}});
}

TEST_CASE("an AG-UI event cut at any byte is malformed, never more") {
  for (const auto* event : every_event()) {
    const std::string_view whole(event);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      run r({});
      CHECK_FALSE(r.read(whole.substr(0, length)).malformed.empty());
    }
  }
}

TEST_CASE("messages follow each other with a line between; chunks name their message once") {
  run r({});
  CHECK(words(r, {R"({"type":"TEXT_MESSAGE_CHUNK","messageId":"1","role":"assistant","delta":"a"})",
                  R"({"type":"TEXT_MESSAGE_CHUNK","delta":"b"})",
                  R"({"type":"TEXT_MESSAGE_CHUNK","messageId":"2","delta":"c"})",
                  R"({"type":"TEXT_MESSAGE_CONTENT","messageId":"2","delta":""})"}) == "ab\n\nc");
  run tools({});
  (void)tools.read(R"({"type":"TOOL_CALL_CHUNK","toolCallId":"t","toolCallName":"f","delta":"{"})");
  const auto more = tools.read(R"({"type":"TOOL_CALL_CHUNK","delta":"}"})");
  REQUIRE(of<agent_says::tool_call>(more).size() == 1);
  CHECK(of<agent_says::tool_call>(more)[0].id == "t");
  REQUIRE(tools.said().find("t") != nullptr);
  CHECK(tools.said().find("t")->args == "{}");
}

TEST_CASE("what is not the agent's word is not shown as one") {
  run r({});
  CHECK(words(r, {R"({"type":"TEXT_MESSAGE_START","messageId":"1","role":"user"})",
                  R"({"type":"TEXT_MESSAGE_CONTENT","messageId":"1","delta":"echo"})",
                  R"({"type":"TEXT_MESSAGE_END","messageId":"1"})",
                  R"({"type":"TEXT_MESSAGE_START","messageId":"2"})",
                  R"({"type":"TEXT_MESSAGE_CONTENT","messageId":"2","delta":"mine"})"}) == "mine");
}

TEST_CASE("a run that says nothing by itself is taken by its snapshot or its result") {
  run snapshot({});
  CHECK(
      words(
          snapshot,
          {R"({"type":"MESSAGES_SNAPSHOT","messages":[{"role":"assistant","content":"old"},{"role":"user","content":"q"},{"role":"assistant","content":"new"}]})",
           R"({"type":"RUN_FINISHED"})"}) == "new");
  run result({});
  CHECK(words(result, {R"({"type":"RUN_FINISHED","result":"done"})"}) == "done");
  run object({});
  CHECK(words(object, {R"({"type":"RUN_FINISHED","result":{"a":1}})"}).empty());
  run spoken({});
  CHECK(words(spoken,
              {R"({"type":"TEXT_MESSAGE_CHUNK","messageId":"1","delta":"said"})",
               R"({"type":"MESSAGES_SNAPSHOT","messages":[{"role":"assistant","content":"said"}]})",
               R"({"type":"RUN_FINISHED","result":"said"})"}) == "said");
}

TEST_CASE("how a run ends badly") {
  run r({});
  const auto failed = r.read(
      R"({"type":"RUN_ERROR","message":"<b>no</b>","code":"E 1","usage":[{"inputTokens":2}]})");
  CHECK(failed.how == happened::ending::failed);
  CHECK(failed.error.code == "E?1");
  CHECK(failed.error.details.empty());
  CHECK(failed.used.input_tokens == 2);
  CHECK(r.read(R"({"type":"RUN_ERROR","message":"no luck"})").error.details == "no luck");
  CHECK(r.read(R"({"type":"RUN_FINISHED","outcome":{"type":"cancelled"}})").how ==
        happened::ending::cancelled);
  const auto odd = r.read(R"({"type":"RUN_FINISHED","outcome":{"type":"new one"}})");
  CHECK(odd.how == happened::ending::success);
  CHECK(of<agent_says::unknown>(odd)[0].type == "outcome/new?one");
}

TEST_CASE("an interrupt says what it wants to know, and where yes goes") {
  run r({});
  (void)r.read(R"({"type":"TOOL_CALL_START","toolCallId":"tc1","toolCallName":"sendEmail"})");
  (void)r.read(R"({"type":"TOOL_CALL_ARGS","toolCallId":"tc1","delta":"{\"to\":\"bob\"}"})");
  const auto asked = r.read(R"({"type":"RUN_FINISHED","outcome":{"type":"interrupt","interrupts":[
    {"id":"i1","reason":"tool_call","message":"Send?","toolCallId":"tc1","expiresAt":"2026-11-21T02:00:00Z",
     "responseSchema":{"type":"object","properties":{"note":{"type":"string"},"ok":{"type":"boolean"}}}},
    {"id":"i2","reason":"confirmation"},{"id":"i2","reason":"again"},
    {"id":"i3","responseSchema":{"type":"boolean"}}]}})");
  CHECK(asked.how == happened::ending::interrupted);
  REQUIRE(asked.interrupts.size() == 3);
  CHECK(asked.interrupts[0].prompt == "Send?\n\nsendEmail {\"to\":\"bob\"}");
  CHECK(asked.interrupts[0].field == "ok");
  CHECK(asked.interrupts[1].prompt == "confirmation");
  CHECK(asked.interrupts[1].field == "approved");
  CHECK_FALSE(asked.interrupts[2].prompt.empty());
  CHECK(asked.interrupts[2].field.empty());
}

TEST_CASE("interrupts that cannot be answered are malformed, at their limits") {
  const auto with = [](const json& interrupts) {
    run r({});
    return r.read(json{{"type", "RUN_FINISHED"},
                       {"outcome", {{"type", "interrupt"}, {"interrupts", interrupts}}}}
                      .dump());
  };
  CHECK_FALSE(with(json::array()).malformed.empty());
  CHECK_FALSE(with(nullptr).malformed.empty());
  CHECK_FALSE(with({{{"reason", "x"}}}).malformed.empty());
  CHECK(with({{{"id", std::string(interrupt_id, 'i')}}}).malformed.empty());
  CHECK_FALSE(with({{{"id", std::string(interrupt_id + 1, 'i')}}}).malformed.empty());
  auto many = json::array();
  for (std::size_t i = 0; i < interrupt_limit; ++i)
    many.push_back({{"id", std::to_string(i)}});
  CHECK(with(many).malformed.empty());
  many.push_back({{"id", "one more"}});
  CHECK_FALSE(with(many).malformed.empty());
  CHECK(with({{{"id", "i"}, {"message", std::string(1 << 20, 'm')}}}).interrupts[0].prompt.size() <=
        prompt_limit);
}

TEST_CASE("AG-UI events that are hostile are malformed or harmless") {
  run r({});
  const auto deep = std::string(1000, '[') + std::string(1000, ']');
  for (const auto& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        std::string(R"({"type":7})"), R"({"type":"CUSTOM","value":)" + deep + "}",
        std::string("{\"type\":\"\xff\"}"), std::string(R"({"type":"TEXT_MESSAGE_CONTENT"})"),
        std::string(R"({"type":"TEXT_MESSAGE_CONTENT","delta":{}})")})
    CHECK_FALSE(r.read(text).malformed.empty());
  for (const auto* text :
       {R"({"type":""})", R"({"type":"TOOL_CALL_START"})", R"({"type":"TOOL_CALL_ARGS"})",
        R"({"type":"TOOL_CALL_RESULT","content":[{"type":"text","text":"x"}]})",
        R"({"type":"TOOL_CALL_OTHER"})", R"({"type":"STATE_SNAPSHOT"})",
        R"({"type":"STATE_DELTA"})", R"({"type":"STATE_DELTA","delta":[1]})",
        R"({"type":"MESSAGES_SNAPSHOT","messages":7})", R"({"type":"CUSTOM"})",
        R"({"type":"RUN_FINISHED","usage":7,"outcome":7})", R"({"type":"RUN_ERROR"})"})
    CHECK(r.read(text).malformed.empty());
  const std::string large(std::size_t{1} << 20, 'x');
  const auto one =
      r.read(json{{"type", "TEXT_MESSAGE_CHUNK"}, {"messageId", large}, {"delta", large}}.dump());
  CHECK(of<agent_says::text_chunk>(one)[0].text.size() >= large.size());
}

TEST_CASE("what is kept of a run is bounded, however it was said") {
  run r({});
  for (int i = 0; i < 3000; ++i) {
    const auto id = std::to_string(i);
    (void)r.read(
        json{{"type", "TEXT_MESSAGE_CHUNK"}, {"messageId", id}, {"delta", std::string(100, 'w')}}
            .dump());
    (void)r.read(json{{"type", "TOOL_CALL_CHUNK"},
                      {"toolCallId", id},
                      {"toolCallName", "f"},
                      {"delta", std::string(10'000, 'a')}}
                     .dump());
    (void)r.read(json{{"type", "TOOL_CALL_RESULT"},
                      {"messageId", id},
                      {"toolCallId", id},
                      {"content", std::string(20'000, 'r')}}
                     .dump());
  }
  const auto entries = r.said().entries("t");
  const auto most = kept_messages + 2 * kept_calls;
  CHECK(entries.size() <= most);
  std::size_t sum = 0;
  for (const auto& e : entries)
    sum += e.text.size() + e.more.size();
  CHECK(sum <= kept_words + most * (kept_result + kept_args / 2));
  (void)settled(entries);
}

TEST_CASE("a thread holds no call without its result") {
  record r;
  r.text("m1", "Let me see.");
  r.call("a", "f");
  r.args("a", "{}");
  r.call("b", "g");
  r.result("t1", "a", "done");
  r.call("c", "h");
  r.result("t9", "nobody", "called");
  const auto open = r.entries("turn");
  REQUIRE(open.size() == 4);
  CHECK(as_message(open[0], 0) ==
        json::parse(R"({"id":"m1","role":"assistant","content":"Let me see.",
    "toolCalls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
                 {"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]})"));
  CHECK(as_message(open[1], 1) ==
        json::parse(R"({"id":"t1","role":"tool","content":"done","toolCallId":"a"})"));
  CHECK(as_message(open[2], 2) == json::parse(R"({"id":"calls-c","role":"assistant",
    "toolCalls":[{"id":"c","type":"function","function":{"name":"h","arguments":"{}"}}]})"));
  const auto closed = settled(open);
  REQUIRE(closed.size() == 2);
  CHECK(as_message(closed[0], 0)["toolCalls"].size() == 1);
  CHECK(as_message({"turn", "user", "q", {}}, 0) ==
        json::parse(R"({"id":"turn","role":"user","content":"q"})"));
}

TEST_CASE("a shared state follows its patches as long as they fit") {
  CHECK(patched(R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])") == R"({"a":1,"b":2})");
  CHECK(patched(R"({"a":1})", "[]") == R"({"a":1})");
  for (const auto* bad :
       {"", "{}", "7", R"([{"op":"remove","path":"/x"}])", R"([{"op":"fly"}])",
        R"([{"op":"test","path":"/a","value":2}])", R"([{"op":"add","path":"a"}])",
        R"([{"op":"replace","path":"/~2","value":1}])", "[7]"})
    CHECK_FALSE(patched(R"({"a":1})", bad));
  // Nothing can be put into what has no fields.
  for (const auto* bad :
       {R"([{"op":"add","path":"/a/b","value":1}])", R"([{"op":"copy","from":"","path":"/a/b"}])"})
    CHECK_FALSE(patched(R"({"a":1})", bad));
  CHECK_FALSE(patched("7", R"([{"op":"add","path":"/a","value":1}])"));
  CHECK_FALSE(patched(R"([{"x":1},5])", R"([{"op":"move","from":"/0","path":"/0/x"}])"));
  CHECK_FALSE(patched(R"({"a":1})", R"([{"op":"move","from":"","path":"/b"}])"));
  CHECK(patched(R"({"a":{"x":1}})", R"([{"op":"move","from":"/a/x","path":"/b"}])") ==
        R"({"a":{},"b":1})");
  auto doubling = json::array();
  for (int i = 0; i < 100; ++i)
    doubling.push_back({{"op", "copy"}, {"from", ""}, {"path", "/a"}});
  CHECK_FALSE(patched(R"({"a":1,"b":"0123456789"})", doubling.dump()));
  auto many = json::array();
  for (std::size_t i = 0; i < patch_limit; ++i)
    many.push_back({{"op", "replace"}, {"path", "/a"}, {"value", i}});
  CHECK(patched(R"({"a":1})", many.dump()));
  many.push_back({{"op", "replace"}, {"path", "/a"}, {"value", 1}});
  CHECK_FALSE(patched(R"({"a":1})", many.dump()));
  run r(R"({"a":1})");
  const auto refused = r.read(R"({"type":"STATE_DELTA","delta":[{"op":"remove","path":"/x"}]})");
  CHECK(of<agent_says::unknown>(refused).size() == 1);
  CHECK(r.state() == R"({"a":1})");
  CHECK(
      of<agent_says::unknown>(
          r.read(
              json{{"type", "STATE_SNAPSHOT"}, {"snapshot", std::string(state_limit, 's')}}.dump()))
          .size() == 1);
  CHECK(r.state().empty());
  CHECK(
      r.read(
           json{{"type", "STATE_SNAPSHOT"}, {"snapshot", std::string(state_limit - 2, 's')}}.dump())
          .events.empty());
  CHECK(r.state().size() == state_limit);
}
