#pragma once
// Chance under a seed. Each part of a run has dice of its own, so that one more throw here changes
// nothing there.

#include <chrono>
#include <cstdint>
#include <random>
#include <string_view>

namespace pb::simulate {

class dice {
public:
  dice(std::uint64_t seed, std::uint64_t part) : engine_(seed * 1'000'003 + part) {}

  bool chance(double p) {
    const auto drawn = engine_();
    return p > 0 && static_cast<double>(drawn >> 11U) * 0x1.0p-53 < p;
  }
  /// Both ends count.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least +
           static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(most - least + 1));
  }
  std::chrono::milliseconds time(std::int64_t least, std::int64_t most) {
    return std::chrono::milliseconds(between(least, most));
  }
  /// Mostly short, now and then very long: each of three draws may multiply by ten.
  std::chrono::milliseconds long_tail(std::int64_t usual) {
    auto t = between(0, usual);
    for (int i = 0; i < 3 && chance(0.15); ++i)
      t *= 10;
    return std::chrono::milliseconds(t);
  }
  template <class List>
  auto& one_of(List& list) {
    return list[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(list.size()) - 1))];
  }

private:
  std::mt19937_64 engine_;
};

} // namespace pb::simulate
