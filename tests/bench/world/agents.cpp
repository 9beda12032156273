#include "tests/bench/world/agents.hpp"

#include <algorithm>
#include <utility>

namespace pb::bench {

void agents::leave() {
  away_ = true;
  for (const auto& weak : std::exchange(sessions_, {}))
    if (const auto session = weak.lock())
      session->cut();
}

void agents::opened(std::weak_ptr<open_session> session) {
  // Those that have ended go whenever the list would have to grow.
  if (sessions_.size() == sessions_.capacity())
    std::erase_if(sessions_, [](const auto& s) { return s.expired(); });
  sessions_.push_back(std::move(session));
}

std::size_t agents::open() const {
  return static_cast<std::size_t>(std::count_if(sessions_.begin(), sessions_.end(),
                                                [](const auto& s) { return !s.expired(); }));
}

std::size_t most_in_a_second(const std::vector<std::int64_t>& sorted_ns) {
  std::size_t most = 0, from = 0;
  for (std::size_t to = 0; to < sorted_ns.size(); ++to) {
    while (sorted_ns[to] - sorted_ns[from] >= 1'000'000'000)
      ++from;
    most = std::max(most, to - from + 1);
  }
  return most;
}

} // namespace pb::bench
