#pragma once
// The time of day, where the caller brings no clock of its own.

#include "messages/values/ids.hpp"

#include <chrono>

namespace pb {

inline unix_ms system_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace pb
