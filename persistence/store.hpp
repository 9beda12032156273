#pragma once
// Port: what is on disk. One owner, one thread; the persistence actor wraps it.
//
// Every write runs inside begin() … commit(); several may share one transaction (group commit), and
// each is all or nothing in itself. Nothing may be told to anybody before commit() has succeeded.

#include "messages/values/confirmation.hpp"
#include "messages/values/event.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/outbox.hpp"
#include "messages/values/room.hpp"
#include "messages/values/turn.hpp"

#include <chrono>
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
  std::vector<poison_row> poison; ///< set aside; the newest 1,000 are kept
  std::vector<outbox_row> outbox; ///< what a room is told of this batch (a gap that stays open)
};

struct admitted {
  std::vector<inbox_row> fresh; ///< those that were not known, with seq, in order
  std::vector<invite_row> invites;
  std::vector<outbox_row> outbox; ///< with seq
};

/// Which events of a room were ever admitted.
struct known_answer {
  std::vector<bool> known; ///< one for each that was asked for
  bool baseline = false;   ///< there is any known event of that room
};

/// What a room actor is born from.
struct room_snapshot {
  std::optional<room_row> room;                ///< nothing: the room is unknown
  std::vector<inbox_row> pending;              ///< unsettled, in order, at most `limit`
  bool more = false;                           ///< there are more pending rows
  std::vector<turn_row> open_turns;            ///< dispatched and not ended
  bool marker_waits = false;                   ///< a state row of this room is not sent yet
  std::optional<language> owner_lang;          ///< of the room's owner, if they are known
  std::vector<confirmation_row> confirmations; ///< all open, the newest 64 others, by number
};

/// Everything that becomes true together when something in a room is decided.
struct settlement {
  std::vector<inbox_settled> inbox;
  std::optional<turn_row> turn; ///< the turn's end: updates its row, or makes it
  /// seq is given by the store. An id that was ever used, also for the same: conflict, and nothing
  /// of the settlement is written. So what must be said once, whoever decides it again (a push), is
  /// named after its cause, and conflict means that it was said. Kind `redact`: bug.
  std::vector<outbox_row> outbox;
  std::optional<room_row> room;         ///< insert or update
  std::optional<user_row> user;         ///< insert or update
  std::optional<intent_row> intent;     ///< insert or update
  std::optional<intent_id> intent_done; ///< deleted
  std::optional<room_id> invite_done;   ///< deleted
  /// Added to what that room has used: a turn's end does not write the whole row, which may have
  /// been changed by others meanwhile.
  std::optional<std::pair<room_id, room_usage>> used;
  /// The room that `room` replaces: its numbers, what waits in it and its confirmations move; it is
  /// left behind. A message with an open turn stays where it was asked, and so does what that turn
  /// asked.
  std::optional<room_id> moved_from;
  /// `room` counts only while its row has this epoch: else conflict, and nothing is written. Its
  /// choices, usage and question are then the row's: they are for the room itself to change.
  std::optional<std::int64_t> room_epoch_is;
  bool topology_known = false; ///< a full walk was applied: from now on the database is no stranger
  std::vector<saved_context> saved; ///< insert or update, by owner, agent and name
  /// Insert, or update by id: event, times, state, answer. What it is about never changes, and an
  /// end is never taken back ("open" for one that has ended changes nothing) unless it is an answer
  /// that was never handed to the agent.
  std::vector<confirmation_row> confirmations;
  /// Of rows sent before; so a dead letter and the notice about it become true together.
  std::vector<send_outcome> outcomes;
};

struct account_row {
  user_id user;
  device_id device;
  std::string access_token{};  ///< only when we logged in by password
  std::string refresh_token{}; ///< likewise; empty: the server gave none
};

struct store_counts {
  std::int64_t inbox_pending = 0, outbox_waiting = 0, outbox_dead = 0, turns_open = 0, rooms = 0,
               poison = 0;
  std::int64_t poison_dropped = 0; ///< by the cap, since the database was made
  std::int64_t confirmations_open = 0;
};

/// Of one chat's memory, in bytes.
inline constexpr std::size_t memory_cap = std::size_t{256} << 10;

