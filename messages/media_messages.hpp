#pragma once
// The typed interface of the media actor: what rooms and the sender need of the homeserver besides
// sending.

#include "messages/store_messages.hpp"
#include "messages/values/event.hpp"
#include "messages/values/file.hpp"
#include "messages/values/outbox.hpp"

#include <caf/all.hpp>
#include <string>

namespace pb {

struct fetch_event {
  room_id room;
  event_id event;
};
struct fetched_event {
  matrix_event event; ///< content as it is now, edits not applied
};
/// Brings a file of a person into the workspace of an agent.
struct fetch_file {
  trace tr;
  incoming_file file;
  std::string workspace; ///< of the agent, `{user}` still in it
  user_id user;
  platform_chat_id chat;
};
/// Uploads what an outbox row of kind `file` orders.
struct upload_file {
  outbox_row row;
};
struct uploaded_file {
  std::string body; ///< of the event, as compose_file makes it
};
/// MEDIA: files and single events, a few at a time. Errors carry a sentence in no language: the
/// code says it all (too_large, refused, not_found, timed_out, unreachable, storage, disk_full,
/// malformed, rate_limited, busy), the cause is for the log.
using matrix_media_actor = caf::typed_actor<caf::replies_to<fetch_event>::with<fetched_event>,
                                            caf::replies_to<fetch_file>::with<staged_file>,
                                            caf::replies_to<upload_file>::with<uploaded_file>,
                                            caf::reacts_to<session_renewed>, // from the session
                                            caf::reacts_to<http_finished>,   // from I/O
                                            caf::reacts_to<tick>,            // itself
                                            caf::replies_to<get_status>::with<status_report>>;

} // namespace pb
