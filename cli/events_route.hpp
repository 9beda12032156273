#pragma once
// POST /api/v1/agents/{id}/events: what agents say outside turns. Knows no actors.
//
// Bearer: the agent's events_token. Body: see bridges/agent/push.hpp. 200 {"accepted":true} once it
// is on the disk, also for an event_id that was told before; 400 fields, 401 no token, 403 another
// token, 404 no such chat, 409 the agent is not enabled, 410 the room was left, 413, 503 later.

#include "bridges/admin/admin.hpp"
#include "bridges/agent/push.hpp"
#include "messages/values/registry.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace pb::cli {

struct events_access {
  bool enabled = true;
  std::optional<secret> token; ///< nothing: this agent posts nothing
};

std::map<agent_id, events_access> events_access_of(const registry& agents);

struct events_desk {
  std::map<agent_id, events_access> agents;
  std::string admin_token; ///< who shows it may learn which agents there are
  /// Calls back at most once, from any thread: nothing, or what went wrong, after the COMMIT.
  std::function<void(agent_id, posted_push, std::function<void(const std::optional<fault>&)>)>
      deliver;
};

inline constexpr std::size_t events_at_once = 64; ///< of one agent that are not answered yet

api_route events_route(events_desk desk);

} // namespace pb::cli
