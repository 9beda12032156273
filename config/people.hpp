#pragma once
// Who talks to which agent: user_agents and default_agent of a registry.

#include "config/reader.hpp"
#include "messages/values/registry.hpp"

namespace pb::config {

class people_reader {
public:
  void read_default(const context& c, const node& n);
  /// `name`: of the key, for messages; it may come under two.
  void read_users(const context& c, const node& n, const std::string& name);
  /// When all agents are read: puts people, servers and the default into `into`. `removed`: agents
  /// that a file took away; naming one of them is no fault. `complete` false: agents may be
  /// missing because a file could not be read.
  void resolve(registry& into, const std::map<agent_id, std::string>& removed, bool complete,
               reporter& out) const;

private:
  /// A person, or everybody of a server; neither: the default agent.
  struct who {
    std::optional<user_id> user;
    std::string server;
    auto operator<=>(const who&) const = default;
  };
  /// An agent's name, looked up at the end.
  struct reference {
    std::string name, agent;
    place at;
    who whose;
  };

  void read_agents_of(const context& c, const who& whose, const node& n, const std::string& name);

  std::set<who> seen_;
  std::vector<reference> references_;
};

} // namespace pb::config
