#pragma once
// Which agents there are and who talks to which (matrix-agents.yaml), as values.

#include "messages/values/ids.hpp"
#include "messages/values/settings.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pb {

enum class connection_mode { turn, chat };
enum class agent_feature { confirm, cancel, files };

struct agent_limits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_event{60'000};
  std::chrono::milliseconds event_idle{600'000};
  std::chrono::milliseconds connection_idle{300'000};
  std::chrono::milliseconds turn{3'600'000};
  std::uint32_t concurrent_turns = 8;
  std::size_t frame = std::size_t{8} << 20;
  friend bool operator==(const agent_limits&, const agent_limits&) = default;
};

struct agent_auth {
  std::string header = "Authorization"; ///< with this very name the value gets "Bearer " before it
  secret value;
};

struct agent_spec {
  agent_id id;
  std::string label; ///< what people see
  std::string base_url;
  std::string workspace; ///< our side of the shared volume; empty: files are declined
  std::string protocol = "agent-ws";
  std::string path = "/v1/agent_ws/{chat_id}/";
  connection_mode connection = connection_mode::turn;
  std::set<std::string> send{"user_id", "chat_id", "message_id"}; ///< extra fields of USER_MESSAGE
  std::set<agent_feature> features{agent_feature::confirm, agent_feature::cancel,
                                   agent_feature::files};
  bool idempotent = false;
  std::optional<agent_auth> auth;
  std::optional<secret> events_token;
  std::map<std::string, std::string> aliases; ///< this agent's type and field names → ours
  agent_limits limits;
  bool enabled = true;
};

struct registry {
  std::map<agent_id, agent_spec> agents;
  std::optional<agent_id> default_agent;
  std::map<user_id, std::vector<agent_id>> users; ///< the first one is the person's default

  /// The agent that a person talks to unless they chose another one; nothing: they have none.
  [[nodiscard]] std::optional<agent_id> agent_for(const user_id& user) const {
    if (const auto i = users.find(user); i != users.end() && !i->second.empty())
      return i->second.front();
    return default_agent;
  }
};

} // namespace pb
