#pragma once
// What the bot says, in the languages that it speaks. One name for each sentence.

#include "messages/values/settings.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace pb {

enum class phrase {
  help,                 ///< {}
  lobby_help,           ///< {}
  unknown_command,      ///< {command, nearest}
  no_such_command,      ///< {command}
  not_there_yet,        ///< {command}
  text_too_long,        ///< {bytes, limit}
  queue_full,           ///< {limit}
  no_files_yet,         ///< {}
  no_kind_yet,          ///< {kind}
  edit_too_late,        ///< {}
  context_cleared,      ///< {number}
  new_chat_failed,      ///< {why}
  chat_made,            ///< {title, link}
  home_made,            ///< {link}
  home_is,              ///< {link}
  nothing_runs,         ///< {}
  stopped,              ///< {}
  no_agent,             ///< {}
  agent_gone,           ///< {agent}
  agent_unreachable,    ///< {agent}
  agent_rejected,       ///< {agent, status}
  agent_error,          ///< {agent, code}
  agent_idle,           ///< {agent}
  agent_too_long,       ///< {agent}
  answer_too_large,     ///< {agent}
  agent_malformed,      ///< {agent}
  agent_busy,           ///< {agent}
  agent_slow,           ///< {agent}
  interrupted,          ///< {agent}
  router_interrupted,   ///< {}
  empty_answer,         ///< {agent}
  answer_cut,           ///< {}
  confirm_declined,     ///< {prompt}
  file_declined,        ///< {path}
  unknown_room,         ///< {why}
  encrypted_room,       ///< {}
  storage_trouble,      ///< {}
  messages_missing,     ///< {cause}
  records_lost,         ///< {}
  nothing_to_retry,     ///< {}
  moved_here,           ///< {}
  upgrade_not_followed, ///< {why}
  undelivered,          ///< {why}
  why_too_large,        ///< {}
  why_refused,          ///< {code}
  perhaps_delivered,    ///< {}
};

/// The sentence with {0}, {1} … replaced by the arguments, as they are.
std::string say(language lang, phrase what, std::initializer_list<std::string_view> args = {});

/// "Chat 7", "Чат 7".
std::string chat_title(language lang, std::int64_t number);

} // namespace pb
