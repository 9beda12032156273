#pragma once
// Rooms, people and the creation of rooms, as rows.

#include "messages/values/ids.hpp"
#include "messages/values/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pb {

enum class room_kind { chat, lobby, space };
enum class room_state { active, archived, left };

/// A question of ours that waits for a short answer in its room (`!load`: a number). One a room.
struct waiting_question {
  user_id asked;                    ///< who may answer
  std::vector<std::string> options; ///< by number, counted from 1
  unix_ms expires_at = 0;
  friend bool operator==(const waiting_question&, const waiting_question&) = default;
};

/// What a person set in this room.
struct room_choices {
  std::optional<language> lang;            ///< nothing: the person's
  std::optional<streaming_mode> streaming; ///< nothing: the configuration's
  bool notices = true;                     ///< progress and slowness are told
  std::vector<user_id> allowed;            ///< who else may speak, besides owner and operators
  friend bool operator==(const room_choices&, const room_choices&) = default;
};

/// Since the last clear.
struct room_usage {
  std::int64_t turns = 0, input_tokens = 0, output_tokens = 0;
  friend bool operator==(const room_usage&, const room_usage&) = default;
};

struct room_row {
  room_id id;
  room_kind kind = room_kind::chat;
  user_id owner;
  std::string chat;          ///< "C7"; empty for a lobby or a Space
  platform_chat_id platform; ///< 0 for a lobby or a Space
  agent_id agent;
  std::int64_t epoch = 0; ///< counts the clears
  room_state state = room_state::active;
  room_id space; ///< of a chat: the Space that it belongs to
  intent_id intent;
  std::string title; ///< the room's name
  bool encrypted = false;
  bool encrypted_told = false; ///< the one notice was sent
  room_choices choices{};
  room_usage usage{};
  std::optional<waiting_question> question{};
  bool granted = false; ///< an operator bound it to its agent, whomever that belongs to
};

struct user_row {
  user_id id;
  room_id space;              ///< empty: none yet
  agent_id agent;             ///< selected for new chats; empty: the registry's
  std::int64_t next_chat = 1; ///< number of the next chat
  language lang = language::en;
};

/// A conversation that an agent wrote down in its workspace.
struct saved_context {
  user_id owner;
  agent_id agent;
  room_id room; ///< where it was saved
  std::string name;
  std::string path; ///< relative to the workspace
  unix_ms at = 0;
};

/// One creation of rooms, step by step on disk: after a crash it goes on where it stood.
struct intent_row {
  enum class kind_t { onboard, chat };
  enum class step_t {
    space_wanted,  ///< nothing asked yet
    space_calling, ///< createRoom may have reached the server: look for the intent first
    chat_wanted,
    chat_calling,
    link_wanted, ///< the chat is to be linked into the Space
  };
  intent_id id;
  kind_t kind = kind_t::chat;
  step_t step = step_t::chat_wanted;
  user_id owner;
  room_id origin;        ///< where the answer goes: the lobby, or the room of `!new`
  event_id origin_event; ///< what is replied to; may be empty
  std::string title;     ///< as the person asked; empty: "Chat N"
  std::string chat;      ///< "C7" once it is drawn
  platform_chat_id platform;
  agent_id agent;
  room_id space, room; ///< as far as they exist
  trace tr;
};

} // namespace pb
