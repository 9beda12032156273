// Ends of links and silence, in every protocol.

#include "tests/support/protocol_bench.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

/// The chat's next turn is as good as ever.
void goes_on(protocol_bench& b) {
  b.peer.use(echo());
  b.ask_anew("next", "again", 2min);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "again");
}

} // namespace

TEST_CASE("nobody listens: the turn ends as unreachable, nothing was handed over") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.net.plan({dial_plan::how::refuse});
  b.ask("t1", "go");
  b.run_for(30s);
  REQUIRE(b.endings() == std::vector{turn_ending::unreachable});
  CHECK_FALSE(b.heard->overs[0].handed);
  CHECK(b.disk->marks.empty());
  CHECK(b.net.dialled().size() == 3);
  b.net.plan({dial_plan::how::open});
  goes_on(b);
}

TEST_CASE("a connection that never opens ends the turn as unreachable") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.net.plan({dial_plan::how::never_open});
  b.ask("t1", "go");
  b.run_for(9s);
  CHECK(b.heard->overs.empty());
  b.run_for(2s);
  REQUIRE(b.endings() == std::vector{turn_ending::unreachable});
  CHECK_FALSE(b.heard->overs[0].handed);
  b.net.plan({dial_plan::how::open});
  goes_on(b);
}

TEST_CASE("an agent that refuses our key is told as such, and not tried again in this turn") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.rejects);
  protocol_bench b{how};
  b.net.plan({dial_plan::how::reject, 401});
  b.ask("t1", "go");
  b.run_for(30s);
  REQUIRE(b.endings() == std::vector{turn_ending::rejected});
  CHECK(b.heard->overs[0].detail.starts_with("401"));
  CHECK(b.net.dialled().size() == 1);
  CHECK(b.heard->batches.empty());
  b.net.plan({dial_plan::how::open});
  goes_on(b);
}

TEST_CASE("silence after the message: told once that it takes longer, then the turn is idle") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always({wait(3h), end()}));
  b.ask("t1", "go");
  b.run_for(59s);
  CHECK(b.heard->slow == 0);
  b.run_for(4s);
  CHECK(b.heard->slow == 1);
  b.run_for(9min + 10s);
  // A server that names its task has said a first word.
  REQUIRE(b.endings() == std::vector{turn_ending::idle});
  CHECK(b.heard->slow == 1);
  CHECK(b.heard->overs[0].handed);
  CHECK(b.peer.user_messages().size() == 1);
  goes_on(b);
}

TEST_CASE("links that open onto nothing at all end the turn, and count for the breaker") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how, [](agent_spec& s) {
                     s.limits.first_event = 10s;
                     s.limits.event_idle = 1min;
                   }};
  b.mute = true;
  for (int i = 1; i <= 5; ++i) {
    b.ask_anew("t" + std::to_string(i), "go", 9s);
    while (b.endings().empty())
      b.run_for(100ms);
    REQUIRE(b.endings() ==
            std::vector{how.handshake ? turn_ending::unreachable : turn_ending::idle});
    CHECK(b.heard->batches.empty());
  }
  CHECK(b.heard->slow == (how.handshake ? 0 : 5));
  CHECK(b.peer.all().empty());
  const auto dialled = b.net.dialled().size();
  b.ask_anew("t6", "go", 100ms);
  CHECK(b.endings().empty());
  CHECK(b.net.dialled().size() == dialled); // not before the pause is over
  b.mute = false;
  b.run_for(3s); // the first pause
  CHECK(b.endings() == std::vector{turn_ending::answered});
  goes_on(b);
}

TEST_CASE("the link ends after the first words: they are kept, and the agent is not asked again") {
  PB_EVERY_PROTOCOL(how);
  const bool in_order = GENERATE(true, false);
  CAPTURE(in_order);
  protocol_bench b{how};
  b.peer.use(always({chunk("part"), wait(300ms), in_order ? hang_up() : break_off()}));
  b.ask("t1", "go");
  b.run_for(30s);
  REQUIRE(b.endings() == std::vector{turn_ending::interrupted});
  CHECK(b.heard->overs[0].handed);
  CHECK(b.heard->text() == (how.streams ? "part" : ""));
  CHECK(b.peer.user_messages().size() == 1);
  goes_on(b);
}

TEST_CASE("the link ends after a tool call: no result is made up") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.tools);
  protocol_bench b{how};
  b.peer.use(always({tool_call("c1", "search", "{}"), wait(300ms), break_off()}));
  b.ask("t1", "go");
  b.run_for(30s);
  REQUIRE(b.endings() == std::vector{turn_ending::interrupted});
  CHECK_FALSE(b.heard->all<agent_says::tool_call>().empty());
  CHECK(b.heard->all<agent_says::tool_result>().empty());
  CHECK(b.peer.user_messages().size() == 1);
  goes_on(b);
}

TEST_CASE("a link that is gone before the first word on it is dialled again") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.name.starts_with("acp")); // of the others the first word hands the turn over
  protocol_bench b{how};
  b.net.plan([dials = 0](const link_request&) mutable {
    return dial_plan{dials++ == 0 ? dial_plan::how::shut : dial_plan::how::open};
  });
  b.ask("t1", "go");
  b.run_for(5s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "go");
  CHECK(b.net.dialled().size() == 2);
}

TEST_CASE("links that are cut while the agent goes on: the answer comes, and no word twice") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.resumes);
  protocol_bench b{how};
  std::vector<step> words;
  for (int i = 0; i < 20; ++i) {
    words.push_back(chunk(std::to_string(i) + " "));
    words.push_back(wait(1s));
  }
  words.push_back(end());
  b.peer.use(always(words));
  b.ask("t1", "go");
  for (int i = 0; i < 5; ++i) {
    b.run_for(3500ms);
    b.net.break_all();
  }
  b.run_for(1min);
  REQUIRE(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
  CHECK(b.peer.user_messages().size() == 1);
}

TEST_CASE("the last word twice, and words after it, belong to no turn") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always({chunk("x"), end(), end(), chunk("y")}));
  b.ask("t1", "go");
  b.run_for(3s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "x");
  if (how.kept)
    CHECK(b.number("patchbay_agent_events_after_end_total") == 2);
  b.ask_anew("t2", "go");
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "x");
}

TEST_CASE("a type that nobody knows is ignored and counted") {
  PB_EVERY_PROTOCOL(how);
  protocol_bench b{how};
  b.peer.use(always(
      {chunk("x"), wait(100ms), raw(std::string(how.nonsense)), wait(100ms), chunk("y"), end()}));
  b.ask("t1", "go");
  b.run_for(3s);
  CHECK(b.endings() == std::vector{turn_ending::answered});
  CHECK(b.heard->text() == "xy");
  if (how.streams)
    CHECK(b.number("patchbay_agent_unknown_events_total") == 1);
}
