// The table of protocols: a new one is a folder and a line here.

#include "bridges/agent/a2a/session.hpp"
#include "bridges/agent/acp/session.hpp"
#include "bridges/agent/ag_ui/session.hpp"
#include "bridges/agent/agent_ws/session.hpp"
#include "bridges/agent/openai/session.hpp"
#include "bridges/agent/session.hpp"

#include <algorithm>

namespace pb {

agent_session::~agent_session() = default;

const std::vector<agent_protocol>& agent_protocols() {
  static const std::vector<agent_protocol> all{
      agent_ws_protocol(), a2a_protocol(), acp_protocol(), openai_protocol(), ag_ui_protocol(),
  };
  return all;
}

const agent_protocol* find_protocol(std::string_view name) {
  const auto& all = agent_protocols();
  const auto i =
      std::find_if(all.begin(), all.end(), [&](const agent_protocol& p) { return p.name == name; });
  return i == all.end() ? nullptr : &*i;
}

void add_auth(const agent_spec& agent, http_headers& into) {
  if (agent.auth)
    into.push_back({agent.auth->header, (agent.auth->header == "Authorization" ? "Bearer " : "") +
                                            agent.auth->value.show()});
}

} // namespace pb
