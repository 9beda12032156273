#pragma once
// Where an agent that speaks ACP is, and where it sees its files.

#include "bridges/link.hpp"
#include "messages/values/registry.hpp"

#include <string>

namespace pb::acp {

/// Both absolute. `{user}` stands for a folder of the person, as in workspace_path.
struct folders {
  /// The workspace as the agent sees it: for a child on this machine our side of the volume, for
  /// others where the volume is by custom.
  std::string workspace;
  std::string cwd; ///< of the agent's session, and of a child
  friend bool operator==(const folders&, const folders&) = default;
};
folders folders_of(const agent_spec& agent, const user_id& asker);

/// A child with its variables, or a WebSocket at base_url (+ path).
link_request address_of(const agent_spec& agent, const std::string& base_url, platform_chat_id chat,
                        const std::string& cwd);

} // namespace pb::acp
