// What every protocol must carry: answers, tools, usage, questions, stops.

#include "tests/support/protocol_bench.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

TEST_CASE("an answer comes whole and in order, and so does the chat's next one") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always({chunk("one "), wait(1s), chunk("two "), chunk("three"), wait(1s), end()}));
  b.ask("t1", "go");
  b.run_for(5s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->overs[0].handed);
  CHECK(b.heard->text() == "one two three");
  b.ask_anew("t2", "go on");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "one two three");
  const auto heard = b.peer.user_messages();
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].frame.at("text") == "go");
  CHECK(heard[1].frame.at("text") == "go on");
  if (how.ids)
    CHECK(heard[1].frame.at("message_id") == "t2");
  if (!how.kept)
    CHECK(b.net.open() == 0);
}

TEST_CASE("two chats of one agent do not mix") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use([](const heard& h) {
    const auto text = h.frame.at("text").get<std::string>();
    return std::vector<step>{chunk(text + "1 "), wait(300ms), chunk(text + "2"), end()};
  });
  b.ask("t1", "a", 1);
  b.ask("t2", "b", 2);
  b.run_for(5s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered, turn_ending::answered});
  std::map<std::string, std::string> said;
  for (const auto& batch : b.heard->batches)
    for (const auto& e : batch.events)
      if (const auto* words = std::get_if<agent_says::text_chunk>(&e))
        said[batch.turn.value] += words->text;
  CHECK(said["t1"] == "a1 a2");
  CHECK(said["t2"] == "b1 b2");
}

TEST_CASE("a tool's call and its result are told") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.tools);
  protocol_bench b{how};
  b.peer.use(always({tool_call("c1", "search", R"({"q":"x"})"), wait(200ms),
                     tool_result("c1", "search", "found"), chunk("done"), end()}));
  b.ask("t1", "go");
  b.run_for(3s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  const auto calls = b.heard->all<agent_says::tool_call>();
  REQUIRE_FALSE(calls.empty());
  CHECK(calls[0].id == "c1");
  CHECK(calls[0].name.find("search") != std::string::npos);
  const auto results = b.heard->all<agent_says::tool_result>();
  REQUIRE(results.size() == 1);
  CHECK(results[0].id == "c1");
  CHECK_FALSE(results[0].is_error);
  CHECK(b.heard->text() == "done");
}

TEST_CASE("what the answer cost is told") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.usage);
  protocol_bench b{how};
  b.peer.use(always({chunk("x"), end(11, 22)}));
  b.ask("t1", "go");
  b.run_for(3s);
  const auto ends = b.heard->all<agent_says::end>();
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].input_tokens == 11);
  CHECK(ends[0].output_tokens == 22);
}

TEST_CASE("what the agent says of its failure ends the turn and reaches the room") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always({chunk("part"), wait(100ms), scripted::error("broken", "out of paper")}));
  b.ask("t1", "go");
  b.run_for(3s);
  REQUIRE(b.endings() == std::vector{turn_ending::agent_error});
  CHECK(b.heard->text().starts_with(how.streams ? "part" : ""));
  REQUIRE(b.heard->all<agent_says::error>().size() == 1);
  CHECK(b.peer.user_messages().size() == 1);
}

TEST_CASE("a question is answered with yes or with no, once") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  const bool yes = GENERATE(true, false);
  protocol_bench b{how};
  b.peer.use(always({chunk("so: "), confirm("q1", yes ? "go on?" : "stop? no?"), await_confirm(),
                     tell_decision(), end()}));
  b.ask("t1", "go");
  b.run_for(2s);
  CHECK(b.heard->overs.empty());
  const auto asked = b.heard->all<agent_says::confirm>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].prompt.find(yes ? "go on?" : "stop? no?") != std::string::npos);
  b.run_for(30min); // the clocks stand still: a person may think
  CHECK(b.heard->overs.empty());
  b.answer("t1", asked[0].id, yes);
  b.answer("t1", asked[0].id, !yes); // too late
  b.run_for(3s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->overs[0].decided == std::vector{asked[0].id});
  CHECK(b.heard->text().find(std::string("q1=") + (yes ? "yes " : "no ")) != std::string::npos);
  CHECK(b.peer.confirms().size() == 1);
  CHECK(b.peer.user_messages().size() == 1);
}

