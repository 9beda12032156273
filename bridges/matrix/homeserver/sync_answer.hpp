#pragma once
// What one sync tells one device.

#include "bridges/matrix/homeserver/sync_filter.hpp"
#include "bridges/matrix/homeserver/world.hpp"

#include <optional>
#include <string>

namespace pb::hs {

/// "s<stream>_<typing>_<to-device>". The three move apart: typing does not survive a restart, and
/// messages to devices come in portions.
struct sync_token {
  position stream = 0, typing = 0, to_device = 0;
};

std::string to_text(const sync_token& token);
/// Takes also a stream position alone, as message paging gives; nothing: malformed.
std::optional<sync_token> read_token(std::string_view text);
/// A place in the stream for message paging.
std::string page_token(position pos);

struct sync_question {
  account* who = nullptr;
  std::string device;
  std::optional<sync_token> since;
  sync_filter filter;
  bool full_state = false;
};

struct sync_result {
  json body;
  bool empty = true; ///< nothing to tell: a long poll goes on waiting
};

sync_result answer_sync(world& w, const sync_question& q);

} // namespace pb::hs
