#pragma once
// A small engine of chance for actors of which there are many: 32 bytes instead of the 2.5 kB of
// std::mt19937_64. xoshiro256**, seeded by splitmix64, as their authors advise (Blackman and Vigna,
// "Scrambled Linear Pseudorandom Number Generators", 2021). Not for secrets.

#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace pb {

class chance {
public:
  using result_type = std::uint64_t;

  explicit chance(std::uint64_t seed = 0) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      auto z = seed;
      z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31U);
    }
  }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  result_type operator()() {
    const auto out = rotated(state_[1] * 5, 7) * 9;
    const auto shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotated(state_[3], 45);
    return out;
  }

private:
  static result_type rotated(result_type x, unsigned by) { return x << by | x >> (64 - by); }

  std::array<std::uint64_t, 4> state_{};
};

/// Where 64 random bits come from: any engine, for the length of a call.
class random_bits {
public:
  template <class Engine>
  requires(!std::is_same_v<Engine, random_bits>) // that is a copy
      random_bits(Engine& engine)                // NOLINT: an engine is handed over as it is
      : engine_(&engine),
        next_([](void* of) -> std::uint64_t { return (*static_cast<Engine*>(of))(); }) {
    static_assert(Engine::min() == 0 && Engine::max() == std::numeric_limits<std::uint64_t>::max());
  }
  std::uint64_t operator()() const { return next_(engine_); }

private:
  void* engine_;
  std::uint64_t (*next_)(void*);
};

} // namespace pb
