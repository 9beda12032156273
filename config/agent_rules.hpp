#pragma once
// What holds between the keys of one agent.

#include "config/reader.hpp"

namespace pb::config {

/// Where the keys of an agent were given.
struct agent_mentions {
  mentioned all;      ///< in the mappings of this agent, a later place in place of an earlier one
  mentioned defaults; ///< below defaults
  place at;           ///< the agent itself

  /// Of the agent's own mappings, else of the defaults; null: nowhere.
  [[nodiscard]] const place* find(const std::string& key) const;
};

/// `base_url` and `base_urls` are one thing: what a mapping (`own`: its keys) says of either
/// replaces both.
void settle_endpoints(const context& c, agent_spec& spec, const mentioned& own);

/// When all mappings of the agent are read: which keys do not go together, and the path that a
/// protocol has by itself.
void apply_rules(const context& c, agent_spec& spec, const agent_mentions& said);

} // namespace pb::config
