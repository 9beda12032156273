#include "actors/agent/connect_budget.hpp"
#include "actors/agent/endpoints_logic.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

using namespace pb;
using namespace std::chrono_literals;

namespace {

constexpr platform_chat_id chat(std::int64_t n) { return platform_chat_id{n}; }
const endpoint_pool::time_point start{100h};

endpoint_pool three() {
  endpoint_pool p;
  p.replace({"http://a", "http://b", "http://c"});
  return p;
}

} // namespace

TEST_CASE("a new chat goes to the endpoint with the fewest turns, in the registry's order") {
  auto p = three();
  CHECK(p.pick(chat(1), start) == "http://a");
  CHECK(p.pick(chat(2), start) == "http://b");
  CHECK(p.pick(chat(3), start) == "http://c");
  p.ended("http://b");
  CHECK(p.pick(chat(4), start) == "http://b");
}

TEST_CASE("a chat stays where it was, also when others are idle, and moves when that one is out") {
  auto p = three();
  std::mt19937_64 engine{1};
  CHECK(p.pick(chat(1), start) == "http://a");
  CHECK(p.pick(chat(1), start) == "http://a"); // the busiest of the three
  for (unsigned i = 0; i < endpoint_pool::trips_after; ++i)
    p.failed("http://a", start, engine);
  CHECK(p.pick(chat(1), start) == "http://b");
  p.spoke("http://a");
  CHECK(p.pick(chat(1), start) == "http://b"); // and stays there
}

TEST_CASE("the choice of a chat is forgotten at the cap, the oldest first") {
  endpoint_pool p;
  p.replace({"http://a", "http://b"});
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(endpoint_pool::sticky_cap); ++i)
    p.ended(*p.pick(chat(i), start));
  // All went to a, the first one. With a busy, who is remembered stays and who is forgotten moves.
  p.took("http://a");
  CHECK(p.pick(chat(1), start) == "http://a");
  CHECK(p.pick(chat(0), start) == "http://b");
}

TEST_CASE("five failures in a row put an endpoint out of service, then one turn tries it") {
  endpoint_pool p;
  p.replace({""}); // a child process
  std::mt19937_64 engine{7};
  for (unsigned i = 1; i < endpoint_pool::trips_after; ++i)
    p.failed("", start, engine);
  CHECK(p.troubled(""));
  CHECK(p.pick(chat(1), start) == "");
  p.ended("");
  p.failed("", start, engine);
  CHECK_FALSE(p.pick(chat(1), start));
  CHECK(p.out_of_service(start) == 1);
  const auto pause = p.pause(start);
  CHECK(pause >= endpoint_pool::first_pause / 2);
  CHECK(pause <= endpoint_pool::first_pause);
  const auto later = start + pause;
  CHECK(p.pick(chat(1), later) == "");
  CHECK_FALSE(p.pick(chat(2), later)); // one is enough to see
  p.failed("", later, engine);
  CHECK(p.pause(later) > endpoint_pool::first_pause / 2);
  const auto again = later + p.pause(later);
  CHECK(p.pick(chat(1), again) == "");
  p.connected("");
  CHECK(p.pick(chat(2), again) == ""); // there is somebody
  p.spoke("");
  CHECK_FALSE(p.troubled(""));
}

TEST_CASE("a probe that is taken back lets the next one try") {
  endpoint_pool p;
  p.replace({"http://a"});
  std::mt19937_64 engine{7};
  for (unsigned i = 0; i < endpoint_pool::trips_after; ++i)
    p.failed("http://a", start, engine);
  const auto later = start + p.pause(start);
  CHECK(p.pick(chat(1), later) == "http://a");
  p.ended("http://a"); // the person stopped it before it was connected
  CHECK(p.pick(chat(2), later) == "http://a");
}

TEST_CASE("a probe that is taken back lets the next one try, though an older turn runs") {
  endpoint_pool p;
  p.replace({"http://a"});
  std::mt19937_64 engine{7};
  CHECK(p.pick(chat(9), start) == "http://a");
  for (unsigned i = 0; i < endpoint_pool::trips_after; ++i)
    p.failed("http://a", start, engine);
  const auto later = start + p.pause(start);
  CHECK(p.pick(chat(1), later) == "http://a");
  p.ended("http://a", false);
  CHECK(p.pick(chat(2), later) == "http://a");
}

TEST_CASE("pauses double up to half a minute and never fall below half of that") {
  endpoint_pool p;
  p.replace({"http://a"});
  std::mt19937_64 engine{3};
  for (unsigned i = 0; i < 40; ++i)
    p.failed("http://a", start, engine);
  CHECK(p.pause(start) >= endpoint_pool::longest_pause / 2);
  CHECK(p.pause(start) <= endpoint_pool::longest_pause);
}

TEST_CASE("another list of endpoints keeps what is known of those that stay") {
  auto p = three();
  std::mt19937_64 engine{1};
  for (unsigned i = 0; i < endpoint_pool::trips_after; ++i)
    p.failed("http://b", start, engine);
  CHECK(p.pick(chat(1), start) == "http://a");
  p.replace({"http://b", "http://d"});
  CHECK(p.pick(chat(2), start) == "http://d"); // b is still out, a is gone
  auto list = nlohmann::json::parse(p.json(start));
  CHECK(list.size() == 3); // a's turn still runs
  p.ended("http://a");
  list = nlohmann::json::parse(p.json(start));
  REQUIRE(list.size() == 2);
  CHECK(list[0]["url"] == "http://b");
  CHECK(list[0]["failures"] == endpoint_pool::trips_after);
  CHECK(list[0]["out_of_service_ms"] > 0);
}

TEST_CASE("dials after failures: a burst, then twenty a second, and no endless queue") {
  connect_budget b;
  for (int i = 0; i < connect_budget::burst; ++i)
    CHECK(b.reserve(start) == start);
  CHECK(b.reserve(start) == start + connect_budget::spacing);
  CHECK(b.reserve(start) == start + 2 * connect_budget::spacing);
  std::size_t taken = 22;
  while (b.reserve(start))
    ++taken;
  // A minute of places and the burst.
  CHECK(taken == 20 + 60 * 20);
  CHECK(b.reserve(start + 50ms).has_value());
  CHECK_FALSE(b.reserve(start + 50ms));
}

TEST_CASE("an idle minute gives no more than the burst") {
  connect_budget b;
  for (int i = 0; i < 30; ++i)
    (void)b.reserve(start);
  const auto later = start + 1min;
  for (int i = 0; i < connect_budget::burst; ++i)
    CHECK(b.reserve(later) == later);
  CHECK(*b.reserve(later) > later);
}
