#pragma once
// `patchbay agent …`: for those who write agents.

#include "cli/agent_check/command.hpp"

namespace CLI {
class App;
}

namespace pb::cli {

/// Adds itself to the command line; lives as long as that.
class agent_command {
public:
  explicit agent_command(CLI::App& app);
  [[nodiscard]] bool parsed() const;
  /// The exit code of the process.
  [[nodiscard]] int run() const;

private:
  agent_check::command_options check_;
  CLI::App* check_command_;
};

} // namespace pb::cli
