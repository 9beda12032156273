#include "bridges/agent/acp/address.hpp"

#include "bridges/agent/session.hpp"
#include "messages/values/agent_url.hpp"

namespace pb::acp {

std::string workspace_as_seen(const agent_spec& agent) {
  if (agent.process.command.empty())
    return agent.cwd.empty() ? "/workspace" : agent.cwd;
  return !agent.workspace.empty() ? agent.workspace : agent.cwd.empty() ? "/tmp" : agent.cwd;
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
