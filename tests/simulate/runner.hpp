#pragma once
// Many seeds in several processes: a seed that crashes the simulation takes only its process along,
// and is named.

#include "tests/simulate/story.hpp"

#include <cstdio>
#include <string>

namespace pb::simulate {

struct sweep {
  std::uint64_t from = 1;
  std::uint64_t seeds = 200; ///< 0: until the time is over
  double minutes = 0;        ///< 0: no limit
  unsigned jobs = 1;
  run_options how;
  std::size_t stop_after = 10; ///< failing seeds
};

struct tally {
  std::uint64_t seeds = 0, failed = 0, crashes = 0, messages = 0, turns = 0, steps = 0;
  double seconds = 0;
};

/// Prints failing seeds as they come.
tally run_sweep(const sweep& what);

/// The report of a seed: what it violated, where, and how to see it again.
std::string report(const run_result& r, const run_options& how);

/// Tries every plant until the oracle sees it in a seed that is well without it. Prints a line for
/// each. False: one was not seen within `bound` seeds.
bool find_plants(std::uint64_t bound, unsigned jobs);

} // namespace pb::simulate
