// What a person sees when things go wrong: the whole router with an agent of every protocol.

#include "tests/actors/chat_sim.hpp"
#include "tests/support/protocol_bench.hpp"

using namespace pb;
using namespace pb::test;

namespace {

sim_options options_for(const tongue& how) {
  sim_options o;
  o.agent = spec_of(how);
  return o;
}

/// The whole router, and one agent that speaks so.
struct protocol_world : sim_world {
  explicit protocol_world(const tongue& speaks)
      : sim_world(options_for(speaks)), how(speaks), far(speaks.make(clock, agent)) {
    dial.answered_by([this](far_end end) { return far->accept(std::move(end)); });
    start();
    chat = onboard("alice");
  }
  std::string ask(const std::string& text) { return say("alice", chat, text); }
  /// How often the room was told this of an event, as a whole message or as its last lines.
  std::size_t told(const std::string& event, const std::string& what) const {
    std::size_t count = 0;
    for (const auto& text : replies_to(chat, event))
      for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++count;
    return count;
  }

  const tongue& how;
  std::unique_ptr<dialect> far;
  std::string chat;
};

std::vector<step> slow_answer() {
  std::vector<step> out;
  for (int i = 0; i < 10; ++i) {
    out.push_back(chunk(std::to_string(i) + " "));
    out.push_back(wait(1s));
  }
  out.push_back(end());
  return out;
}
const std::string whole_answer = "0 1 2 3 4 5 6 7 8 9";

} // namespace

TEST_CASE("world: a slow answer is shown once, whole") {
  PB_EVERY_PROTOCOL(how);
  protocol_world w{how};
  w.agent.use(always(slow_answer()));
  const auto asked = w.ask("go");
  w.run_for(30s);
  CHECK(w.replies_to(w.chat, asked) == std::vector{whole_answer});
}

TEST_CASE("world: the link ends after the first words: they stay, and what to do is said once") {
  PB_EVERY_PROTOCOL(how);
  protocol_world w{how};
  w.agent.use(always({chunk("part of it"), wait(3s), break_off()}));
  const auto asked = w.ask("go");
  w.run_for(1min);
  const auto replies = w.replies_to(w.chat, asked);
  REQUIRE(replies.size() == 1);
  CHECK(w.told(asked, en(phrase::interrupted, {"A"})) == 1);
  CHECK(has(replies[0], "part of it") == how.streams);
  CHECK(w.agent.user_messages().size() == 1);
  w.agent.use(echo());
  w.ask("!retry");
  w.run_for(5s);
  CHECK(w.replies_to(w.chat, asked).back() == "go");
}

TEST_CASE("world: a stop is told as a stop") {
  PB_EVERY_PROTOCOL(how);
  const bool obeys = GENERATE(true, false);
  CAPTURE(obeys);
  protocol_world w{how};
  w.agent.obey_cancel(obeys);
  w.agent.use(always({chunk("one "), wait(10min), end()}));
  w.ask("go");
  w.run_for(3s);
  const auto stop = w.ask("!stop");
  w.run_for(8s);
  CHECK(w.told(stop, en(phrase::stopped)) == 1);
  w.agent.use(echo());
  const auto next = w.ask("again");
  w.run_for(5s);
  CHECK(w.replies_to(w.chat, next) == std::vector<std::string>{"again"});
}

TEST_CASE("world: a silent agent is told of once as slow, once as failed") {
  PB_EVERY_PROTOCOL(how);
  protocol_world w{how};
  w.agent.use(always({wait(3h), end()}));
  const auto asked = w.ask("go");
  w.run_for(30min);
  CHECK(w.told(asked, en(phrase::agent_slow, {"A"})) == 1);
  CHECK(w.replies_to(w.chat, asked).size() == 2);
  CHECK(w.agent.user_messages().size() == 1);
}

TEST_CASE("world: a question that nobody answers gets a no when its time is over") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  protocol_world w{how};
  w.agent.use(always({confirm("q1", "Really?"), await_confirm(), tell_decision(), end()}));
  const auto asked = w.ask("go");
  w.run_for(5s);
  REQUIRE(prompt_in(w, w.chat).is_object());
  w.run_for(29min);
  CHECK(w.agent.confirms().empty());
  w.run_for(2min);
  REQUIRE(w.agent.confirms().size() == 1);
  CHECK(w.agent.confirms()[0].frame.at("decision") == "no");
  CHECK(w.told(asked, "q1=no") == 1);
  CHECK(answer_to(w, w.chat, "!yes 1") == en(phrase::confirm_was_late, {"1"}));
  CHECK(w.agent.confirms().size() == 1);
}

