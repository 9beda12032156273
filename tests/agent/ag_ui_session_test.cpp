#include "bridges/agent/ag_ui/run.hpp"
#include "bridges/agent/ag_ui/session.hpp"
#include "session_driver.hpp"

using namespace pb;
using namespace pb::test;
using nlohmann::json;
using how = link_closed::how;

namespace {

agent_spec agent() {
  agent_spec spec;
  spec.protocol = "ag-ui";
  return spec;
}

session_driver driver(agent_spec spec = agent()) {
  return session_driver(ag_ui_protocol(), std::move(spec), "https://agent.test/agui",
                        platform_chat_id{17});
}

void ask(session_driver& d, const std::string& text, const std::string& turn = "turn-1") {
  d.renew();
  d.links.clear();
  d.forget();
  d.begin(text, {}, turn);
  d.opened();
}

void answer_turn(session_driver& d, const std::string& confirmation, bool yes,
                 const std::string& turn) {
  d.renew();
  d.links.clear();
  d.forget();
  session_turn t;
  t.what.id = turn_id{turn};
  t.what.answer = turn_answer{confirmation, yes};
  d.begin(t);
}

void words(session_driver& d, const std::string& text, const std::string& id = "m1") {
  d.says_json(json{{"type", "TEXT_MESSAGE_CHUNK"}, {"messageId", id}, {"delta", text}});
}

void finish(session_driver& d, int in = 1, int out = 2) {
  d.says_json(
      json{{"type", "RUN_FINISHED"}, {"usage", {{{"inputTokens", in}, {"outputTokens", out}}}}});
}

void interrupt(session_driver& d, std::vector<std::string> ids) {
  auto list = json::array();
  for (const auto& id : ids)
    list.push_back({{"id", id}, {"reason", "confirmation"}, {"message", "May I " + id + "?"}});
  d.says_json(json{{"type", "RUN_FINISHED"},
                   {"usage", {{{"inputTokens", 10}, {"outputTokens", 5}}}},
                   {"outcome", {{"type", "interrupt"}, {"interrupts", list}}}});
}

} // namespace

TEST_CASE("a turn is a run of AG-UI over HTTP") {
  auto spec = agent();
  spec.auth = agent_auth{"X-Key", secret{"k"}};
  auto d = driver(spec);
  d.begin("send mail");
  CHECK(d.links[0].to.by == carrier::http);
  CHECK(d.links[0].to.url == "https://agent.test/agui");
  CHECK(*find_header(d.links[0].to.headers, "X-Key") == "k");
  d.opened();
  CHECK(d.writes[0].hands_over);
  CHECK(d.last() == json::parse(R"({"threadId":"C17","runId":"turn-1","state":{},"tools":[],
    "context":[],"forwardedProps":{},
    "messages":[{"id":"turn-1","role":"user","content":"send mail"}]})"));
  d.says_json(json{{"type", "RUN_STARTED"}, {"threadId", "C17"}, {"runId", "turn-1"}});
  words(d, "Sent.");
  finish(d, 3, 4);
  CHECK(d.answer() == "Sent.");
  CHECK(d.heard<agent_says::end>()[0].input_tokens == 3);
  CHECK(d.order[d.order.size() - 2] == "remember");
  finish(d);
  CHECK(d.strays == 1);
}

