// Questions of an agent, seen from its connection actor: what waits, what goes on, what ends.

#include "tests/support/agent_bench.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

agent_spec hurried() {
  agent_spec s;
  s.limits.first_event = 5s;
  s.limits.event_idle = 20s;
  s.limits.turn = 60s;
  return s;
}

std::vector<std::string> decisions(const agent_bench& b) {
  std::vector<std::string> out;
  for (const auto& c : b.peer.confirms())
    out.push_back(c.frame["confirmation_id"].get<std::string>() + "=" +
                  c.frame["decision"].get<std::string>());
  return out;
}

} // namespace

TEST_CASE("while a confirmation is open the clocks stand still, then they go on from there") {
  agent_bench b{hurried()};
  std::chrono::milliseconds after{0};
  auto expected = turn_ending::answered;
  SECTION("silence behind the answer counts from the answer") { after = 19s; }
  SECTION("and ends the turn when it is too long") {
    after = 21s;
    expected = turn_ending::idle;
  }
  b.peer.use(always({chunk("a"), wait(3s), confirm("q1", "May I?"), await_confirm("q1"),
                     tell_decision(), wait(after), end()}));
  b.ask("t1", "go");
  b.run_for(2h);
  CHECK(b.endings().empty());
  REQUIRE(b.heard->all<agent_says::confirm>().size() == 1);
  CHECK(b.heard->all<agent_says::confirm>()[0].prompt == "May I?");
  b.answer("t1", "q1", true);
  b.run_for(30s);
  CHECK(b.endings() == std::vector{expected});
  CHECK(b.heard->text() == "aq1=yes ");
}

TEST_CASE("the time of a whole turn leaves out what a person took") {
  agent_bench b{hurried()};
  std::chrono::milliseconds after{0};
  auto expected = turn_ending::answered;
  SECTION("in time") { after = 8s; }
  SECTION("too long") {
    after = 12s;
    expected = turn_ending::too_long;
  }
  b.peer.use(always({wait(4s), chunk("a"), wait(15s), chunk("b"), wait(15s), chunk("c"), wait(15s),
                     confirm("q", "?"), await_confirm(), wait(after), end()}));
  b.ask("t1", "go");
  b.run_for(1h);
  CHECK(b.endings().empty());
  b.answer("t1", "q", false);
  b.run_for(after + 1s);
  CHECK(b.endings() == std::vector{expected});
}