TEST_CASE("world: all links break while a question is open") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  protocol_world w{how};
  w.agent.use(
      by_opening(always({confirm("q1", "Really?"), await_confirm(), tell_decision(), end()}),
                 always({tell_decision(), end()})));
  w.ask("go");
  w.run_for(5s);
  REQUIRE(prompt_in(w, w.chat).is_object());
  w.dial.break_all();
  w.run_for(5s);
  const auto said = answer_to(w, w.chat, "!yes");
  w.run_for(10s);
  std::size_t decided = 0;
  for (const auto& text : w.answer_texts(w.chat))
    decided += has(text, "q1=yes") ? 1 : 0;
  if (how.questions_die) {
    CHECK(has(said, "does not know question 1 any more"));
    CHECK(w.agent.confirms().empty());
    CHECK(decided == 0);
  } else {
    CHECK(w.agent.confirms().size() == 1);
    CHECK(decided == 1);
  }
  // Whatever became of it, a second answer changes nothing.
  answer_to(w, w.chat, "!no 1");
  CHECK(w.agent.confirms().size() == (how.questions_die ? 0 : 1));
  w.agent.use(echo());
  const auto next = w.ask("again");
  w.run_for(5s);
  CHECK(w.replies_to(w.chat, next) == std::vector<std::string>{"again"});
}

TEST_CASE("world: the router is killed while a question is open") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  protocol_world w{how};
  w.agent.use(
      by_opening(always({confirm("q1", "Really?"), await_confirm(), tell_decision(), end()}),
                 always({tell_decision(), end()})));
  w.ask("go");
  w.run_for(5s);
  REQUIRE(prompt_in(w, w.chat).is_object());
  w.crash();
  w.run_for(5s);
  w.start();
  w.run_for(10s);
  const auto said = answer_to(w, w.chat, "!yes");
  w.run_for(10s);
  std::size_t decided = 0;
  for (const auto& text : w.answer_texts(w.chat))
    decided += has(text, "q1=yes") ? 1 : 0;
  CHECK(decided == (how.questions_die ? 0 : 1));
  CHECK(w.agent.confirms().size() == (how.questions_die ? 0 : 1));
  if (how.questions_die)
    CHECK(has(said, "does not know question 1 any more"));
}

TEST_CASE("world: the router is killed in the middle of an answer") {
  PB_EVERY_PROTOCOL(how);
  protocol_world w{how};
  w.agent.use(always(slow_answer()));
  const auto asked = w.ask("go");
  w.run_for(4500ms);
  REQUIRE(w.agent.user_messages().size() == 1);
  w.crash();
  w.run_for(2s);
  w.start();
  w.run_for(2min);
  // The task is the server's: its answer is taken up again. Elsewhere it is lost, and told.
  // A task whose name was not known yet is looked for, and not found.
  const auto lost =
      how.protocol == "a2a" ? en(phrase::interrupted, {"A"}) : en(phrase::router_interrupted);
  CHECK(w.replies_to(w.chat, asked) == std::vector{how.resumes ? whole_answer : lost});
  CHECK(w.agent.user_messages().size() == 1);
  w.agent.use(echo());
  const auto next = w.ask("again");
  w.run_for(5s);
  CHECK(w.replies_to(w.chat, next) == std::vector<std::string>{"again"});
}

TEST_CASE("world: the router is killed, and the agent has forgotten the turn too") {
  PB_EVERY_PROTOCOL(how);
  protocol_world w{how};
  w.agent.use(always(slow_answer()));
  const auto asked = w.ask("go");
  w.run_for(4500ms);
  w.crash();
  w.far->forget();
  w.agent.use(echo());
  w.start();
  w.run_for(2min);
  const auto replies = w.replies_to(w.chat, asked);
  REQUIRE(replies.size() == 1);
  CHECK(has(replies[0], "!retry"));
  CHECK(w.agent.user_messages().size() == 1);
}

TEST_CASE("world: a drain lets an answer end, and cuts one that takes longer, which is told") {
  PB_EVERY_PROTOCOL(how);
  const bool in_time = GENERATE(true, false);
  CAPTURE(in_time);
  protocol_world w{how};
  w.process.drain = 20s; // contract: shutdown.drain
  w.agent.use(in_time ? always(slow_answer())
                      : always({chunk("one "), wait(40s), chunk("two"), end()}));
  const auto asked = w.ask("go");
  w.run_for(3s);
  CHECK(w.stop() == 0);
  if (in_time)
    CHECK(w.replies_to(w.chat, asked) == std::vector{whole_answer});
  w.crash();
  w.start();
  w.run_for(2min);
  const auto replies = w.replies_to(w.chat, asked);
  REQUIRE(replies.size() == 1);
  if (in_time)
    CHECK(replies[0] == whole_answer);
  else if (how.resumes)
    CHECK(has(replies[0], "one two"));
  else
    CHECK(has(replies[0], "!retry"));
  CHECK(w.agent.user_messages().size() == 1);
}
