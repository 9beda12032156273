#pragma once
// How often a child may be restarted, and how long to wait before. Pure.

#include <chrono>
#include <deque>
#include <optional>
#include <random>

namespace pb {

struct restart_policy {
  std::size_t most = 5; ///< failures within the window; one more escalates
  std::chrono::milliseconds window{60'000}, base{200}, cap{10'000};
};

class restart_budget {
public:
  /// Counts a failure. The wait before the restart, or nothing when the budget is spent. `now` is
  /// any clock that never goes back.
  std::optional<std::chrono::milliseconds>
  failed(std::chrono::milliseconds now, const restart_policy& policy, std::mt19937_64& engine) {
    failures_.push_back(now);
    while (!failures_.empty() && now - failures_.front() > policy.window)
      failures_.pop_front();
    if (failures_.size() > policy.most)
      return std::nullopt;
    const auto steps = static_cast<int>(std::min<std::size_t>(failures_.size() - 1, 16));
    const auto wait = std::min(policy.cap, policy.base * (1 << steps));
    const auto noise = static_cast<std::uint64_t>(wait.count() / 4 + 1);
    return wait + std::chrono::milliseconds(static_cast<std::int64_t>(engine() % noise));
  }

private:
  std::deque<std::chrono::milliseconds> failures_;
};

} // namespace pb
