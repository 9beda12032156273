#include "actors/boxed.hpp"
#include "actors/common.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>

using namespace pb;

TEST_CASE("the small engine is xoshiro256** as its authors publish it", "[chance]") {
  chance engine{0};
  CHECK(engine() == 0x99ec5f36cb75f2b4ULL);
  CHECK(engine() == 0xbf6e1f784956452aULL);
  CHECK(engine() == 0x1a5f849d4933e6e0ULL);
  CHECK(engine() == 0x6aa594f1262d2d2cULL);
  CHECK(sizeof(chance) == 32);
}

TEST_CASE("ids by chance: the same seed and name give the same, others give others", "[chance]") {
  const surroundings around{{}, {}, {}, 7};
  auto a = chance_for(around, "room !a"), again = chance_for(around, "room !a");
  std::set<std::string> ids;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = random_id(a);
    CHECK(id == random_id(again));
    ids.insert(id);
    auto other = chance_for(around, "room " + std::to_string(i));
    ids.insert(random_id(other));
  }
  CHECK(ids.size() == 2'000);
  std::mt19937_64 large{7}; // the other engine does as well
  CHECK(random_id(large).size() == 32);
}

TEST_CASE("a boxed value is there or not, and goes with its box", "[boxed]") {
  boxed<std::shared_ptr<int>> box;
  CHECK_FALSE(box);
  const auto seen = std::make_shared<int>(7);
  box.emplace(seen);
  CHECK(box);
  CHECK(**box == 7);
  CHECK(seen.use_count() == 2);
  box.emplace(nullptr);
  CHECK(box); // a value, though an empty one
  CHECK(seen.use_count() == 1);
  box.reset();
  CHECK_FALSE(box);
  CHECK(sizeof(box) == sizeof(void*));
}