TEST_CASE("minutes of work on the answer to a question of an earlier turn are waited for") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  protocol_bench b{how};
  const auto* p = find_protocol(b.spec.protocol);
  PB_ONLY_IF(!p->questions_die && !p->mute_if_lost);
  b.peer.use(always({confirm("q1", "go on?"), await_confirm(), wait(90s), tell_decision(), end()}));
  b.ask("t1", "go");
  b.run_for(2s);
  const auto asked = b.heard->all<agent_says::confirm>();
  REQUIRE(asked.size() == 1);
  caf::anon_send_exit(b.connection, caf::exit_reason::kill); // the router's crash
  b.connection = nullptr;
  b.run_for(2s);
  b.ask("t2", "", 1, turn_answer{asked[0].id, true});
  b.run_for(80s);
  CHECK(b.endings().empty());
  b.run_for(30s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text().find("q1=yes") != std::string::npos);
}

TEST_CASE("two questions get their own answers") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  protocol_bench b{how};
  b.peer.use(always({confirm("q1", "first?"), confirm("q2", "and no?"), await_confirm("q1"),
                     tell_decision(), await_confirm("q2"), tell_decision(), end()}));
  b.ask("t1", "go");
  b.run_for(2s);
  CHECK(b.heard->all<agent_says::confirm>().size() == (how.asks_many ? 2 : 1));
  b.decide_as_asked("t1", 10s);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text().find("q1=yes") != std::string::npos);
  CHECK(b.heard->text().find("q2=no") != std::string::npos);
  CHECK(b.peer.confirms().size() == 2);
}

TEST_CASE("a stop that the agent obeys ends the turn as stopped, and its chat goes on") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always({chunk("one "), await_cancel(), chunk("late "), end()}));
  b.ask("t1", "go");
  b.run_for(2s);
  b.tell(cancel_turn{turn_id{"t1"}});
  b.run_for(900ms);
  REQUIRE(b.endings() == std::vector{turn_ending::cancelled});
  CHECK(b.heard->text().starts_with(how.streams ? "one " : ""));
  if (how.hears_cancel)
    CHECK(b.peer.of_type("CANCEL").size() == 1);
  b.peer.use(echo());
  b.ask_anew("t2", "again");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "again");
}

TEST_CASE("a stop that the agent ignores is done by force within the protocol's grace") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.obey_cancel(false);
  b.peer.use(always({chunk("one "), wait(10min), chunk("two"), end()}));
  b.ask("t1", "go");
  b.run_for(2s);
  b.tell(cancel_turn{turn_id{"t1"}});
  const auto grace = find_protocol(how.protocol)->cancel_grace;
  if (how.hears_cancel) {
    b.run_for(grace - 100ms);
    CHECK(b.heard->overs.empty());
  }
  b.run_for(200ms);
  REQUIRE(b.endings() == std::vector{turn_ending::cancelled});
  b.peer.use(echo());
  b.ask_anew("t2", "again");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "again");
  b.run_for(15min); // what the agent still says about the first turn
  CHECK(b.heard->text() == "again");
}

TEST_CASE("a stop while a question is open ends both") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.asks);
  protocol_bench b{how};
  b.peer.use(always({confirm("q1", "go on?"), await_confirm(), tell_decision(), end()}));
  b.ask("t1", "go");
  b.run_for(2s);
  REQUIRE(b.heard->all<agent_says::confirm>().size() == 1);
  b.tell(cancel_turn{turn_id{"t1"}});
  b.run_for(4s);
  REQUIRE(b.endings() == std::vector{turn_ending::cancelled});
  CHECK(b.heard->overs[0].decided.empty());
  b.peer.use(echo());
  b.ask_anew("t2", "again");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "again");
}
