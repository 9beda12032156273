#pragma once
// /api/v1/agents and below: the registry in force, and what operators change in it. Knows no
// actors.
//
// GET agents: {"items": […], "next", "registry": {state: ok|bad|none, file, in_force_since,
// reloads, problems}}, by id, ?limit=1…1000 (200), ?cursor=. POST agents: an agent as JSON, keys as
// in YAML; of an agent that is there only the keys named change, null takes one away. DELETE
// agents/{id}. POST agents/{id}/drain, enable, disable. With ?dry_run=true nothing is changed.

#include "bridges/admin/admin.hpp"
#include "cli/registry_keeper.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pb::cli {

struct agents_desk {
  std::function<std::shared_ptr<const registry_view>()> view;
  /// As admin_ports::status.
  std::function<void(std::function<void(std::string json)>)> status;
  std::function<void(agent_change, std::function<void(change_outcome)>)> change;
  /// Nothing: it is so; else not_found or busy.
  std::function<void(agent_id, bool on, std::function<void(const std::optional<fault>&)>)> drain;
};

/// Into `routes`, under their paths.
void add_agents_routes(std::map<std::string, api_route>& routes, agents_desk desk);

/// One agent's keys as edits of its file; an error is what is wrong, in words. `id` is not among
/// them.
tl::expected<agent_change, std::string> change_of_json(const std::string& body);

} // namespace pb::cli
