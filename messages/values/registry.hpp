#pragma once
// Which agents there are and who talks to which (matrix-agents.yaml), as values.

#include "messages/values/ids.hpp"
#include "messages/values/sandbox.hpp"
#include "messages/values/settings.hpp"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pb {

/// What `protocol` may be: the names of the table in bridges/agent, which the configuration does
/// not know.
inline constexpr std::array<std::string_view, 5> protocol_names{"agent-ws", "acp", "a2a", "openai",
                                                                "ag-ui"};

enum class connection_mode { turn, chat };
enum class agent_feature { confirm, cancel, files };

struct agent_limits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_event{60'000};
  std::chrono::milliseconds event_idle{600'000};
  std::chrono::milliseconds connection_idle{300'000};
  std::chrono::milliseconds turn{3'600'000};
  std::uint32_t concurrent_turns = 8;
  std::size_t queue = 10'000; ///< turns that wait for a place; one more is refused
  std::size_t frame = std::size_t{8} << 20;
  friend bool operator==(const agent_limits&, const agent_limits&) = default;
};

struct agent_auth {
  std::string header = "Authorization"; ///< with this very name the value gets "Bearer " before it
  secret value;
  friend bool operator==(const agent_auth&, const agent_auth&) = default;
};

/// protocol acp without base_url: the agent is a child process.
struct agent_process {
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> env; ///< beside PATH, HOME and LANG
  std::vector<std::pair<std::string, secret>> secret_env;
  sandbox_mode sandbox = sandbox_mode::automatic;
  friend bool operator==(const agent_process&, const agent_process&) = default;
};

/// protocol openai: a model behind an API, whose context we keep.
struct agent_model {
  enum class api { chat, responses } speaks = api::chat;
  std::string name;                  ///< "model" of a request
  std::string instructions;          ///< system message; empty: none
  std::size_t context_messages = 40; ///< of the chat that are sent along, questions and answers
  std::size_t context_bytes = std::size_t{64} << 10;
  std::uint32_t max_tokens = 0; ///< 0: the server's own limit
  friend bool operator==(const agent_model&, const agent_model&) = default;
};

struct agent_spec {
  agent_id id;
  std::string label; ///< what people see
  std::string base_url;
  std::vector<std::string> base_urls; ///< all endpoints, base_url first; empty: base_url alone
  std::string workspace;              ///< our side of the shared volume; empty: files are declined
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
  agent_process process;                      ///< protocol acp
  agent_model model;                          ///< protocol openai
  std::string cwd; ///< acp: the workspace as the agent sees it; empty: the protocol's default
  agent_limits limits;
  bool enabled = true;
  friend bool operator==(const agent_spec&, const agent_spec&) = default;
};

struct registry {
  std::map<agent_id, agent_spec> agents;
  std::optional<agent_id> default_agent;
  std::map<user_id, std::vector<agent_id>> users; ///< the first one is the person's default
  /// By the server's name: for its people who are not in `users`.
  std::map<std::string, std::vector<agent_id>> servers;

  /// Whether the person, or everybody of their server, is in the registry.
  [[nodiscard]] bool lists(const user_id& user) const { return entry_of(user) != nullptr; }

  /// Those that a person may choose, the first one being their default: of their own entry, else of
  /// their server's, else the default agent alone.
  [[nodiscard]] std::vector<agent_id> agents_of(const user_id& user) const {
    if (const auto* own = entry_of(user))
      return *own;
    return default_agent ? std::vector<agent_id>{*default_agent} : std::vector<agent_id>{};
  }

  /// The agent that a person talks to unless they chose another one; nothing: they have none.
  [[nodiscard]] std::optional<agent_id> agent_for(const user_id& user) const {
    const auto all = agents_of(user);
    return all.empty() ? std::nullopt : std::optional{all.front()};
  }

  friend bool operator==(const registry&, const registry&) = default;

private:
  [[nodiscard]] const std::vector<agent_id>* entry_of(const user_id& user) const {
    if (const auto i = users.find(user); i != users.end())
      return &i->second;
    const auto colon = user.value.find(':');
    if (colon == std::string::npos)
      return nullptr;
    const auto i = servers.find(user.value.substr(colon + 1));
    return i == servers.end() ? nullptr : &i->second;
  }
};

} // namespace pb
