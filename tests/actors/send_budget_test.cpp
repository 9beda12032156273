#include "actors/matrix/send_budget_logic.hpp"

#include <catch2/catch.hpp>
#include <queue>
#include <random>

namespace {
using namespace pb;
using namespace std::chrono_literals;
using ms = std::chrono::milliseconds;

/// A leaky bucket as Synapse counts it.
struct server_bucket {
  double per_second, burst, level = 0;
  ms at{0};
  /// How long to wait; nothing: taken.
  std::optional<ms> take(ms now) {
    level = std::max(0.0, level - std::chrono::duration<double>(now - at).count() * per_second);
    at = now;
    if (level > burst - 1)
      return ms{static_cast<std::int64_t>(std::ceil((level - (burst - 1)) / per_second * 1000))};
    level += 1;
    return std::nullopt;
  }
};

enum class hints { body, header, none };

struct outcome {
  int taken = 0, refused = 0;
  ms learned{0}; ///< when the first refusal came
};

/// Sends as much as the budget allows for so long, at most 16 at a time, over a network that takes
/// up to 5 ms each way.
outcome press(send_budget& budget, server_bucket& server, hints how, ms from, ms to) {
  struct flight {
    ms at, sent;
    std::optional<ms> asked;
    bool answered;
    bool operator<(const flight& o) const { return at > o.at; }
  };
  std::priority_queue<flight> flights;
  std::mt19937 luck(7);
  const auto way = [&] { return ms{static_cast<std::int64_t>(luck() % 5)}; };
  outcome out;
  std::size_t open = 0;
  for (auto now = from; now < to;) {
    while (open < 16 && budget.wait_for(now, 1) == 0ms) {
      budget.spent(now, 1);
      ++open;
      flights.push({now + way(), now, std::nullopt, false});
    }
    const auto wake = open < 16 ? now + budget.wait_for(now, 1) : to;
    if (flights.empty() || flights.top().at > wake) {
      now = wake;
      continue;
    }
    auto f = flights.top();
    flights.pop();
    now = f.at;
    if (!f.answered) {
      f.asked = server.take(now);
      f.answered = true;
      f.at = now + way();
      flights.push(f);
      continue;
    }
    --open;
    if (!f.asked) {
      ++out.taken;
      budget.accepted(f.sent, 1);
      continue;
    }
    if (out.refused++ == 0)
      out.learned = now;
    const auto hint = how == hints::body ? f.asked
                      : how == hints::header
                          ? std::optional<ms>((f.asked->count() + 999) / 1000 * 1000)
                          : std::nullopt;
    budget.refused(now, f.sent, hint);
  }
  return out;
}
} // namespace

TEST_CASE("nothing is limited before the first refusal") {
  send_budget b;
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(b.wait_for(0ms, 2) == 0ms);
    b.spent(0ms, 2);
    b.accepted(0ms, 2);
  }
  CHECK_FALSE(b.limited());
  CHECK(b.rate() == 0);
}

TEST_CASE("one refusal with a hint is enough to know Synapse's default") {
  send_budget b;
  server_bucket synapse{0.2, 10};
  press(b, synapse, hints::body, 1s, 4s);
  CHECK(b.limited());
  CHECK(b.rate() == Approx(0.2).epsilon(0.05));
  CHECK(b.burst() == Approx(10).margin(1));
}

TEST_CASE("under pressure the whole of a bucket is used and fewer than a tenth is refused") {
  const auto how = GENERATE(hints::body, hints::header, hints::none);
  const auto bucket = GENERATE(server_bucket{0.2, 10}, server_bucket{1, 3}, server_bucket{5, 50});
  auto server = bucket;
  send_budget b;
  const auto learning = ms{static_cast<std::int64_t>(50'000 / bucket.per_second)};
  const auto end = learning * 20;
  press(b, server, how, 1s, learning);
  const auto later = press(b, server, how, learning, end);
  INFO(bucket.per_second << "/s, burst " << bucket.burst << ", hints " << static_cast<int>(how));
  const auto possible = std::chrono::duration<double>(end - learning).count() * bucket.per_second;
  CHECK(later.taken >= possible * 0.9);
  CHECK(later.refused * 10 < later.taken + later.refused);
}

TEST_CASE("a lifted limit is found out, and then nothing is limited") {
  send_budget b;
  server_bucket server{0.2, 10};
  press(b, server, hints::body, 1s, 200s);
  REQUIRE(b.limited());
  server.per_second = server.burst = 1e6;
  press(b, server, hints::body, 200s, 15min);
  CHECK_FALSE(b.limited());
}

TEST_CASE("a limit that becomes tighter is obeyed") {
  send_budget b;
  server_bucket server{1, 10};
  press(b, server, hints::body, 1s, 200s);
  server.per_second = 0.2;
  press(b, server, hints::body, 200s, 300s);
  const auto later = press(b, server, hints::body, 300s, 2000s);
  CHECK(later.taken >= 1700 * 0.2 * 0.9);
  CHECK(later.refused * 10 < later.taken + later.refused);
}

TEST_CASE("who does not wait learns nothing of what would be too fast: quiet times lift no limit") {
  send_budget b;
  server_bucket server{0.2, 10};
  press(b, server, hints::body, 1s, 60s);
  const auto before = b.rate();
  for (auto now = ms{10min}; now < 40h; now += 1min) {
    REQUIRE(b.wait_for(now, 1) == 0ms);
    b.spent(now, 1);
    REQUIRE_FALSE(server.take(now));
    b.accepted(now, 1);
  }
  CHECK(b.rate() == Approx(before));
}

TEST_CASE("several refusals of one burst are one piece of news") {
  send_budget b;
  for (int i = 0; i < 10; ++i)
    b.accepted(1s, 1);
  for (int i = 0; i < 6; ++i)
    b.refused(1010ms, 1s, 5s);
  CHECK(b.rate() == Approx(0.2));
  CHECK(b.wait_for(1010ms, 1) >= 5s);
  CHECK(b.wait_for(1010ms, 1) < 5500ms);
}

TEST_CASE("hints that are absurd make no rate of nothing and none of endlessness") {
  send_budget b;
  b.refused(1s, 900ms, 0ms);
  CHECK(b.rate() > 0);
  send_budget slow;
  slow.refused(1s, 900ms, 1h);
  CHECK(slow.rate() >= 1.0 / 64);
  CHECK(slow.wait_for(1s, 1) <= 1h + 1min);
  CHECK(slow.wait_for(1s, 1) >= 59min);
  send_budget dear;
  dear.refused(1s, 900ms, 5s);
  CHECK(dear.wait_for(1h, 1000) == 0ms); // dearer than the whole bucket: a full one is enough
}
