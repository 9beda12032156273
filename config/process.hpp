#pragma once
// patchbay.yaml, the environment's names for its keys and the command line, laid over each other.

#include "config/reader.hpp"
#include "messages/values/settings.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pb::config {

struct source {
  std::string file; ///< its path: relative paths in it are relative to its folder
  std::string text;
};

struct process_outcome {
  settings value;
  std::vector<problem> problems;
  mentioned seen;                   ///< which keys were given, wherever
  std::set<std::string> referenced; ///< variables that {env: NAME} names
  bool complete = true;             ///< false: the file could not be parsed
};

/// Precedence: file < environment < `command_line` (a key's path → its text; no secrets there).
/// Without a file, relative paths and defaults are the working directory's; with one, a default
/// path means the same as if it were written in the file. `registry` stays empty unless it was
/// given. Reads nothing but the files that secrets name, through `files`.
process_outcome parse_process(const std::optional<source>& file, const environment& env,
                              const std::map<std::string, std::string>& command_line,
                              const disk& files);

} // namespace pb::config
