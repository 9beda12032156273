#include "actors/restart_logic.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

TEST_CASE("a restart waits longer each time, and the budget's next one is not given") {
  pb::restart_budget budget;
  const pb::restart_policy policy{3, 60s, 100ms, 10s};
  std::mt19937_64 engine{1};
  auto last = 0ms;
  for (int i = 0; i < 3; ++i) {
    const auto wait = budget.failed(1000ms * i, policy, engine);
    REQUIRE(wait);
    CHECK(*wait >= 100ms * (1 << i));
    CHECK(*wait <= 125ms * (1 << i) + 1ms);
    CHECK(*wait > last);
    last = *wait;
  }
  CHECK_FALSE(budget.failed(3s, policy, engine));
}

TEST_CASE("failures outside the window do not count") {
  pb::restart_budget budget;
  const pb::restart_policy policy{1, 60s, 100ms, 10s};
  std::mt19937_64 engine{1};
  CHECK(budget.failed(0ms, policy, engine));
  CHECK(budget.failed(61s, policy, engine));
  CHECK_FALSE(budget.failed(62s, policy, engine));
}

TEST_CASE("the same seed waits the same") {
  const pb::restart_policy policy;
  std::mt19937_64 a{7}, b{7};
  pb::restart_budget one, two;
  for (int i = 0; i < 4; ++i)
    CHECK(one.failed(1ms * i, policy, a) == two.failed(1ms * i, policy, b));
}
