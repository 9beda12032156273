#pragma once
// Events of a room as they are admitted: only what the router acts on.

#include "messages/values/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pb {

/// A room event. `content` is a JSON object as text: its fields are untrusted and read one by one.
struct matrix_event {
  event_id id;
  room_id room;
  user_id sender;
  std::string type;
  std::optional<std::string> state_key; ///< present: a state event
  unix_ms sent_at = 0;                  ///< origin_server_ts: for people, never for decisions
  std::string content;
};

/// An event that is on disk. Rooms get theirs in the order of `seq`.
struct inbox_row {
  std::int64_t seq = 0; ///< order of admission, over all rooms
  matrix_event event;
  trace tr;
  bool backlog = false; ///< from an absence or a gap: does not count against a room's queue
};

/// What became of an inbox row.
enum class inbox_outcome {
  answered,  ///< a turn ended with an answer, or a command was done
  told,      ///< the person was told why not
  ignored,   ///< not for us: a stranger's text, an edit that came too late
  cancelled, ///< the person took it back
};

struct inbox_settled {
  std::int64_t seq = 0;
  inbox_outcome outcome = inbox_outcome::answered;
};

/// Something that came and could not be understood: set aside with its reason, for the operator.
struct poison_row {
  std::int64_t seq = 0; ///< given by the store
  room_id room;         ///< empty: not of a room
  event_id event;       ///< empty: it had no usable id
  std::string reason;
  std::string raw; ///< its first 4 KiB, as UTF-8: people's text, never for a log
  unix_ms at = 0;
};

/// An invitation that waits for topology.
struct invite_row {
  room_id room;
  user_id inviter;
  bool direct = false;
  trace tr;
};

/// Our own membership of a room as sync reports it.
enum class membership { join, leave, ban };

struct membership_row {
  room_id room;
  membership state = membership::join;
  user_id by; ///< who caused it: ourselves, or who kicked us
};

} // namespace pb