/// One call's share of the retention's work.
struct pruned {
  std::size_t rows = 0; ///< taken away
  bool more = false;    ///< the sweep is not at its end: call again
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
  /// Rooms that have pending inbox rows, open turns or open confirmations (which expire): to be
  /// woken after a start.
  virtual result<std::vector<room_id>> rooms_with_work() = 0;
  virtual result<std::vector<room_row>> rooms() = 0;
  /// Chats by id behind `after`, `limit` at most; of one agent, of one owner, unless that is empty.
  virtual result<std::vector<room_row>> chats(const room_id& after, std::size_t limit,
                                              const agent_id& agent, const user_id& owner) = 0;
  virtual result<std::optional<room_row>> room(const room_id& room) = 0;
  virtual result<std::optional<user_row>> user(const user_id& user) = 0;
  virtual result<std::vector<invite_row>> invites() = 0;
  virtual result<std::vector<intent_row>> intents() = 0;
  /// Waiting outbox rows behind `after_seq`, in order.
  virtual result<std::vector<outbox_row>> outbox(std::int64_t after_seq, std::size_t limit) = 0;
  virtual result<store_counts> counts() = 0;
  virtual result<std::vector<user_row>> users() = 0;
  /// A full walk over the homeserver's rooms was applied to this database.
  virtual result<bool> topology_known() = 0;
  /// The highest platform_chat_id that was ever given out or seen here.
  virtual result<platform_chat_id> last_platform_chat_id() = 0;
  /// Also ids whose rows were pruned.
  virtual result<known_answer> known(const room_id& room, const std::vector<event_id>& events) = 0;
  /// The message of the room's newest turn, if that turn was interrupted: what `!retry` sends.
  virtual result<std::optional<inbox_row>> interrupted(const room_id& room) = 0;
  /// Newest first, before `before` (0: from the end).
  virtual result<std::vector<poison_row>> poison(std::int64_t before, std::size_t limit) = 0;
  virtual result<std::vector<outbox_row>> dead(std::int64_t before, std::size_t limit) = 0;
  virtual result<std::vector<saved_context>> saved_contexts() = 0;
  /// The room whose chat has, or ever had, this number; for a replaced room, its successor.
  virtual result<std::optional<room_row>> room_of_chat(platform_chat_id chat) = 0;
  /// Newest first, before the seq `before` (0: from the end). `open_only`: unanswered ones.
  virtual result<std::vector<confirmation_row>> confirmations(bool open_only, std::int64_t before,
                                                              std::size_t limit) = 0;
  /// What the last remember() of this agent and chat said; empty: none.
  virtual result<std::string> recall(const agent_id& agent, platform_chat_id chat) = 0;
  /// This database was brought back from a backup and is now opened for the first time: it is
  /// older than what the world saw, and was made safe for that (see docs/operations.md).
  [[nodiscard]] virtual bool was_restored() const { return false; }

  /// Stamps rows of the outbox that name no device from now on.
  virtual void set_scope(device_id scope) = 0;

  // -- writes --
  virtual result<void> save_account(const account_row& account) = 0;
  virtual result<admitted> admit(const admission& batch) = 0;
  /// The dispatched mark: inserts the turn, or counts one more attempt of it.
  virtual result<void> dispatch(const turn_row& turn) = 0;
  /// Returns the outbox rows with their seq.
  virtual result<std::vector<outbox_row>> settle(const settlement& what) = 0;
  virtual result<void> record(const std::vector<send_outcome>& outcomes) = 0;
  /// A waiting row of kind `file` was uploaded: from now on it is a message with these bytes, in
  /// its old place. The same once more changes nothing. not_found: no such row; conflict: it has
  /// other bytes already, or waits no more.
  virtual result<void> freeze(const outbox_id& row, const std::string& body) = 0;
  /// The next platform_chat_id: never given out twice, also when the caller forgets it.
  virtual result<platform_chat_id> draw_platform_chat_id() = 0;
  /// No id up to `seen` is drawn from now on.
  virtual result<void> raise_platform_chat_id(platform_chat_id seen) = 0;
  /// What a chat's sessions with an agent have to know later, opaque here. It replaces what was
  /// there; empty: forgotten. More than memory_cap: too_large, and what was there stays.
  virtual result<void> remember(const agent_id& agent, platform_chat_id chat,
                                const std::string& memory) = 0;
  /// Takes away what was settled longer than `keep` ago, at most `limit` rows (and with a message
  /// its turns; never an open confirmation), and what was remembered as long ago of chats whose
  /// number no room has any more. When a sweep is at its end, the following commit brings the log
  /// into the file. Ids of events, and of messages without a turn (pushes), stay, compactly, for 30
  /// days or `keep`, whichever is longer; the newest event of a room stays whole, because gaps are
  /// walked back to it.
  virtual result<pruned> prune(std::chrono::milliseconds keep, std::size_t limit) = 0;
};

} // namespace pb
