#pragma once
// What an event in a room asks of us. Pure: sends nothing, waits for nothing.

#include "messages/values/event.hpp"
#include "messages/values/file.hpp"
#include "messages/values/room.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pb {

enum class command_name {
  help,
  start,
  new_chat,
  chats,
  rename,
  archive,
  restore,
  agent,
  clear,
  context,
  save,
  load,
  settings,
  set,
  allow,
  deny,
  yes,
  no,
  stop,
  retry
};

namespace asks {
struct nothing {
  std::string why;
}; ///< settled as ignored
struct turn {
  std::string text;                    ///< may be empty when there is a file
  std::optional<incoming_file> file{}; ///< its caption is the text
  event_id quotes{};                   ///< what it replies to; empty: nothing
  std::string quoted{};                ///< as the client quoted it; empty: it did not
};                                     ///< for the agent
struct command {
  command_name name;
  std::string argument;
  event_id replies_to{};
};
/// A number alone, while a question of ours waits for one.
struct number {
  std::size_t n = 0;
};
/// ✅ or ❌.
struct reaction {
  event_id target;
  bool yes = false;
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

using verdict = std::variant<asks::nothing, asks::turn, asks::command, asks::number, asks::reaction,
                             asks::refusal, asks::edit, asks::redaction, asks::encrypted>;

struct room_view {
  room_kind kind = room_kind::chat;
  user_id owner;
  language lang = language::en;
  bool archived = false;
  std::string chat;             ///< "C7"
  std::vector<user_id> allowed; ///< who else may speak
  user_id questioned;           ///< who may answer our open question with a number; empty: nobody
};

struct room_rules {
  user_id bot;
  std::vector<user_id> operators;
  std::size_t queue_limit = 32;
  std::size_t max_message_bytes = 32'768;
  language lang = language::en;
  bool only_listed = false; ///< only people of the registry are admitted
};

/// Owner or operator: may do everything in this room.
bool is_master(const user_id& who, const room_view& room, const room_rules& rules);

/// Decides by sender, type and content alone. Only the owner, those whom the owner allows, and
/// operators are listened to.
verdict classify(const matrix_event& event, const room_view& room, const room_rules& rules);

/// The name of the command that is nearest to `word`, or nothing when none is near.
std::string nearest_command(std::string_view word);

/// To what an answer to this event replies: the event itself; of a reaction, what it is on, since
/// nobody sees a reaction as a message.
event_id answered_event(const matrix_event& event);

/// The root of the thread that the event belongs to, if it does.
event_id thread_of(const matrix_event& event);

} // namespace pb
