#pragma once
// What happened before a run began: the tool that writes it into a database and the world that
// serves it count the same messages.

#include <algorithm>
#include <cstdint>

namespace pb::bench {

/// Messages 0 … settled - 1 were answered, the `unfinished` behind them were admitted and no more.
struct past {
  std::uint64_t settled = 0, unfinished = 0;

  [[nodiscard]] std::uint64_t size() const { return settled + unfinished; }

  /// Settled ones go round all rooms. The unfinished ones are spread, one to a room as long as
  /// there are rooms, so that every agent gets its share.
  [[nodiscard]] std::uint32_t room_of(std::uint64_t message, std::uint32_t rooms) const {
    if (message < settled)
      return static_cast<std::uint32_t>(message % rooms);
    const auto n = message - settled;
    const auto step = std::max<std::uint64_t>(1, rooms / std::max<std::uint64_t>(1, unfinished));
    return static_cast<std::uint32_t>((n * step + n % step) % rooms);
  }
};

} // namespace pb::bench
