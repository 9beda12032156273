#pragma once
// Port: what is on disk. One owner, one thread; the persistence actor wraps it.
//
// Every write runs inside begin() … commit(); several may share one transaction (group commit), and
// each is all or nothing in itself. Nothing may be told to anybody before commit() has succeeded.

#include "messages/values/event.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/outbox.hpp"
#include "messages/values/room.hpp"
#include "messages/values/turn.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pb {

/// One sync response, as far as it is kept. Its cursor is on disk if and only if its events are.
struct admission {
  std::string cursor;              ///< next_batch; empty (not from a sync): the old one stays
  std::vector<inbox_row> events;   ///< seq is ignored; duplicates by event id are dropped
  std::vector<invite_row> invites; ///< replace an older one of the same room
  std::vector<membership_row> memberships;
  std::vector<room_row> restored; ///< rooms found by their markers; existing rows stay untouched
  std::vector<user_row> restored_users; ///< likewise
  std::vector<room_id> encrypted; ///< rooms in which encryption was switched on: never off again
};

struct admitted {
  std::vector<inbox_row> fresh; ///< those that were not known, with seq, in order
  std::vector<invite_row> invites;
};

/// What a room actor is born from.
struct room_snapshot {
  std::optional<room_row> room;     ///< nothing: the room is unknown
  std::vector<inbox_row> pending;   ///< unsettled, in order, at most `limit`
  bool more = false;                ///< there are more pending rows
  std::vector<turn_row> open_turns; ///< dispatched and not ended
  bool marker_waits = false;        ///< a state row of this room is not sent yet
};

/// Everything that becomes true together when something in a room is decided.
struct settlement {
  std::vector<inbox_settled> inbox;
  std::optional<turn_row> turn;         ///< the turn's end: updates its row, or makes it
  std::vector<outbox_row> outbox;       ///< seq is given by the store
  std::optional<room_row> room;         ///< insert or update
  std::optional<user_row> user;         ///< insert or update
  std::optional<intent_row> intent;     ///< insert or update
  std::optional<intent_id> intent_done; ///< deleted
  std::optional<room_id> invite_done;   ///< deleted
};

struct account_row {
  user_id user;
  device_id device;
  std::string access_token; ///< only when we logged in by password
};

struct store_counts {
  std::int64_t inbox_pending = 0, outbox_waiting = 0, outbox_dead = 0, turns_open = 0, rooms = 0;
};

class store {
public:
  virtual ~store() = default;

  // -- transactions --
  virtual result<void> begin() = 0;
  virtual result<void> commit() = 0; ///< an error here is final: close and start anew
  virtual void rollback() = 0;

  // -- reads (also between begin and commit) --
  virtual result<std::optional<std::string>> cursor() = 0;
  virtual result<std::optional<account_row>> account() = 0;
  virtual result<room_snapshot> open_room(const room_id& room, std::size_t limit) = 0;
  /// Pending rows of a room behind `after`, in order.
  virtual result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                                 std::size_t limit) = 0;
  /// Rooms that have pending inbox rows or open turns: to be woken after a start.
  virtual result<std::vector<room_id>> rooms_with_work() = 0;
  virtual result<std::vector<room_row>> rooms() = 0;
  virtual result<std::optional<room_row>> room(const room_id& room) = 0;
  virtual result<std::optional<user_row>> user(const user_id& user) = 0;
  virtual result<std::vector<invite_row>> invites() = 0;
  virtual result<std::vector<intent_row>> intents() = 0;
  /// Waiting outbox rows behind `after_seq`, in order.
  virtual result<std::vector<outbox_row>> outbox(std::int64_t after_seq, std::size_t limit) = 0;
  virtual result<store_counts> counts() = 0;

  // -- writes --
  virtual result<void> save_account(const account_row& account) = 0;
  virtual result<admitted> admit(const admission& batch) = 0;
  /// The dispatched mark: inserts the turn, or counts one more attempt of it.
  virtual result<void> dispatch(const turn_row& turn) = 0;
  /// Returns the outbox rows with their seq.
  virtual result<std::vector<outbox_row>> settle(const settlement& what) = 0;
  virtual result<void> record(const std::vector<send_outcome>& outcomes) = 0;
  /// The next platform_chat_id: never given out twice, also when the caller forgets it.
  virtual result<platform_chat_id> draw_platform_chat_id() = 0;
};

} // namespace pb
