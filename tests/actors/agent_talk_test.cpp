// What an agent says beside its answer: usage, pieces that are joined, pushes; and the directory.

#include "tests/support/agent_bench.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

agent_spec keeping() {
  agent_spec s;
  s.connection = connection_mode::chat;
  return s;
}

/// A kept connection between turns.
struct kept_bench : agent_bench {
  explicit kept_bench(agent_spec s = keeping()) : agent_bench(std::move(s)) {
    peer.echo_message_id(true);
    ask("t1", "hello");
    run_for(1s);
    REQUIRE(endings() == std::vector{turn_ending::answered});
    REQUIRE(peer.open() == 1);
  }
  void push(const std::string& id, const std::string& kind = "task_done") {
    REQUIRE(peer.say(1, push_frame(id, kind, "words of " + id)));
    run_for(20ms);
  }
  std::vector<std::string> pushed() const {
    std::vector<std::string> out;
    for (const auto& p : heard->pushed)
      out.push_back(p.what.event_id);
    return out;
  }
};

} // namespace

TEST_CASE("what an answer cost is told before the turn is over") {
  agent_bench b;
  b.peer.use(always({chunk("x"), end(11, 22)}));
  b.ask("t1", "go");
  b.run_for(1s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  const auto ends = b.heard->all<agent_says::end>();
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].input_tokens == 11);
  CHECK(ends[0].output_tokens == 22);
  CHECK(std::holds_alternative<agent_says::end>(b.heard->batches.back().events.back()));
}

TEST_CASE("while the room is busy, pieces of one text and of one call's arguments become one") {
  agent_bench b;
  b.heard->acks = false;
  b.peer.use(always({chunk("first"), wait(1s), tool_call("c1", "search", "{\"q\":"),
                     tool_call("c1", "", "\"x"), tool_call("c1", "search", "\"}"),
                     tool_call("c2", "search", "{}"), tool_call("", "look", "1"),
                     tool_call("", "look", "2"), tool_call("", "", "3"),
                     tool_result("c1", "search", 5), chunk("a"), chunk("b"), wait(1h)}));
  b.ask("t1", "go");
  b.run_for(2s);
  REQUIRE(b.heard->batches.size() == 1);
  b.tell(agent_ack{turn_id{"t1"}, 1});
  b.run_for(1s);
  REQUIRE(b.heard->batches.size() == 2);
  std::vector<std::string> calls;
  for (const auto& c : b.heard->all<agent_says::tool_call>())
    calls.push_back(c.id + ":" + c.name + ":" + c.args);
  // Two calls without ids may be two calls.
  CHECK(calls ==
        std::vector<std::string>{"c1:search:{\"q\":\"x\"}", "c2:search:{}", ":look:1", ":look:23"});
  CHECK(b.heard->all<agent_says::tool_result>().size() == 1);
  CHECK(b.heard->text() == "firstab");
}

TEST_CASE("an agent that is faster than its room is not read any more, and nothing is lost") {
  agent_bench b;
  b.heard->acks = false;
  constexpr std::size_t events = 30'000;
  std::vector<step> steps(events, raw(R"({"type":"AGENT_EVENT_TOOL_RESULT","result":1})"));
  steps.push_back(end());
  b.net.plan(dial_plan{});
  b.peer.use(always(steps));
  b.ask("t1", "go");
  b.run_for(30min); // longer than event_idle: it is not the agent that is slow
  CHECK(b.endings().empty());
  REQUIRE(b.heard->batches.size() == 1);
  const auto held = agent_connection_state::unread_cap / steps[0].frame.size();
  b.heard->acks = true;
  b.tell(agent_ack{turn_id{"t1"}, 1});
  b.run_for(1s);
  REQUIRE(b.heard->batches.size() >= 2);
  CHECK(b.heard->batches[1].events.size() <= held + 1); // what had been read
  b.run_for(10min);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->all<agent_says::tool_result>().size() == events);
}

