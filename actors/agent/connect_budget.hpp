#pragma once
// How fast this process may dial agents that it has lost: one budget for all of them, so that a
// thousand that drop at once do not come back as a storm.

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

namespace pb {

/// Only dials after a failure ask for a place: an agent that is well is dialled at once. Shared by
/// the connection actors; thread-safe.
class connect_budget {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds spacing{50}; ///< 20 a second
  static constexpr int burst = 20;
  static constexpr std::chrono::seconds longest{60}; ///< of a wait

  /// When the dial may be, `now` at the earliest. Nothing: so many are ahead that it would wait for
  /// longer than `longest`; no place is taken then.
  std::optional<time_point> reserve(time_point now) {
    const std::lock_guard lock{m_};
    const auto free = std::max(next_, now - (burst - 1) * spacing);
    const auto at = std::max(free, now);
    if (at - now > longest)
      return std::nullopt;
    next_ = free + spacing;
    return at;
  }

private:
  std::mutex m_;
  time_point next_{}; ///< when the place after the last one given away is free
};

} // namespace pb
