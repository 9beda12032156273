#pragma once
// What of a sync response is kept, and where messages may be missing. Pure.

#include "bridges/matrix/sync.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <vector>

namespace pb {

/// A place before a room's timeline where events are missing, or may be.
struct timeline_gap {
  room_id room;
  std::string from;          ///< walk back from here; empty: from the room's live end
  bool suspected = false;    ///< the server did not say so: one look whether it is true
  bool newly_joined = false; ///< what lies before our own join is history
};

struct sorted_batch {
  admission keep;
  std::vector<timeline_gap> gaps;
  std::vector<room_id> upgraded; ///< rooms with a tombstone
  /// Rooms with events, where the walk back may look whether one before them is missing.
  std::vector<timeline_gap> continued;
};

struct admission_rules {
  user_id bot;
  bool initial = false; ///< no cursor: what it holds is history, only the position counts
  bool backlog = false; ///< after an absence: does not count against the rooms' queues
  std::function<std::string()> next_trace;
};

/// Is this an event that a room acts on? Never our own, never state.
bool is_for_rooms(const matrix_event& event, const user_id& bot);

sorted_batch sort_batch(const matrix::sync_response& got, const admission_rules& rules);

/// Walking back from a gap, newest event first, until what is known (specification, "Syncing":
/// the two ways to read a room order events differently, so they are told apart by id).
class gap_walk {
public:
  gap_walk(timeline_gap gap, user_id bot, bool baseline)
      : gap_(std::move(gap)), bot_(std::move(bot)), baseline_(baseline) {}

  /// The events of a page by whose ids the store is asked.
  static std::vector<event_id> ids_of(const std::vector<matrix_event>& chunk);
  /// Takes a page and what the store knows of it. True: a known event, or our own join into a room
  /// that is new to us, was met: the gap is closed, and what is older is refused by its position.
  bool take(std::vector<matrix_event> chunk, const known_answer& known);
  /// An event of the room is known. If the walk ends without meeting one, it has vanished; without
  /// a baseline the old position, or the room's beginning, closes the gap.
  [[nodiscard]] bool baseline() const { return baseline_; }
  [[nodiscard]] const timeline_gap& gap() const { return gap_; }
  [[nodiscard]] std::size_t found() const { return found_.size(); }
  /// What was missing, oldest first.
  std::vector<matrix_event> missing();

private:
  timeline_gap gap_;
  user_id bot_;
  bool baseline_;
  std::vector<matrix_event> found_; ///< newest first
};

} // namespace pb
