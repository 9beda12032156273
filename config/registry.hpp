#pragma once
// matrix-agents.yaml and the files in agents.d beside it.

#include "config/process.hpp"
#include "messages/values/registry.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pb::config {

struct registry_outcome {
  registry value;
  std::vector<problem> problems;
  std::set<std::string> referenced;                     ///< variables that {env: NAME} names
  bool complete = true;                                 ///< false: a file could not be parsed
  std::map<agent_id, std::vector<std::string>> sources; ///< the files that speak of an agent

  [[nodiscard]] bool ok() const;
};

/// The operator's file, then the files beside it in their order: each holds one agent, by its `id`
/// or named after it, whose keys are laid over those of the same agent before; `removed: true`
/// takes it away. Reads nothing but the files that secrets name, through `files`.
registry_outcome parse_registry(const source& main, const std::vector<source>& beside,
                                const environment& env, const disk& files);

/// The same from the disk, for the start and for every reload. `named_at`: where the path stands,
/// for a file that cannot be read.
registry_outcome read_registry(const std::string& path, const place& named_at,
                               const environment& env, const disk& files = real_disk());

/// The registry of a deployment that has none: one agent named `default`, for everybody, at the
/// address of AGENT_BASE_URL or AGENT_WS_URL. Without both variables there is no agent in it.
registry_outcome registry_from(const environment& env);

} // namespace pb::config
