#pragma once
// Contents of events: every field read by itself, because any of them may have any type.
// A field of the wrong type counts as missing; nothing here fails as a whole but the markers, which
// are ours and therefore strict.

#include "messages/values/file.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

/// m.room.message and m.room.encrypted's relations; also m.reaction (`reaction`, `reacts_to`).
struct message_content {
  std::string msgtype; ///< empty: none, as after a redaction
  std::string body;
  std::string formatted_body;
  std::optional<event_id> replaces; ///< m.replace: this is an edit of that event
  struct text {
    std::string msgtype, body;
  };
  std::optional<text> new_content; ///< of an edit
  std::optional<event_id> in_reply_to;
  std::optional<event_id> thread_root;
  bool falls_back = false;           ///< in_reply_to is there for clients that know no threads
  std::optional<event_id> reacts_to; ///< m.annotation
  std::string reaction;              ///< its key, variation selectors (U+FE0E, U+FE0F) removed
  std::string filename;              ///< of a file: differs from `body` when that is a caption
  std::string url;                   ///< not checked: parse_mxc
  std::string mimetype;
  std::int64_t size = -1; ///< what the sender says; -1: nothing
  struct mentions_t {
    std::vector<user_id> users; ///< 100 at most
    bool room = false;
  };
  std::optional<mentions_t> mentions; ///< nothing: the sender's client knows no m.mentions
};
message_content parse_message(std::string_view content);

/// The file of a message of the types m.image, m.file, m.audio, m.video (and of m.sticker, which
/// has no msgtype: then it counts as m.image); nothing: it names none, as an encrypted file does.
/// Its name is `filename`, or `body` where there is none.
std::optional<incoming_file> parse_file(std::string_view content);
/// What stands beside the file of a message: its `body`, if that differs from the file's name.
std::string caption_of(const message_content& m);

/// An address of m.location: "geo:52.5,13.4", 255 printable characters at most; empty: none.
std::string parse_geo(std::string_view content);

/// m.poll.start or org.matrix.msc3381.poll.start. Markup is left out.
struct poll_content {
  std::string question;
  std::vector<std::string> answers; ///< 20 at most
};
/// Nothing: no question, or no answer to choose.
std::optional<poll_content> parse_poll(std::string_view content);

/// Clients before version 1.13 of the specification quote what is replied to in front of the text.
struct reply_body {
  std::string quoted; ///< lines without "> " and the author; about 1,000 bytes. Empty: no quote
  std::string text;   ///< what is left
};
reply_body split_reply(std::string_view body);

/// `redacts` of a redaction (the parser of events puts it into the content for every room version).
std::optional<event_id> redaction_target(std::string_view content);

struct member_content {
  std::string membership; ///< join, leave, invite, ban, knock; empty: none
  bool direct = false;
  std::string displayname;
};
member_content parse_member(std::string_view content);

struct tombstone_content {
  std::optional<room_id> replacement;
};
tombstone_content parse_tombstone(std::string_view content);

struct create_content {
  std::string type;         ///< "m.space"
  std::string version{"1"}; ///< of the room, if it names one; empty: not a string
  std::optional<room_id> predecessor;
};
create_content parse_create(std::string_view content);

/// m.space.child and m.space.parent: without `via` there is no link.
struct space_link {
  std::vector<std::string> via; ///< server names, 16 at most
  bool canonical = false, suggested = false;
};
space_link parse_space_link(std::string_view content);

/// Algorithm of m.room.encryption; empty: none is named. The room counts as encrypted either way.
std::string parse_encryption(std::string_view content);
/// m.room.name.
std::string parse_name(std::string_view content);

/// io.patchbay.chat. Every field is there and of its type, or there is no marker.
struct chat_marker {
  user_id owner;
  std::string chat; ///< "C7"
  platform_chat_id platform;
  agent_id agent;
  std::string state; ///< active or archived
  std::int64_t epoch = 0;
  intent_id intent;
  friend bool operator==(const chat_marker&, const chat_marker&) = default;
};
std::optional<chat_marker> parse_chat_marker(std::string_view content);

/// io.patchbay.space. Strict, too; an empty agent means that none is selected.
struct space_marker {
  user_id owner;
  agent_id agent;
  language lang = language::en;
  intent_id intent;
  friend bool operator==(const space_marker&, const space_marker&) = default;
};
std::optional<space_marker> parse_space_marker(std::string_view content);

/// 7 of "C7"; nothing for other text.
std::optional<std::int64_t> chat_number(std::string_view chat);
/// 7 of "Chat 7" or "Чат 7": names of rooms that were made before there were markers.
std::optional<std::int64_t> number_of_name(std::string_view name);

/// Rooms and people are marked with these.
inline constexpr std::string_view chat_marker_type = "io.patchbay.chat";
inline constexpr std::string_view space_marker_type = "io.patchbay.space";

} // namespace pb::matrix