TEST_CASE("the next run has the thread, its tools and the state in it") {
  auto d = driver();
  ask(d, "q1", "turn-1");
  d.says_json(json{
      {"type", "TOOL_CALL_CHUNK"}, {"toolCallId", "t"}, {"toolCallName", "f"}, {"delta", "{}"}});
  d.says_json(json{
      {"type", "TOOL_CALL_RESULT"}, {"messageId", "r"}, {"toolCallId", "t"}, {"content", "7"}});
  d.says_json(json{{"type", "TOOL_CALL_CHUNK"}, {"toolCallId", "open"}, {"toolCallName", "g"}});
  words(d, "a1");
  d.says_json(json{{"type", "STATE_SNAPSHOT"}, {"snapshot", {{"n", 1}}}});
  finish(d);
  ask(d, "q2", "turn-2");
  CHECK(d.last()["state"] == json{{"n", 1}});
  CHECK(d.last()["messages"] == json::parse(R"([{"id":"turn-1","role":"user","content":"q1"},
    {"id":"calls-t","role":"assistant","toolCalls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"id":"r","role":"tool","content":"7","toolCallId":"t"},
    {"id":"m1","role":"assistant","content":"a1"},
    {"id":"turn-2","role":"user","content":"q2"}])"));
  d.says_json(json{{"type", "RUN_ERROR"}, {"message", "no"}});
  CHECK(d.heard<agent_says::error>().size() == 1);
  ask(d, "q3", "turn-3");
  CHECK(d.last()["messages"].size() == 5);
}

TEST_CASE("yes to an interrupt begins the run that goes on from it") {
  for (const bool yes : {true, false}) {
    auto d = driver();
    ask(d, "send mail");
    words(d, "I could send it.");
    interrupt(d, {"i1"});
    REQUIRE(d.heard<agent_says::confirm>().size() == 1);
    CHECK(d.heard<agent_says::confirm>()[0].id == "i1");
    CHECK(d.heard<agent_says::confirm>()[0].prompt == "May I i1?");
    CHECK_FALSE(d.heard<agent_says::confirm>()[0].expires_in);
    CHECK(d.running);
    CHECK(d.open_wires.empty());
    CHECK(json::parse(d.memory)["open"][0]["id"] == "i1");
    d.closed(how::closed, 200);
    CHECK(d.running);
    d.decide("another", true);
    CHECK(d.links.size() == 1);
    d.decide("i1", yes);
    d.decide("i1", !yes); // too late
    REQUIRE(d.links.size() == 2);
    d.opened();
    CHECK(d.last()["runId"] == "turn-1-2");
    CHECK(d.last()["resume"] ==
          json{{{"interruptId", "i1"}, {"status", "resolved"}, {"payload", {{"approved", yes}}}}});
    CHECK(d.last()["messages"] ==
          json::parse(R"([{"id":"turn-1","role":"user","content":"send mail"},
      {"id":"m1","role":"assistant","content":"I could send it."}])"));
    d.says_json(json{{"type", "RUN_STARTED"}});
    CHECK_FALSE(json::parse(d.memory).contains("open"));
    words(d, "Sent.", "m2");
    finish(d, 1, 2);
    CHECK(d.answer() == "I could send it.\n\nSent.");
    CHECK(d.heard<agent_says::end>()[0].input_tokens == 11);
    CHECK(d.heard<agent_says::end>()[0].output_tokens == 7);
    CHECK(json::parse(d.memory)["entries"].size() == 3);
  }
}

TEST_CASE("several interrupts are answered together, and a run may interrupt again") {
  auto d = driver();
  ask(d, "q");
  interrupt(d, {"a", "b"});
  CHECK(d.heard<agent_says::confirm>().size() == 2);
  d.decide("b", false);
  CHECK(d.links.size() == 1);
  CHECK(json::parse(d.memory)["open"][1]["yes"] == false);
  d.decide("a", true);
  d.opened();
  CHECK(d.last()["resume"].size() == 2);
  CHECK(d.last()["resume"][0]["payload"]["approved"] == true);
  CHECK(d.last()["resume"][1]["payload"]["approved"] == false);
  d.says_json(json{{"type", "RUN_STARTED"}});
  interrupt(d, {"c"});
  d.decide("c", true);
  d.opened();
  CHECK(d.last()["runId"] == "turn-1-3");
  CHECK(d.last()["resume"].size() == 1);
  finish(d);
  CHECK(d.heard<agent_says::end>().size() == 1);
}

TEST_CASE("the answer is passed on when the asking turn is over") {
  auto d = driver();
  ask(d, "q");
  d.says_json(json{{"type", "TOOL_CALL_CHUNK"}, {"toolCallId", "t"}, {"toolCallName", "f"}});
  interrupt(d, {"a", "b"});
  d.end_by_force(); // a restart
  answer_turn(d, "a", true, "turn-2");
  CHECK(d.answer().find("other question") != std::string::npos);
  CHECK(d.heard<agent_says::end>().size() == 1);
  CHECK(d.links.empty());
  answer_turn(d, "a", true, "turn-3"); // again: the same
  CHECK(d.heard<agent_says::end>().size() == 1);
  answer_turn(d, "b", false, "turn-4");
  d.opened();
  CHECK(d.last()["runId"] == "turn-4");
  CHECK(d.last()["resume"].size() == 2);
  CHECK(d.last()["messages"].size() == 2);
  CHECK(d.last()["messages"][1]["toolCalls"].size() == 1);
  d.says_json(json{
      {"type", "TOOL_CALL_RESULT"}, {"messageId", "r"}, {"toolCallId", "t"}, {"content", "7"}});
  words(d, "Done.");
  finish(d);
  CHECK(d.heard<agent_says::end>().size() == 1);
  answer_turn(d, "b", false, "turn-5");
  CHECK(d.heard<agent_says::error>().size() == 1);
  ask(d, "next", "turn-6");
  CHECK_FALSE(d.last().contains("resume"));
  CHECK(d.last()["messages"].size() == 5);
}

TEST_CASE("a new message cancels what nobody answered, and goes on from what was") {
  auto d = driver();
  ask(d, "q");
  d.says_json(json{{"type", "TOOL_CALL_CHUNK"}, {"toolCallId", "t"}, {"toolCallName", "f"}});
  interrupt(d, {"a", "b"});
  d.decide("a", true);
  d.end_by_force(); // a restart
  ask(d, "other", "turn-2");
  CHECK(d.last()["resume"] ==
        json::parse(R"([{"interruptId":"a","status":"resolved","payload":{"approved":true}},
    {"interruptId":"b","status":"cancelled"}])"));
  CHECK(d.last()["messages"] == json::parse(R"([{"id":"turn-1","role":"user","content":"q"},
    {"id":"turn-2","role":"user","content":"other"}])"));
  SECTION("which the agent hears once") {
    d.says_json(json{{"type", "RUN_STARTED"}});
    finish(d);
    ask(d, "third", "turn-3");
    CHECK_FALSE(d.last().contains("resume"));
  }
  SECTION("and not again if it refuses that") {
    d.closed(d.last_wire(), {how::rejected, 400, {}, R"({"message":"no such interrupt"})"});
    CHECK(d.heard<agent_says::error>()[0].details == "no such interrupt");
    ask(d, "third", "turn-3");
    CHECK_FALSE(d.last().contains("resume"));
  }
  SECTION("but again if it was only busy") {
    d.closed(d.last_wire(), {how::rejected, 503, {}, {}});
    CHECK(d.heard<agent_says::error>()[0].retryable);
    ask(d, "third", "turn-3");
    CHECK(d.last()["resume"].size() == 2);
  }
}

TEST_CASE("what was decided in a turn that is stopped is stopped with it") {
  auto d = driver();
  ask(d, "q");
  SECTION("while another question is open") {
    interrupt(d, {"a", "b"});
    d.decide("a", true);
  }
  SECTION("while the agent has not said that it has the answer") {
    interrupt(d, {"a"});
    d.decide("a", true);
    d.opened();
  }
  d.cancel();
  CHECK(d.gave_up->ending == turn_ending::cancelled);
  ask(d, "other", "turn-2");
  const auto last = d.last();
  REQUIRE(last.contains("resume"));
  for (const auto& entry : last.at("resume"))
    CHECK(entry["status"] == "cancelled");
}

TEST_CASE("an interrupt of an id that the turn has had is another question") {
  auto d = driver();
  ask(d, "q");
  interrupt(d, {"i1"});
  d.decide("i1", true);
  d.opened();
  interrupt(d, {"i1"});
  REQUIRE(d.heard<agent_says::confirm>().size() == 2);
  CHECK(d.heard<agent_says::confirm>()[1].id == "i1#1");
  d.decide("i1", true); // the first one's name
  CHECK(d.links.size() == 2);
  SECTION("answered in its turn") {
    d.decide("i1#1", false);
    d.opened();
  }
  SECTION("answered after a restart") {
    d.end_by_force();
    answer_turn(d, "i1#1", false, "turn-2");
    d.opened();
  }
  CHECK(d.last()["resume"][0]["interruptId"] == "i1");
  CHECK(d.last()["resume"][0]["payload"]["approved"] == false);
}

TEST_CASE("an answer whose agent is away is tried again, then kept") {
  auto d = driver();
  ask(d, "q");
  interrupt(d, {"a"});
  d.decide("a", true);
  for (int i = 0; i < 2; ++i) {
    d.closed(how::refused);
    REQUIRE(d.alarm_after);
    d.alarm();
  }
  CHECK(d.links.size() == 4);
  d.closed(how::refused);
  CHECK(d.heard<agent_says::error>().size() == 1);
  ask(d, "next", "turn-2");
  CHECK(d.last()["resume"][0]["status"] == "resolved");
}

TEST_CASE("a stream that ends without its end is an interruption") {
  for (const auto reason : {how::closed, how::broken}) {
    auto d = driver();
    ask(d, "q");
    words(d, "half");
    d.closed(reason, 200);
    CHECK(d.gave_up->ending == turn_ending::interrupted);
    CHECK(d.memory.empty());
  }
  auto large = driver();
  ask(large, "q");
  large.closed(how::protocol);
  CHECK(large.gave_up->ending == turn_ending::malformed);
  auto locked = driver();
  ask(locked, "q");
  locked.closed(how::rejected, 401);
  CHECK(locked.gave_up->ending == turn_ending::rejected);
  auto bad = driver();
  ask(bad, "q");
  bad.says("nonsense");
  CHECK(bad.heard<agent_says::malformed>().size() == 1);
  auto stopped = driver();
  ask(stopped, "q");
  stopped.cancel();
  CHECK(stopped.closes.size() == 1);
  CHECK(stopped.gave_up->ending == turn_ending::cancelled);
}

TEST_CASE("a run that the agent may have had is begun again only by an idempotent one") {
  session_turn turn;
  turn.again = true;
  turn.what.id = turn_id{"turn-1"};
  auto d = driver();
  d.begin(turn);
  CHECK(d.gave_up->ending == turn_ending::interrupted);
  auto spec = agent();
  spec.idempotent = true;
  auto other = driver(spec);
  other.begin(turn);
  CHECK(other.links.size() == 1);
}

TEST_CASE("files that models understand are parts of the message") {
  session_turn turn;
  turn.what.id = turn_id{"turn-1"};
  turn.what.text = "look";
  turn.files = {{"a.png", "a.png", "image/png", "PNG", false},
                {"b.pdf", "b.pdf", "application/pdf", "PDF", false},
                {"c.txt", "c.txt", "text/plain", "txt", false},
                {"d.png", "d.png", "image/png", "", true}};
  auto d = driver();
  d.begin(turn);
  d.opened();
  CHECK(d.last()["messages"][0]["content"] == json::parse(R"([{"type":"text","text":"look"},
    {"type":"image","source":{"type":"data","value":"UE5H","mimeType":"image/png"}},
    {"type":"document","source":{"type":"data","value":"UERG","mimeType":"application/pdf"}}])"));
  finish(d);
  words(d, "x");
  ask(d, "next", "turn-2");
  CHECK(d.last()["messages"][0]["content"] == "look");
}

TEST_CASE("an AG-UI memory stays within its limit, and one that is none is empty") {
  auto d = driver();
  for (int i = 0; i < 4; ++i) {
    ask(d, std::string(32'000, '\n'), "turn-" + std::to_string(i));
    words(d, std::string(300'000, '\x02'));
    d.says_json(json{{"type", "STATE_SNAPSHOT"}, {"snapshot", std::string(60'000, 's')}});
    std::vector<std::string> ids;
    for (std::size_t n = 0; n < ag_ui::interrupt_limit; ++n)
      ids.push_back(std::string(ag_ui::interrupt_id - 2, '\x03') + std::to_string(n + 10));
    interrupt(d, ids);
    CHECK(d.heard<agent_says::confirm>().size() == ag_ui::interrupt_limit);
    CHECK(d.memory.size() <= (std::size_t{256} << 10));
    d.cancel();
  }
  for (const auto* memory :
       {"x", "[]", R"({"v":2,"open":[{"id":"a"}]})", R"({"v":1,"open":7,"entries":7})",
        R"({"v":1,"open":[7,{"id":7},{"id":""}],"asked":7,"state":null})"}) {
    auto other = driver();
    other.memory = memory;
    ask(other, "q");
    CHECK(other.last()["messages"].size() == 1);
    CHECK_FALSE(other.last().contains("resume"));
  }
}
