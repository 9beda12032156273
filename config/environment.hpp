#pragma once
// Variables: the process's own and those of the .env file, merged.

#include "config/disk.hpp"
#include "config/problem.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::config {

struct environment {
  std::map<std::string, std::string> values; ///< no empty ones: those count as unset
  std::map<std::string, place> origins;      ///< of those that come from the .env file

  /// The value, or nullptr.
  [[nodiscard]] const std::string* find(const std::string& name) const;
  /// The line of the .env file, or the variable itself.
  [[nodiscard]] place where(const std::string& name) const;
  /// The folder that a relative path in this variable is meant from; empty: the working directory.
  [[nodiscard]] std::string folder(const std::string& name) const;
};

/// Reads `env_file`, or .env in the working directory if that exists, and lays the process's own
/// variables (`envp`: "NAME=value" ending with nullptr, may be null) over it. A named file that
/// cannot be read is an error, a line that is none is a warning.
environment read_environment(const std::optional<std::string>& env_file, const char* const* envp,
                             std::vector<problem>& problems, const disk& d = real_disk());

/// The lines of a .env file: NAME=value, with `export` before it or without, '#' comments, values
/// bare, in 'single quotes' (as they stand) or in "double quotes" (with \n \t \" \\ \$). The last
/// line of a name counts.
environment parse_env_file(std::string_view text, const std::string& file,
                           std::vector<problem>& problems);

} // namespace pb::config
