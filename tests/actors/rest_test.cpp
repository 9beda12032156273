// Room actors that are put away: which ones, and that nobody notices.

#include "actors/room/rest_logic.hpp"
#include "tests/support/check_replies.hpp"
#include "tests/support/sim_world.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

using asked = std::vector<std::pair<char, std::chrono::milliseconds>>;

/// `since`: seconds on the clock, of rooms a, b, c…; `now` is 1,000 s.
asked at_1000(std::vector<int> since, std::size_t awake, const rest_rules& rules) {
  static const std::string names = "abcdefghij";
  std::vector<quiet_room<const char, std::chrono::seconds>> quiet;
  for (std::size_t i = 0; i < since.size(); ++i)
    quiet.push_back({std::chrono::seconds(since[i]), &names[i]});
  asked out;
  for (const auto& q : who_may_rest(quiet, awake, 1'000s, rules))
    out.emplace_back(*q.room, q.quiet_for);
  std::sort(out.begin(), out.end());
  return out;
}

const rest_rules rules{600s, 3, 10s, 5s};

sim_options hasty() {
  sim_options o;
  o.rest = {2s, 1, 100ms, 200ms};
  return o;
}

double awake(const sim_world& w) {
  const auto all = w.numbers();
  const auto at = all.find("\npatchbay_rooms_active ");
  REQUIRE(at != std::string::npos);
  return std::stod(all.substr(at + 23));
}

} // namespace

TEST_CASE("rooms that were quiet for long may rest, others not") {
  CHECK(at_1000({399, 400, 401}, 3, rules) == asked{{'a', 600s}, {'b', 600s}});
  CHECK(at_1000({}, 0, rules).empty());
  CHECK(at_1000({}, 9, rules).empty()); // all of them work
}

TEST_CASE("above the cap the quietest go early, but none that was in use just now") {
  CHECK(at_1000({900, 700, 800, 950}, 4, rules) == asked{{'b', 10s}});
  CHECK(at_1000({900, 700, 800, 950}, 6, rules) == asked{{'a', 10s}, {'b', 10s}, {'c', 10s}});
  CHECK(at_1000({900, 700, 800, 991}, 9, rules) == asked{{'a', 10s}, {'b', 10s}, {'c', 10s}});
  CHECK(at_1000({995, 100}, 9, rules) == asked{{'b', 10s}});
}

TEST_CASE("a few are asked at a time, the quietest first") {
  std::vector<std::unique_ptr<int>> rooms;
  std::vector<quiet_room<int, std::chrono::seconds>> quiet;
  for (int i = 0; i < 1'003; ++i) {
    rooms.push_back(std::make_unique<int>(i));
    quiet.push_back({std::chrono::seconds(i % 2 == 0 ? i : 100), rooms.back().get()});
  }
  CHECK(who_may_rest(quiet, 3, 5'000s, rules).size() == 16);
  const auto asked = who_may_rest(quiet, 1'003, 1'010s, rules);
  REQUIRE(asked.size() == 16 + 1'000 / 8);
  CHECK(*asked.front().room == 0);
  CHECK(std::all_of(asked.begin(), asked.end(), [](const auto& q) { return q.since <= 100s; }));
}

TEST_CASE("a room that rests is back with its next message, and remembers its chat") {
  sim_world w(hasty());
  w.agent.use(always({chunk("yes"), end()}));
  w.start();
  const auto room = w.onboard("alice");
  w.say("alice", room, "one");
  REQUIRE(w.run_until([&] { return w.answers(room).size() == 1; }));
  REQUIRE(w.run_until([&] { return awake(w) == 0; }, 20s));
  w.say("alice", room, "two");
  REQUIRE(w.run_until([&] { return w.answers(room).size() == 2; }));
  const auto heard = w.agent.user_messages();
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].frame["chat_id"] == heard[1].frame["chat_id"]);
}

TEST_CASE("a room that works, or waits for a person's answer, is not put away") {
  sim_world w(hasty());
  w.agent.use(always({chunk("thinking "), scripted::wait(20s), confirm("c1", "Really?"),
                      await_confirm("c1"), chunk("done"), end()}));
  w.start();
  const auto room = w.onboard("alice");
  w.say("alice", room, "go");
  w.run_for(10s);
  CHECK(awake(w) == 1);
  w.run_for(60s); // the question is open
  CHECK(awake(w) == 1);
  w.say("alice", room, "!yes");
  REQUIRE(w.run_until([&] {
    const auto texts = w.answer_texts(room);
    return std::any_of(texts.begin(), texts.end(),
                       [](const auto& t) { return t.find("done") != std::string::npos; });
  }));
  REQUIRE(w.run_until([&] { return awake(w) == 0; }, 20s));
}

TEST_CASE("a room that asks others for an answer stays until it has given it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim_options o;
    o.seed = seed;
    o.rest = {0ms, 0, 0ms, 1ms}; // asked to go at every moment
    sim_world w(o);
    w.agent.use(always({chunk("yes"), end()}));
    w.start();
    const auto room = w.onboard("alice");
    for (const auto* command : {"!agents", "!chats", "!context", "!save", "!load", "hello"}) {
      const auto asked = w.say("alice", room, command);
      INFO("seed " << seed << ": " << command);
      CHECK(w.run_until([&] { return !w.replies_to(room, asked).empty(); }, 3s));
    }
  }
}

TEST_CASE("a room with a question that outlived its turn stays, and tells when it is too late") {
  sim_world w(hasty());
  w.agent.use(always({confirm("c1", "Go?", 60), break_off()}));
  w.start();
  const auto room = w.onboard("alice");
  w.say("alice", room, "go");
  w.run_for(30s);
  CHECK(awake(w) == 1);
  CHECK(w.run_until([&] { return awake(w) == 0; }, 60s)); // it is over
}
