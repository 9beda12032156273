#pragma once
// A test aid: the process kills itself with SIGKILL at a named boundary, as if the power went.
//
// PATCHBAY_CRASH_AT=point[:n] arms it for the n-th passing (docs/operations.md). Not armed, a
// passing costs one relaxed load.

#include <atomic>
#include <string_view>

namespace pb {

/// The boundaries, in the order in which a message passes them; then those of a creation of rooms.
enum class crash_point : int {
  none,
  sync_received,          ///< an answer with events is read, nothing is written
  before_admit_commit,    ///< its rows are in the open transaction
  after_admit_commit,     ///< they are on disk, no room has heard of them
  turn_begun,             ///< a room decided to ask its agent, nothing says so on disk
  before_dispatch_commit, ///< the dispatched mark is in the open transaction
  after_dispatch_commit,  ///< the mark is on disk, the frame is not written
  frame_written,          ///< the frame is with the socket
  agent_spoke,            ///< the agent said something, its answer has not ended
  agent_ended,            ///< the answer has ended, nothing says so on disk
  before_settle_commit,   ///< the turn's end and its messages are in the open transaction
  after_settle_commit,    ///< they are on disk
  before_put,             ///< a row is about to be sent, the network is untouched
  put_answered,           ///< the homeserver took it, nothing says so on disk
  after_record_commit,    ///< that it took it is on disk
  intent_written,         ///< a creation of rooms is decided and on disk
  before_create_room,     ///< createRoom is about to be sent
  room_created,           ///< the homeserver made the room, nothing says so on disk
  room_recorded,          ///< the room is on disk
  link_sent,              ///< the Space names the room, nothing says so on disk
};

/// Arms what `text` ("before_put:2") names. False: there is no such point, or no such number.
bool arm_crash(std::string_view text);

/// All names, with ", " between them.
std::string_view crash_point_names();

namespace crash_detail {
extern std::atomic<crash_point> armed;
void count_down();
} // namespace crash_detail

inline void crash_here(crash_point here) {
  if (crash_detail::armed.load(std::memory_order_relaxed) == here)
    crash_detail::count_down();
}

} // namespace pb
