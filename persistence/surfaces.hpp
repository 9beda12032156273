#pragma once
// What the earlier bot kept of rooms, people and chats, read from its keys and JSON values.
//
// Nothing here is trusted: a value that cannot be read is reported by its key and skipped. Never
// in a report: a value.

#include "messages/values/room.hpp"

#include <string>
#include <vector>

namespace pb {

/// A row of its table kv.
struct surface_entry {
  std::string key, value;
};

struct surface_room {
  room_id room;
  std::string chat;          ///< "C7"; empty: to be numbered
  platform_chat_id platform; ///< 0: to be drawn
  user_id owner;
  agent_id agent;
  room_id space;
  std::string title;
  bool archived = false;
};

struct surfaces {
  std::vector<surface_room> rooms; ///< by room id
  std::vector<user_row> people;    ///< by user id; the language is not known
  std::vector<saved_context> saved;
  platform_chat_id last; ///< the highest that was given out or is in use
  std::size_t chats = 0; ///< keys chat:*
  /// For a person, each names its key.
  std::vector<std::string> broken, unknown, notes;
};

/// Keys matrix_room:{room id}, matrix_user:{user id}, chat:{chat id}, and the sequence's. Field
/// names: the table in surfaces.cpp.
surfaces read_surfaces(const std::vector<surface_entry>& entries);

} // namespace pb