TEST_CASE("of two open confirmations the second one still holds the clocks") {
  agent_bench b{hurried()};
  b.peer.use(always({confirm("q1", "one?"), confirm("q2", "two?"), await_confirm("q2"),
                     await_confirm("q1"), tell_decision(), end()}));
  b.ask("t1", "go");
  b.run_for(1min);
  b.answer("t1", "q1", false);
  b.run_for(1h);
  CHECK(b.endings().empty());
  b.answer("t1", "q2", true);
  b.run_for(1s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(decisions(b) == std::vector<std::string>{"q1=no", "q2=yes"});
  CHECK(b.heard->text() == "q1=no ");
}

TEST_CASE("a repeated id is counted and told nobody; unknown, late and second answers go nowhere") {
  agent_bench b{hurried()};
  b.peer.use(always({confirm("q1", "first words"), confirm("q1", "other words"),
                     await_confirm("q1"), confirm("q1", "again"), wait(1s), end()}));
  b.ask("t1", "go");
  b.run_for(1s);
  b.answer("t1", "other", true);
  b.answer("t2", "q1", true);
  CHECK(decisions(b).empty());
  b.answer("t1", "q1", true);
  b.answer("t1", "q1", false);
  b.run_for(2s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  b.answer("t1", "q1", false);
  CHECK(decisions(b) == std::vector<std::string>{"q1=yes"});
  CHECK(b.heard->all<agent_says::confirm>().size() == 1);
  CHECK(b.number("patchbay_agent_confirmations_ignored_total") == 2);
}

TEST_CASE("beyond the cap of open confirmations the answer is no, at once") {
  agent_bench b;
  std::vector<step> steps;
  const auto cap = agent_connection_state::open_question_cap;
  for (std::size_t i = 0; i <= cap; ++i)
    steps.push_back(confirm("q" + std::to_string(i), "?"));
  steps.push_back(await_confirm("q" + std::to_string(cap)));
  steps.push_back(tell_decision());
  steps.push_back(wait(1h));
  b.peer.use(always(steps));
  b.ask("t1", "go");
  b.run_for(1min);
  CHECK(b.heard->all<agent_says::confirm>().size() == cap);
  CHECK(b.heard->text() == "q32=no ");
  CHECK(decisions(b).size() == 1);
  CHECK(b.number("patchbay_agent_confirmations_ignored_total") == 1);
  b.answer("t1", "q31", true);
  CHECK(decisions(b).size() == 2);
}

TEST_CASE("an agent may ask often in one turn, one after the other, but not for ever") {
  agent_bench b;
  std::vector<step> steps;
  const auto cap = agent_connection_state::question_cap;
  for (std::size_t i = 0; i <= cap; ++i) {
    steps.push_back(confirm("q" + std::to_string(i), "?"));
    steps.push_back(await_confirm());
  }
  steps.push_back(tell_decision());
  steps.push_back(end());
  b.peer.use(always(steps));
  b.ask("t1", "go");
  for (std::size_t i = 0; i < cap; ++i) {
    b.run_for(50ms);
    b.answer("t1", "q" + std::to_string(i), true);
  }
  b.run_for(1s);
  CHECK(b.heard->all<agent_says::confirm>().size() == cap);
  CHECK(b.heard->text() == "q1000=no ");
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->overs[0].decided.size() == cap);
}

TEST_CASE("the end of a turn tells which decisions the agent was handed") {
  agent_bench b{hurried()};
  b.peer.use(always({confirm("q1", "?"), confirm("q2", "?"), confirm("q3", "?"),
                     await_confirm("q1"), break_off()}));
  b.ask("t1", "go");
  b.run_for(1s);
  b.tell(answer_confirm{turn_id{"t1"}, "q1", true});
  b.run_for(100ms);
  b.answer("t1", "q2", true); // crosses the end
  REQUIRE(b.endings() == std::vector{turn_ending::interrupted});
  CHECK(b.heard->overs[0].decided == std::vector<std::string>{"q1"});
  SECTION("also when the socket is known to be gone") {
    b.peer.use(always({confirm("q1", "?"), await_confirm(), end()}));
    b.ask("t2", "go");
    b.run_for(1s);
    b.net.break_all(); // nobody has told the actor yet
    b.tell(answer_confirm{turn_id{"t2"}, "q1", true});
    b.run_for(1s);
    REQUIRE(b.endings().size() == 2);
    CHECK(b.heard->overs[1].ending == turn_ending::interrupted);
    CHECK(b.heard->overs[1].decided.empty());
  }
}

TEST_CASE("an id that nobody could keep is a broken protocol") {
  agent_bench b;
  b.peer.use(always({confirm(std::string(257, 'q'), "?"), wait(1h)}));
  b.ask("t1", "go");
  b.run_for(1s);
  CHECK(b.endings() == std::vector{turn_ending::malformed});
}

TEST_CASE("an agent that does not announce confirmations may ask all the same") {
  auto spec = hurried();
  spec.features = {};
  agent_bench b{spec};
  b.peer.use(always({confirm("q1", "?"), await_confirm(), tell_decision(), end()}));
  b.ask("t1", "go");
  b.run_for(1min);
  b.answer("t1", "q1", true);
  b.run_for(1s);
  CHECK(b.heard->text() == "q1=yes ");
}

TEST_CASE("a stop ends a turn within a second, also while a confirmation is open") {
  auto spec = hurried();
  bool at_once = false;
  bool obeys = true;
  SECTION("an agent that obeys") {}
  SECTION("a deaf one is closed after a second") { obeys = false; }
  SECTION("one that cannot be cancelled is closed at once") {
    spec.features = {agent_feature::confirm};
    at_once = true;
  }
  agent_bench b{spec};
  b.peer.obey_cancel(obeys);
  b.peer.use(always({chunk("x"), confirm("q1", "?"), await_confirm(), end()}));
  b.ask("t1", "go");
  b.run_for(10min);
  b.tell(cancel_turn{turn_id{"t1"}});
  b.run_for(at_once ? 1ms : 1000ms);
  REQUIRE(b.heard->overs.size() == 1);
  // Also when an obedient agent ends in good order.
  CHECK(b.heard->overs[0].ending == turn_ending::cancelled);
  CHECK(b.peer.of_type("CANCEL").size() == (at_once ? 0 : 1));
  b.answer("t1", "q1", true);
  b.run_for(1s);
  CHECK(decisions(b).empty());
  CHECK(b.peer.open() == 0);
}

TEST_CASE("an agent that goes away with an open confirmation interrupts its turn") {
  agent_bench b{hurried()};
  b.peer.use(always({confirm("q1", "?"), wait(30s), break_off()}));
  b.ask("t1", "go");
  b.run_for(1min);
  CHECK(b.endings() == std::vector{turn_ending::interrupted});
  b.answer("t1", "q1", true);
  CHECK(decisions(b).empty());
}

TEST_CASE("the answer to a confirmation of an earlier turn is a turn that begins with it") {
  agent_bench b{hurried()};
  SECTION("the agent goes on where it stopped") {
    b.peer.use(by_opening(echo(), always({tell_decision(), end()})));
    b.ask("t2", "", 7, turn_answer{"q1", true});
    b.run_for(1s);
    CHECK(b.endings() == std::vector{turn_ending::answered});
    CHECK(b.heard->text() == "q1=yes ");
  }
  SECTION("an agent that says nothing does not know it any more") {
    b.peer.use(always({wait(1h)}));
    b.ask("t2", "", 7, turn_answer{"q1", false});
    b.run_for(4900ms);
    CHECK(b.endings().empty());
    b.run_for(1500ms);
    CHECK(b.endings() == std::vector{turn_ending::idle});
    CHECK(b.heard->overs[0].detail == "first_event passed");
    CHECK(b.heard->slow == 0);
  }
  SECTION("one that answers with ERROR does not either") {
    b.peer.use(always({error("unknown_confirmation")}));
    b.ask("t2", "", 7, turn_answer{"q1", true});
    b.run_for(1s);
    CHECK(b.endings() == std::vector{turn_ending::agent_error});
  }
  REQUIRE(b.peer.all().size() == 1);
  CHECK(b.peer.all()[0].type == "CONFIRM");
  CHECK(b.peer.all()[0].url == "ws://127.0.0.1:7000/v1/agent_ws/7/");
  REQUIRE(b.disk->marks.size() == 1);
  CHECK(b.disk->marks[0].id == turn_id{"t2"});
}

TEST_CASE("a kept socket carries the answer, whichever message_id the agent names in it") {
  auto spec = hurried();
  spec.connection = connection_mode::chat;
  agent_bench b{spec};
  b.peer.echo_message_id(true);
  b.ask("t1", "hello");
  b.run_for(1s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  const auto late_end = send({{"type", "AGENT_EVENT_END"}, {"message_id", "t1"}});
  const auto words =
      send({{"type", "AGENT_EVENT_TEXT_CHUNK"}, {"text", "done"}, {"message_id", "t0"}});
  b.peer.use(always({late_end, wait(1s), words, wait(1s), late_end}));
  b.ask("t2", "", 1, turn_answer{"q1", true});
  b.run_for(1s);
  CHECK(b.endings().size() == 1); // the late END of the turn before it is nobody's
  b.run_for(2s);
  CHECK(b.endings() == std::vector{turn_ending::answered, turn_ending::answered});
  CHECK(b.heard->text() == "hellodone");
  CHECK(b.peer.connections() == 1);
  CHECK(decisions(b) == std::vector<std::string>{"q1=yes"});
}
