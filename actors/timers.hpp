#pragma once
// Named moments of one actor. CAF 0.17 cannot cancel a delayed message, so each carries a
// generation and a cancelled one is ignored when it comes.

#include "messages/actors.hpp"

#include <functional>
#include <unordered_map>

namespace pb {

template <class Self>
class alarm_clock {
public:
  explicit alarm_clock(Self self) : self_(self) {}

  /// Runs `what` inside the actor after `delay`. The result cancels it.
  std::uint64_t after(std::chrono::milliseconds delay, std::function<void()> what) {
    const auto id = ++last_;
    waiting_.emplace(id, std::move(what));
    self_->delayed_send(self_, delay, tick{id});
    return id;
  }
  void cancel(std::uint64_t id) { waiting_.erase(id); }
  void ring(const tick& t) {
    const auto i = waiting_.find(t.generation);
    if (i == waiting_.end())
      return;
    auto what = std::move(i->second);
    waiting_.erase(i);
    what();
  }

private:
  Self self_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::function<void()>> waiting_;
};

} // namespace pb
