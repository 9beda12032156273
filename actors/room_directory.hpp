#pragma once
// Room id → room actor. Rooms exist on demand; each has a window of events in flight, and what does
// not fit stays on the disk, where the room reads it: memory is bounded, nothing is refused here.

#include "actors/room/room.hpp"
#include "messages/actors.hpp"

#include <unordered_map>

namespace pb {

struct room_directory_state {
  static constexpr const char* name = "room_directory";
  static constexpr std::size_t window = 64;    ///< events in flight to one room
  static constexpr std::size_t push_cap = 256; ///< pushes of agents that are not on disk yet

  struct slot {
    room_actor actor;
    std::size_t in_flight = 0;
    bool behind = false;   ///< events were left on the disk
    unsigned deaths = 0;   ///< in a row, without an event handled between them
    bool closing = false;  ///< about to be moved: nothing is handed over, nobody is born
    std::size_t asked = 0; ///< questions that it has not answered
    bool resting = false;  ///< was asked to go, and was handed nothing since
    caf::actor_clock::time_point used; ///< when it was handed something, or was asked to go
  };

  explicit room_directory_state(room_directory_actor::pointer self) : clock(self) {}

  alarm_clock<room_directory_actor::pointer> clock;
  std::shared_ptr<const room_deps> deps;
  std::unordered_map<room_id, slot> rooms;
  std::unordered_map<caf::actor_id, room_id> names;
  std::mt19937_64 engine;
  bool draining = false;
  bool looking = false; ///< for rooms that may rest
  bool open = false;    ///< topology knows the rooms: until then events wait on the disk
  std::uint64_t activated = 0, passivated = 0, left_on_disk = 0, restarts = 0;
  gauge living;
  std::size_t pushes = 0;
  counter spilled, pushes_refused;
};

room_directory_actor::behavior_type
room_directory(room_directory_actor::stateful_pointer<room_directory_state> self, room_deps deps);

} // namespace pb
