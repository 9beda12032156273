#pragma once
// The configuration of a process: patchbay.yaml, agent registry, environment, command line.
//
// Nothing here throws, whatever the files hold; every fault is found in one go, with its place.

#include "config/environment.hpp"
#include "config/problem.hpp"
#include "config/registry.hpp"
#include "messages/values/registry.hpp"
#include "messages/values/settings.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pb::config {

struct command_line {
  std::optional<std::string> config_file;         ///< --config; nothing: no file is looked for
  std::optional<std::string> env_file;            ///< --env-file; nothing: .env, if it is there
  std::map<std::string, std::string> values = {}; ///< "log.level" → "debug": they win over all else
};

struct loaded {
  settings process;
  registry agents;
  std::vector<problem> problems; ///< faults and warnings, in the order of files and lines

  /// Whether a process may start with it: warnings do not count.
  [[nodiscard]] bool ok() const;
};

/// Without a file and without a homeserver in the environment: the embedded default, with an empty
/// registry and an empty `homeserver.user`, which are the caller's to fill. `process.registry` is
/// the file that was read, empty without one.
loaded load(const command_line& given, const environment& env, const disk& d = real_disk());

/// The keys of both files with their defaults and the names of their variables, for --help.
std::string explain_keys();

/// The same as two tables in Markdown, for the documentation.
std::string keys_as_markdown();

} // namespace pb::config
