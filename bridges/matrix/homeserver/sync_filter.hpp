#pragma once
// Filters of sync and of message paging (client-server API, Filtering).

#include "bridges/matrix/homeserver/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pb::hs {

struct event_filter {
  using names = std::vector<std::string>;
  std::optional<names> types, senders, rooms;
  names not_types, not_senders, not_rooms;
  std::optional<std::size_t> limit;
  std::optional<bool> contains_url;
  bool lazy_load_members = false;

  [[nodiscard]] bool passes(const event& e) const;
  /// For what is not an event of a room.
  [[nodiscard]] bool passes(const std::string& type, const std::string& sender) const;
  [[nodiscard]] bool passes_room(const std::string& room) const;
};

struct sync_filter {
  event_filter timeline, state, ephemeral, room_data, account_data;
  event_filter rooms; ///< only its rooms and not_rooms count
  bool include_leave = false;
};

/// Throw api_error 400 M_BAD_JSON.
event_filter read_event_filter(const json& filter);
sync_filter read_sync_filter(const json& filter);

} // namespace pb::hs
