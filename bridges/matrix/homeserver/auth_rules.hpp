#pragma once
// Who may do what in a room: the authorisation rules of room version 10 without federation.

#include "bridges/matrix/homeserver/model.hpp"

#include <functional>
#include <string>

namespace pb::hs {

inline constexpr auto room_version = "10";

/// Finds another room, for restricted joins.
using room_lookup = std::function<const room*(const std::string&)>;

[[nodiscard]] std::int64_t level_of(const room& r, const std::string& user);
/// Of "ban", "kick", "redact", "invite", "state_default" …
[[nodiscard]] std::int64_t level_for(const room& r, const std::string& action);
[[nodiscard]] std::int64_t level_to_send(const room& r, const std::string& type, bool state);
/// True when a member of one of the rooms that the join rule allows.
[[nodiscard]] bool restricted_join_allowed(const room& r, const std::string& user,
                                           const room_lookup& rooms);

/// Throws api_error 403 M_FORBIDDEN (or 400 for a malformed content).
void authorise(const room& r, const event& draft, const room_lookup& rooms);

} // namespace pb::hs
