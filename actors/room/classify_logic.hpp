#pragma once
// What an event in a room asks of us. Pure: sends nothing, waits for nothing.

#include "messages/values/event.hpp"
#include "messages/values/room.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pb {

enum class command_name { help, start, new_chat, clear, stop, retry };

namespace asks {
struct nothing {
  std::string why;
}; ///< settled as ignored
struct turn {
  std::string text;
}; ///< for the agent
struct command {
  command_name name;
  std::string argument;
};
struct refusal {
  std::string sentence;
}; ///< told, and that is all
struct edit {
  event_id target;
  std::string text;
}; ///< of a message that may still wait
struct redaction {
  event_id target;
};
struct encrypted {}; ///< we cannot read it
} // namespace asks

using verdict = std::variant<asks::nothing, asks::turn, asks::command, asks::refusal, asks::edit,
                             asks::redaction, asks::encrypted>;

struct room_view {
  room_kind kind = room_kind::chat;
  user_id owner;
  language lang = language::en;
};

struct room_rules {
  user_id bot;
  std::vector<user_id> operators;
  std::size_t queue_limit = 32;
  std::size_t max_message_bytes = 32'768;
  language lang = language::en;
};

/// Decides by sender, type and content alone. Only the owner and operators are listened to.
verdict classify(const matrix_event& event, const room_view& room, const room_rules& rules);

/// The name of the command that is nearest to `word`, or nothing when none is near.
std::string nearest_command(std::string_view word);

} // namespace pb