TEST_CASE("thousands that wait for an agent that is down are told one after the other") {
  agent_bench b;
  b.net.plan({dial_plan::how::refuse});
  constexpr int many = 9'000; // were each ended inside the one before, no stack would do
  for (int i = 0; i < many; ++i)
    b.ask("t" + std::to_string(i), "hello", i + 1);
  b.run_for(2min);
  CHECK(b.endings() == std::vector<turn_ending>(many, turn_ending::unreachable));
}

TEST_CASE("who waits for a place to dial is not silent") {
  agent_spec s;
  s.limits.first_event = 5s;
  agent_bench b{s};
  b.net.plan({dial_plan::how::refuse});
  b.ask("trouble", "hello");
  b.run_for(10s);
  CHECK(b.endings() == std::vector{turn_ending::unreachable});
  b.net.plan(dial_plan{});
  for (int i = 0; i < 400; ++i) // of other agents: twenty seconds of places
    (void)b.budget->reserve(b.sys.sched.clock().now());
  b.ask("patient", "hello");
  b.run_for(8s);
  CHECK(b.endings().size() == 1);
  b.run_for(30s);
  CHECK(b.endings() == std::vector{turn_ending::unreachable, turn_ending::answered});
}

TEST_CASE("a turn that the agent may have had before is never told as not passed on") {
  agent_bench b;
  b.net.plan({dial_plan::how::refuse});
  b.ask("new", "go");
  b.run_for(5s);
  b.attempts = 1;
  b.ask("again", "go");
  b.run_for(5s);
  CHECK(b.endings() == std::vector{turn_ending::unreachable, turn_ending::interrupted});
  CHECK_FALSE(b.heard->overs[0].handed);
  CHECK(b.heard->overs[1].handed);
}

TEST_CASE("an agent speaks outside turns on a connection that is kept, and during turns") {
  kept_bench b;
  b.push("e1");
  b.push("e2", "task_progress");
  b.peer.use(always({push("e3", "task_error", "sorry"), chunk("x"), end()}));
  b.ask("t2", "go");
  b.run_for(1s);
  CHECK(b.pushed() == std::vector<std::string>{"e1", "e2", "e3"});
  CHECK(b.heard->pushed[0].agent == agent_id{"a"});
  CHECK(b.heard->pushed[0].chat.value == 1);
  CHECK(b.heard->pushed[0].what.text == "words of e1");
  CHECK(b.endings() == std::vector{turn_ending::answered, turn_ending::answered});
  CHECK(b.heard->text() == "hellox");
  CHECK(b.number("patchbay_agent_pushes_total") == 3);
  CHECK(b.number("patchbay_agent_pushes_dropped_total") == 0);
}

TEST_CASE("a connection that speaks stays") {
  kept_bench b;
  for (int i = 0; i < 4; ++i) {
    b.run_for(4min); // connection_idle is five
    b.push("e" + std::to_string(i));
  }
  CHECK(b.peer.open() == 1);
  b.run_for(6min);
  CHECK(b.peer.open() == 0);
  CHECK(b.pushed().size() == 4);
}

TEST_CASE("with a connection for each turn, events outside turns are ignored and counted") {
  agent_bench b;
  b.peer.use(always({push("e1", "task_done", "x"), chunk("x"), end()}));
  b.ask("t1", "go");
  b.run_for(1s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->pushed.empty());
  CHECK(b.number("patchbay_agent_events_after_end_total") == 1);
}

TEST_CASE("unanswered pushes have a cap; what is beyond it is dropped, counted and logged once") {
  kept_bench b;
  b.heard->hold_pushes = true;
  const auto cap = agent_connection_state::push_cap;
  for (std::size_t i = 0; i < cap + 2; ++i)
    b.push("e" + std::to_string(i));
  CHECK(b.pushed().size() == cap);
  CHECK(b.number("patchbay_agent_pushes_dropped_total") == 2);
  CHECK(b.log->count("agent_push_dropped") == 1);
  b.heard->hold_pushes = false;
  agent_pushed release;
  release.what.event_id = "release";
  caf::anon_send(b.pushes, release);
  b.run_for(20ms);
  b.push("e32"); // the agent says again what was dropped
  CHECK(b.pushed().size() == cap + 1);
  CHECK(b.number("patchbay_agent_pushes_total") == static_cast<double>(cap + 1));
}

