#pragma once
// The time of day: the actors' wall clock, and what commands look at.

#include "messages/values/ids.hpp"

#include <chrono>

namespace pb::cli {

inline unix_ms wall_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace pb::cli
