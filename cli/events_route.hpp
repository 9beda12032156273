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
#include <optional>
#include <string>

namespace pb::cli {

struct events_access {
  bool enabled = true;
  std::optional<secret> token; ///< nothing: this agent posts nothing
};

struct events_desk {
  /// Of the registry in force; nothing: there is no agent of this id. From any thread.
  std::function<std::optional<events_access>(const agent_id&)> access;
  std::string admin_token; ///< who shows it may learn which agents there are
  /// Calls back at most once, from any thread: nothing, or what went wrong, after the COMMIT.
  std::function<void(agent_id, posted_push, std::function<void(const std::optional<fault>&)>)>
      deliver;
};

inline constexpr std::size_t events_at_once = 64; ///< of one agent that are not answered yet

api_route events_route(events_desk desk);

} // namespace pb::cli
