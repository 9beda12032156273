#pragma once
// Files on their way between a room and an agent's workspace.

#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <cstdint>
#include <string>

namespace pb {

/// What a message with a file says about it. Every field is the sender's word.
struct incoming_file {
  std::string msgtype;  ///< m.image, m.file, m.audio, m.video
  std::string mxc;      ///< not checked
  std::string name;     ///< as the sender calls it: not safe as a file name
  std::string mimetype; ///< empty: not said
  std::int64_t size = -1;
  std::int64_t width = 0, height = 0; ///< of a picture; 0: not said
  std::int64_t duration = 0;          ///< ms; 0: not said
  bool voice = false;                 ///< a voice message
};

/// A file of a person, in the workspace.
struct staged_file {
  std::string path; ///< relative to the workspace
  std::int64_t size = 0;
};

/// What an outbox row of kind `file` holds until it is uploaded: then the event's bytes take its
/// place, for good.
struct file_order {
  std::string workspace; ///< our side of it, `{user}` replaced
  std::string path;      ///< relative; or of a text of ours, see `text`
  std::string text; ///< not empty: these very bytes are the file (a long answer), `path` its name
  std::string caption;
  turn_id turn;
  event_id reply_to;
  event_id thread; ///< root of the thread that it belongs to; empty: none
  user_id mention; ///< empty: nobody
  int part = 0;
};

/// What a file failed with will not go away by asking again.
constexpr bool is_final(fault_code code) {
  switch (code) {
  case fault_code::refused:
  case fault_code::not_found:
  case fault_code::too_large:
  case fault_code::malformed:
  case fault_code::configuration:
  case fault_code::conflict:
  case fault_code::bug:
    return true;
  default:
    return false;
  }
}

} // namespace pb
