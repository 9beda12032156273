#pragma once
// Bodies that we send, as exact JSON text: the same input gives the same bytes, so that an outbox
// row's bytes can be made again and compared. Bytes that are not UTF-8 become U+FFFD.

#include "bridges/matrix/content.hpp"
#include "bridges/matrix/text.hpp"
#include "messages/values/file.hpp"
#include "messages/values/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::matrix {

/// What a message is to the one who follows a turn (contract, section 7).
enum class delivery { draft, final_answer, notice, reply, file };

/// A text message of ours.
struct message_draft {
  std::string text;           ///< cut to one part: split_text makes more of it
  bool silent = false;        ///< m.notice: notifies nobody and is answered by no bot
  event_id reply_to;          ///< empty: no reply
  std::vector<user_id> tells; ///< m.mentions: who gets a notification; m.mentions is always there
  turn_id turn;               ///< empty: of no turn
  outbox_id row;              ///< by which the room itself can say that it was sent; may be empty
  delivery kind = delivery::reply;
  int part = 0;          ///< counted from 0
  event_id replaces;     ///< not empty: an edit of this event (the first one, never an edit)
  event_id thread;       ///< root of the thread that it belongs to; empty: none. Not of an edit
  bool markdown = false; ///< the text is Markdown: formatted_body goes along
};
/// What compose_message and compose_file make has at most so many bytes, whatever they are given; a
/// server refuses more than 65,536 of its own form.
constexpr std::size_t event_bytes = 60'000;
/// An edit carries `body` with "* " before it for clients that know no edits, everything else
/// twice: m.mentions stands at the top, too, which notifies (specification 1.9, edits with
/// mentions), and so does io.patchbay.delivery. An edit repeats neither the reply nor the thread.
/// HTML that does not fit is left out, never cut: of the edit's fallback first, then altogether.
/// Ids that no server would take (more than 255 bytes) and people past the eighth are left out,
/// too.
std::string compose_message(const message_draft& m);

/// What is known of a file when it is uploaded.
struct uploaded_content {
  std::string mxc;
  std::string name;     ///< for people
  std::string mimetype; ///< decides the kind: image/*, audio/*, video/*, else m.file
  std::int64_t size = 0;
  std::int64_t width = 0, height = 0; ///< 0: not known
};
/// The event of a file that an outbox row of kind `file` ordered.
std::string compose_file(const file_order& order, const uploaded_content& file,
                         const outbox_id& row);

/// A file_order as the body of an outbox row, and back; nothing if it is none.
std::string compose_file_order(const file_order& order);
std::optional<file_order> parse_file_order(std::string_view body);

/// The outbox row that a message of ours came from; nothing if it names none.
std::optional<outbox_id> delivery_row(std::string_view content);

/// Contents of our markers; parse_chat_marker and parse_space_marker give the same values back.
std::string compose_chat_marker(const chat_marker& m);
std::string compose_space_marker(const space_marker& m);

/// m.space.child: {"via":[server],"suggested":true}.
std::string compose_space_child(const std::string& server);
/// m.room.name; 255 bytes of it at most.
std::string compose_room_name(std::string_view name);

struct space_request {
  std::string name;
  space_marker marker; ///< its owner is invited
};
/// createRoom for a person's Space.
std::string compose_create_space(const space_request& r);

struct chat_request {
  std::string name;
  room_id space;      ///< whose members may join without an invitation
  std::string server; ///< ours, for m.space.parent
  chat_marker marker; ///< its owner is invited
};
/// createRoom for a chat in a Space.
std::string compose_create_chat(const chat_request& r);

/// The filter of our sync: what a bot acts on and nothing of its own in timelines. Own events stay
/// in `state`, where our markers are.
std::string compose_sync_filter(const user_id& me);
/// For a sync without a position: nothing but the position and invitations. What rooms there are
/// is asked room by room.
std::string compose_initial_filter();
/// For the pages that fill a gap: also our own events, because our join is where a room begins.
std::string compose_backfill_filter();
/// For pages in which our own messages are looked for.
std::string compose_own_filter(const user_id& me);
/// m.space.parent of a chat.
std::string compose_space_parent(const std::string& server);

} // namespace pb::matrix
