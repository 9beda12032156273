#pragma once
// The registry in force, and one connection actor for each agent in it.

#include "actors/agent/connection.hpp"

#include <map>
#include <vector>

namespace pb {

struct agent_directory_state {
  static constexpr const char* name = "agent_directory";
  explicit agent_directory_state(agent_directory_actor::pointer self) : clock(self) {}

  struct entry {
    agent_spec spec;
    agent_connection_actor actor; ///< null: not enabled, or it died a moment ago
    unsigned deaths = 0;
    bool draining = false; ///< an operator's word
    bool awaited = false;  ///< it died, and will be started again
  };
  alarm_clock<agent_directory_actor::pointer> clock;
  connection_deps deps;
  registry in_force;
  std::map<agent_id, entry> agents; ///< all of the registry
  /// Of agents that are gone: they finish what runs.
  std::vector<std::pair<agent_id, agent_connection_actor>> leaving;
  std::mt19937_64 engine;
  push_sink pushes; ///< null: nobody takes them yet; given to every connection
  bool stopping = false;
};

agent_directory_actor::behavior_type
agent_directory(agent_directory_actor::stateful_pointer<agent_directory_state> self,
                registry in_force, connection_deps deps);

} // namespace pb