TEST_CASE("a push that is none, or that nobody takes, is dropped with a reason") {
  kept_bench b;
  b.push("with space");
  b.push("e1", "gossip");
  b.push(std::string(201, 'e'));
  CHECK(b.heard->pushed.empty());
  CHECK(b.number("patchbay_agent_pushes_dropped_total") == 3);
  b.heard->refuse_pushes = fault{fault_code::refused, "the room was left", {}};
  b.push("e2");
  CHECK(b.number("patchbay_agent_pushes_dropped_total") == 4);
  CHECK(b.log->count("agent_push_dropped") == 2);
  b.tell(attach_pushes{});
  b.push("e3");
  CHECK(b.pushed() == std::vector<std::string>{"e2"});
}

TEST_CASE("a drained connection takes nothing new, and sockets between turns go") {
  kept_bench b;
  b.peer.use(always({wait(30s), chunk("last"), end()}));
  b.ask("t2", "go", 2);
  b.run_for(1s);
  bool drained = false;
  caf::scoped_actor self{b.sys.sys, true};
  self->send(b.connection, drain{});
  b.run_for(1s);
  CHECK(b.peer.open() == 1);
  b.ask("t3", "too late");
  b.run_for(1s);
  REQUIRE(b.heard->overs.size() == 2);
  CHECK(b.heard->overs[1].ending == turn_ending::busy);
  CHECK_FALSE(b.heard->overs[1].handed);
  CHECK_FALSE(self->has_next_message());
  b.run_for(1min);
  CHECK(b.endings().back() == turn_ending::answered);
  CHECK(b.peer.open() == 0);
  self->receive([&](done) { drained = true; }, caf::after(0s) >> [] {});
  CHECK(drained);
}

TEST_CASE("at the cap of kept sockets the one that is idle for longest makes room") {
  agent_bench b{keeping()};
  b.peer.echo_message_id(true);
  const auto cap = static_cast<std::int64_t>(agent_connection_state::kept_cap);
  for (std::int64_t chat = 1; chat <= cap; ++chat) {
    b.ask("t" + std::to_string(chat), "x", chat);
    b.run_for(50ms);
  }
  CHECK(b.peer.open() == agent_connection_state::kept_cap);
  b.ask("again", "x", 1); // now the second one is the oldest
  b.run_for(50ms);
  b.ask("one more", "x", cap + 1);
  b.run_for(50ms);
  CHECK(b.peer.open() == agent_connection_state::kept_cap);
  REQUIRE(b.peer.ends().size() == 1);
  CHECK(b.peer.ends()[0].connection == 2);
}

namespace {

registry three_agents() {
  registry r;
  for (const auto* id : {"alpha", "beta", "gamma"}) {
    agent_spec s;
    s.id = agent_id{id};
    s.base_url = "http://127.0.0.1:7000";
    s.label = std::string("The ") + id;
    r.agents.emplace(s.id, s);
  }
  r.agents[agent_id{"beta"}].enabled = false;
  r.agents[agent_id{"beta"}].workspace = "/agents/b";
  r.agents[agent_id{"gamma"}].features = {agent_feature::files};
  r.agents[agent_id{"gamma"}].label.clear();
  r.default_agent = agent_id{"alpha"};
  r.users[user_id{"@two:x"}] = {agent_id{"gamma"}, agent_id{"beta"}};
  return r;
}

template <class Answer, class Question>
Answer ask(agent_bench& b, const agent_directory_actor& whom, Question q) {
  caf::scoped_actor self{b.sys.sys, true};
  auto handle = self->request(whom, 10s, std::move(q));
  b.run_for(10ms);
  Answer out;
  handle.receive([&](Answer& a) { out = std::move(a); },
                 [&](caf::error& e) { FAIL(caf::to_string(e.context())); });
  return out;
}

std::string names(const agent_options& o) {
  std::string out;
  for (const auto& a : o.agents)
    out += a.id.value + "=" + a.label + (a.enabled ? " " : "(off) ");
  return out;
}

} // namespace

