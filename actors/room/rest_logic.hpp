#pragma once
// Which room actors are asked to go: those that were quiet for long, and while too many are awake
// those that were quiet for longest. What a room knows is on the disk; its next event brings it
// back. Pure.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace pb {

struct rest_rules {
  std::chrono::milliseconds idle{600'000}; ///< a room that is quiet for so long may go
  std::size_t awake = 10'000;              ///< rooms; above that the quietest go earlier,
  std::chrono::milliseconds least{
      2'000}; ///< but none that was in use so lately (loop_guard::too_fast)
  std::chrono::milliseconds look{1'000}; ///< between two looks
};

template <class Room, class Time>
struct quiet_room {
  Time since;
  Room* room = nullptr;
  std::chrono::milliseconds quiet_for{0}; ///< what it is asked for
};

/// `quiet`: the rooms that nothing is known of to keep them; `awake`: how many live. Gives those
/// that are to be asked, a few at a time: many that end at once would hold up who works.
template <class Room, class Time>
std::vector<quiet_room<Room, Time>> who_may_rest(std::vector<quiet_room<Room, Time>> quiet,
                                                 std::size_t awake, Time now,
                                                 const rest_rules& rules) {
  const auto surplus = std::min(quiet.size(), awake - std::min(awake, rules.awake));
  const auto most = std::min(quiet.size(), 16 + surplus / 8);
  const auto end = quiet.begin() + static_cast<std::ptrdiff_t>(most);
  std::partial_sort(quiet.begin(), end, quiet.end(),
                    [](const auto& a, const auto& b) { return a.since < b.since; });
  quiet.erase(end, quiet.end());
  for (std::size_t i = 0; i < quiet.size(); ++i)
    quiet[i].quiet_for = i < surplus ? std::min(rules.least, rules.idle) : rules.idle;
  std::erase_if(quiet, [&](const auto& q) { return now - q.since < q.quiet_for; });
  return quiet;
}

} // namespace pb
