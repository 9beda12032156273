#include "bridges/agent/acp/address.hpp"

#include "bridges/agent/session.hpp"
#include "messages/values/agent_url.hpp"
#include "messages/values/workspace.hpp"

#include <filesystem>

namespace pb::acp {

folders folders_of(const agent_spec& agent, const user_id& asker) {
  const bool child = !agent.process.command.empty();
  folders out;
  out.cwd = workspace_for(agent.cwd, asker);
  if (!child)
    out.workspace = out.cwd.empty() ? "/workspace" : out.cwd;
  else if (!agent.workspace.empty()) // the protocol knows absolute paths only
    out.workspace = std::filesystem::absolute(workspace_for(agent.workspace, asker));
  else
    out.workspace = out.cwd.empty() ? "/tmp" : out.cwd;
  if (out.cwd.empty())
    out.cwd = out.workspace;
  return out;
}

link_request address_of(const agent_spec& agent, const std::string& base_url, platform_chat_id chat,
                        const std::string& cwd) {
  link_request to;
  if (agent.process.command.empty()) {
    to.url = agent.path.empty() ? as_websocket(base_url) : agent_url(agent, base_url, chat);
    add_auth(agent, to.headers);
    return to;
  }
  to.by = carrier::process;
  to.child.command = agent.process.command;
  to.child.cwd = cwd;
  to.child.env = agent.process.env;
  for (const auto& [name, hidden] : agent.process.secret_env)
    to.child.env.emplace_back(name, hidden.show());
  to.child.sandbox = agent.process.sandbox;
  return to;
}

} // namespace pb::acp
