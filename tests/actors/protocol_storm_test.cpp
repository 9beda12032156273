// Many agents at once: none pays for another one's trouble, and none comes back as a storm.

#include "tests/support/protocol_bench.hpp"

#include <algorithm>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

/// Agents of one protocol, each with an actor and a chat of its own, and one budget for all.
class crowd {
public:
  crowd(const tongue& how, std::size_t count) : bench(how), deps_(bench.deps()) {
    bench.net.plan([this](const link_request& to) {
      dials.push_back(bench.clock.now());
      return plan ? plan(to) : dial_plan{};
    });
    for (std::size_t i = 0; i < count; ++i) {
      auto spec = spec_of(how, [&](agent_spec& s) {
        s.id = agent_id{"a" + std::to_string(i)};
        if (!s.base_url.empty())
          s.base_url = "http://h" + std::to_string(i) + ":7000";
        s.limits.event_idle = 1h;
      });
      agents_.push_back(bench.sys.spawn(agent_connection, spec, deps_));
    }
  }
  /// A turn of every agent.
  void ask_all(const std::string& round) {
    for (std::size_t i = 0; i < agents_.size(); ++i)
      ask(i, round);
  }
  void ask(std::size_t agent, const std::string& round) {
    run_turn t;
    t.turn.id = turn_id{round + "-" + std::to_string(agent)};
    t.turn.agent = agent_id{"a" + std::to_string(agent)};
    t.turn.room = room_id{"!r" + std::to_string(agent)};
    t.turn.chat = {static_cast<std::int64_t>(agent + 1)};
    t.turn.text = round;
    t.inbox_seq = ++asked_;
    t.sink = bench.room;
    caf::anon_send(agents_[agent], std::move(t));
  }
  [[nodiscard]] std::size_t ended(turn_ending how) const {
    const auto all = bench.endings();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), how));
  }
  /// Dials of the second that had the most of them, from the n-th dial on.
  [[nodiscard]] std::size_t most_in_a_second(std::size_t from) const {
    std::size_t most = 0;
    for (auto i = from; i < dials.size(); ++i) {
      auto j = i;
      while (j < dials.size() && dials[j] - dials[i] < 1s)
        ++j;
      most = std::max(most, j - i);
    }
    return most;
  }

  protocol_bench bench;
  std::vector<std::chrono::milliseconds> dials;
  std::function<dial_plan(const link_request&)> plan;

private:
  connection_deps deps_;
  std::vector<agent_connection_actor> agents_;
  std::int64_t asked_ = 0;
};

} // namespace

TEST_CASE("five hundred agents that drop at once are all back within a minute, without a storm") {
  PB_EVERY_PROTOCOL(how);
  constexpr std::size_t many = 500;
  crowd c{how, many};
  c.bench.peer.use(always({chunk("one "), wait(2min), chunk("two"), end()}));
  c.ask_all("first");
  c.bench.run_for(10s);
  REQUIRE(c.bench.peer.user_messages().size() == many);
  const auto before = c.dials.size();
  c.bench.net.break_all();
  if (!how.resumes) {
    c.bench.run_for(1s);
    CHECK(c.ended(turn_ending::interrupted) == many);
    c.bench.peer.use(always({chunk("one "), end()}));
    c.bench.heard->overs.clear();
    c.ask_all("second");
  }
  const auto back = [&] {
    return how.resumes ? c.dials.size() >= before + many : c.ended(turn_ending::answered) == many;
  };
  const auto since = c.bench.clock.now();
  while (!back() && c.bench.clock.now() < since + 60s)
    c.bench.run_for(500ms);
  CHECK(back());
  c.bench.run_for(3min);
  CHECK(c.ended(turn_ending::answered) == many);
  CHECK(c.most_in_a_second(before) <= 40 + 1); // a burst of twenty, then twenty a second
}

TEST_CASE("an agent that is dead costs the others nothing") {
  PB_EVERY_PROTOCOL(how);
  PB_ONLY_IF(how.name != "acp of a child"); // has no address by which the plan could know it
  crowd c{how, 2};
  c.plan = [](const link_request& to) {
    dial_plan p;
    if (to.url.find("//h0:") != std::string::npos)
      p.outcome = dial_plan::how::refuse;
    return p;
  };
  c.bench.peer.use(always({chunk("x"), end()}));
  for (int i = 0; i < 10; ++i) {
    c.ask(0, "dead" + std::to_string(i));
    c.ask(1, "well" + std::to_string(i));
    c.bench.run_for(200ms);
    CHECK(c.ended(turn_ending::answered) == static_cast<std::size_t>(i + 1));
  }
  c.bench.run_for(1min);
  CHECK(c.ended(turn_ending::unreachable) == 10);
  CHECK(c.ended(turn_ending::answered) == 10);
}