TEST_CASE("the directory tells whom a person may choose, and what each agent understands") {
  agent_bench b;
  const auto all = b.sys.spawn(agent_directory, three_agents(), b.deps());
  const auto choose = [&](const char* who, bool everybody) {
    return names(ask<agent_options>(b, all, agents_of_user{user_id{who}, everybody}));
  };
  CHECK(choose("@two:x", false) == "gamma=gamma beta=The beta(off) ");
  CHECK(choose("@any:x", false) == "alpha=The alpha ");
  CHECK(choose("@two:x", true) == "gamma=gamma beta=The beta(off) alpha=The alpha ");

  const auto gamma = ask<found_agent>(b, all, find_agent{agent_id{"gamma"}});
  CHECK(gamma.connection);
  CHECK(gamma.features == std::set{agent_feature::files});
  const auto beta = ask<found_agent>(b, all, find_agent{agent_id{"beta"}});
  CHECK_FALSE(beta.connection);
  CHECK_FALSE(beta.enabled);
  CHECK(beta.label == "The beta");
  CHECK(beta.workspace == "/agents/b");
  const auto nobody = ask<found_agent>(b, all, find_agent{agent_id{"delta"}});
  CHECK_FALSE(nobody.connection);
  CHECK(nobody.label == "delta");
}

TEST_CASE("who takes pushes is known to every connection, also to one that is started again") {
  auto agents = three_agents();
  for (auto& [id, spec] : agents.agents)
    spec.connection = connection_mode::chat;
  agent_bench b;
  b.peer.echo_message_id(true);
  const auto all = b.sys.spawn(agent_directory, agents, b.deps());
  caf::anon_send(all, attach_pushes{b.pushes});
  const auto talk = [&](const char* id, std::size_t connection) {
    b.connection = ask<found_agent>(b, all, find_agent{agent_id{id}}).connection;
    REQUIRE(b.connection);
    b.heard->connection = caf::actor_cast<caf::actor>(b.connection);
    b.ask(id + std::to_string(connection), "x");
    b.run_for(1s);
    REQUIRE(b.peer.say(connection, push_frame("e" + std::to_string(connection), "task_done", "x")));
    b.run_for(1s);
  };
  talk("alpha", 1);
  talk("gamma", 2);
  caf::anon_send_exit(b.connection, caf::exit_reason::kill);
  b.run_for(1s);
  talk("gamma", 3);
  std::vector<std::string> who;
  for (const auto& p : b.heard->pushed)
    who.push_back(p.agent.value + ":" + p.what.event_id);
  CHECK(who == std::vector<std::string>{"alpha:e1", "gamma:e2", "gamma:e3"});
}

TEST_CASE("what a program said before it ended without the message is in the log for everybody") {
  agent_spec spec;
  spec.protocol = "acp";
  spec.process.command = {"coder", "--acp"};
  agent_bench b(spec);
  b.net.plan([](const link_request& to) {
    for (int i = 1; i <= 7; ++i)
      to.child.on_stderr("line " + std::to_string(i));
    return dial_plan{.outcome = dial_plan::how::shut};
  });
  b.open();
  b.ask("t1", "secret words");
  b.run_for(2min);
  REQUIRE(b.endings() == std::vector{turn_ending::unreachable});
  const auto lines = b.log->lines();
  const auto said = std::find_if(lines.begin(), lines.end(), [](const auto& l) {
    return l.event == "agent_did_not_start" && l.level == log_level::warning;
  });
  REQUIRE(said != lines.end());
  CHECK(said->fields.back().second == "line 3 | line 4 | line 5 | line 6 | line 7");
}
