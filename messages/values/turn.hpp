#pragma once
// A turn: one question to an agent and what comes of it. Independent of Matrix.

#include "messages/values/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pb {

/// The answer to a confirmation whose turn is over: the turn that carries it begins with it.
struct turn_answer {
  std::string confirmation; ///< as the agent calls it
  bool yes = false;
};

/// What an agent is asked. `id` is the message_id on the wire: the same when we send a turn again.
struct turn_request {
  trace tr;
  turn_id id;
  room_id room;
  agent_id agent;
  platform_chat_id chat;
  user_id asker;
  std::string text;
  std::vector<std::string> attachments; ///< paths relative to the workspace
  std::optional<turn_answer> answer{};  ///< then there is no text
};

enum class turn_state {
  dispatched,  ///< the frame was handed to the socket, or was about to be
  answered,    ///< END came
  failed,      ///< ERROR came, or a limit was passed; the person was told
  interrupted, ///< the connection or we ended in the middle; the person was told
  cancelled,   ///< the person stopped it
};

/// A turn on disk: written immediately before its frame is handed to the socket.
struct turn_row {
  turn_id id;
  room_id room;
  agent_id agent;
  platform_chat_id chat;
  std::int64_t inbox_seq = 0; ///< the message that asked
  turn_state state = turn_state::dispatched;
  int attempts = 1; ///< how often it was handed to a socket
  unix_ms at = 0;
};

} // namespace pb
