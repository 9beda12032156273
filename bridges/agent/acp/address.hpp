#pragma once
// Where an agent that speaks ACP is, and where it sees its files.

#include "bridges/link.hpp"
#include "messages/values/registry.hpp"

#include <string>

namespace pb::acp {

/// The workspace as the agent sees it: for a child on this machine our side of the volume, for
/// others where the volume is by custom.
std::string workspace_as_seen(const agent_spec& agent);

/// A child with its variables, or a WebSocket at base_url (+ path). `cwd`: of a child.
link_request address_of(const agent_spec& agent, const std::string& base_url, platform_chat_id chat,
                        const std::string& cwd);

} // namespace pb::acp
