#pragma once
// What of a sync response is kept. Pure.

#include "bridges/matrix/sync.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <vector>

namespace pb {

/// A hole before a room's timeline.
struct timeline_gap {
  room_id room;
  std::string from; ///< prev_batch: walk back from here to the old cursor
};

struct sorted_batch {
  admission keep;
  std::vector<timeline_gap> gaps;
};

struct admission_rules {
  user_id bot;
  bool initial = false; ///< no cursor: timelines are history, state tells which rooms there are
  bool backlog = false; ///< after an absence: does not count against the rooms' queues
  std::function<std::string()> next_trace;
};

/// Is this an event that a room acts on? Never our own, never state.
bool is_for_rooms(const matrix_event& event, const user_id& bot);

sorted_batch sort_batch(const matrix::sync_response& got, const admission_rules& rules);

} // namespace pb
