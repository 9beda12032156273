#pragma once
// What we decided to say: frozen on disk before the first byte leaves.

#include "messages/values/ids.hpp"

#include <cstdint>
#include <string>

namespace pb {

enum class outbox_kind {
  message, ///< PUT …/send/{type}/{txn}: the same transaction id at every attempt
  state,   ///< PUT …/state/{type}/{key}: idempotent by its content
  file,    ///< `body` is a file_order as JSON: uploaded, then a message with the bytes made of it
  redact,  ///< PUT …/redact/{state_key}/{txn}: never on disk
};

/// Which row goes first when the budget is short. Within a room the order of `seq` always holds.
enum class send_class { final_answer = 0, state = 1, progress = 2 };

enum class outbox_state {
  waiting,
  sent,
  dead,    ///< refused for good, or nobody can tell any more whether it was said
  dropped, ///< progress that a newer row had overtaken before it left
};

struct outbox_row {
  std::int64_t seq = 0; ///< order of decision; given by the store
  outbox_id id;
  room_id room;
  outbox_kind kind = outbox_kind::message;
  send_class priority = send_class::final_answer;
  std::string type = "m.room.message";
  std::string state_key;
  std::string txn;  ///< "pb-" + id
  device_id device; ///< under which `txn` counts: the session's scope when the row was made
  std::string body; ///< JSON, the very bytes that leave
  turn_id turn;     ///< empty: not of a turn
  unix_ms made_at = 0;
  bool notify = false; ///< the room waits for the outcome
  outbox_id about;     ///< of a dead letter's notice: the row that is dead; it has none itself
  trace tr;
  std::string reason{}; ///< of a dead one, as read from the disk
};

/// What became of an attempt.
struct send_outcome {
  outbox_id id;
  outbox_state state = outbox_state::sent;
  event_id event;     ///< when sent
  std::string reason; ///< when dead
};

} // namespace pb
