#pragma once
// Timers whose time only the test moves.

#include "bridges/http_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace pb {

/// Runs in the thread that calls advance() or run(); what is due at the same time runs in the order
/// in which it was asked for. Never runs anything from inside after().
class virtual_timers final : public timers {
public:
  void after(std::chrono::milliseconds delay, std::function<void()> run) override {
    due_.emplace(std::pair{now_ + std::max(delay, std::chrono::milliseconds(0)), ++asked_},
                 std::move(run));
  }

  /// Everything that is due within `time` from now, also what that asks for in turn.
  void advance(std::chrono::milliseconds time) {
    const auto until = now_ + time;
    while (!due_.empty() && due_.begin()->first.first <= until)
      step();
    now_ = until;
  }

  /// Everything, however far away; at most `steps` of it. False: there was more.
  bool run(std::size_t steps = 1'000'000) {
    for (; steps > 0 && !due_.empty(); --steps)
      step();
    return due_.empty();
  }

  /// When the next function is due; nothing: none is.
  [[nodiscard]] std::optional<std::chrono::milliseconds> next_due() const {
    if (due_.empty())
      return std::nullopt;
    return due_.begin()->first.first;
  }

  [[nodiscard]] std::chrono::milliseconds now() const { return now_; }
  [[nodiscard]] std::size_t waiting() const { return due_.size(); }

private:
  void step() {
    auto first = due_.extract(due_.begin());
    now_ = first.key().first;
    first.mapped()();
  }

  std::chrono::milliseconds now_{0};
  std::uint64_t asked_ = 0;
  std::map<std::pair<std::chrono::milliseconds, std::uint64_t>, std::function<void()>> due_;
};

} // namespace pb
