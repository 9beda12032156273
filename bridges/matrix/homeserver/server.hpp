#pragma once
// Everything that an endpoint may use.

#include "bridges/matrix/homeserver/auth_rules.hpp"
#include "bridges/matrix/homeserver/call.hpp"
#include "bridges/matrix/homeserver/fault_book.hpp"
#include "bridges/matrix/homeserver/rate_book.hpp"
#include "bridges/matrix/homeserver/sync_wait.hpp"
#include "bridges/matrix/homeserver/world.hpp"

#include <deque>
#include <memory>
#include <string>

namespace pb::hs {

struct server {
  server(std::string name, std::function<unix_ms()> now, std::uint64_t seed, world_limits bounds,
         std::unique_ptr<journal> keep, timers& timer)
      : w(std::move(name), std::move(now), seed, bounds, std::move(keep)), clock(timer) {}

  world w;
  timers& clock;
  rate_book rates;
  fault_book faults;
  sync_hall syncs;
  bool open_registration = true, allow_faults = false, old_media_paths = true;
  unix_ms token_life = 0;              ///< of refreshable tokens; 0: there are no refresh tokens
  std::deque<std::string> uia_pending; ///< the last hundred
  std::uint64_t typing_requests = 0;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true); ///< callbacks hold it weakly

  /// The room if this account is joined to it, else 403; unknown rooms look the same.
  room& joined_room(const call& c);
  /// The room if the account may read some of it: joined, or left and not forgotten.
  room& readable_room(const call& c);
  room& any_room(const std::string& id);
  /// Validates, authorises and appends; the same state again gives the event that is there.
  event_ptr send(room& r, event draft, const std::string& txn_key = {});
  /// A member event with the profile of `target`.
  event_ptr set_membership(room& r, const std::string& sender, const std::string& target,
                           const std::string& membership, const json& more = json::object());
  /// Of an invitation, whichever way it comes; 429, or 403 for people of other servers.
  void take_invite_rates(const room& r, const std::string& issuer, const std::string& receiver);
  /// Name and picture of who joins or is invited, where the sender gives none.
  void add_profile(event& member_event);
  room_lookup lookup();
};

} // namespace pb::hs
