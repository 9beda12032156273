#pragma once
// A question of an agent that a person has to answer: bound to a prompt, a room and those who may.

#include "messages/values/ids.hpp"

#include <cstdint>
#include <string>

namespace pb {

enum class confirmation_state {
  open,
  yes,
  no,
  expired,  ///< its time passed; the agent got a no if it still listened
  orphaned, ///< the agent does not know the question any more
  dropped,  ///< taken back: `!stop`, a fresh context, the turn ended without waiting for it
};

/// `id` is also the id of the outbox row that holds the prompt.
struct confirmation_row {
  outbox_id id;
  room_id room;
  turn_id turn; ///< in which the agent asked
  agent_id agent;
  platform_chat_id chat;
  std::string name;           ///< by which the agent calls it: unique within its turn only
  std::int64_t number = 0;    ///< by which people call it: `!yes 3`; counted per room from 1
  std::string prompt;         ///< as the agent wrote it
  user_id asker;              ///< whose turn it is
  std::int64_t inbox_seq = 0; ///< of the message that the turn answers
  event_id prompt_event;      ///< empty: not sent yet
  unix_ms made_at = 0;
  unix_ms shown_at = 0; ///< origin_server_ts of the prompt's event; 0: not known
  unix_ms expires_at = 0;
  confirmation_state state = confirmation_state::open;
  user_id answered_by;         ///< empty: nobody
  std::int64_t answer_seq = 0; ///< inbox row of the answer; 0: none
  /// The agent was handed the answer, as far as anybody knows; false: its own turn waits for it.
  bool delivered = false;
  std::int64_t seq = 0; ///< order of asking, over all rooms; given by the store
};

} // namespace pb
