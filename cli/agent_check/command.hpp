#pragma once
// `patchbay agent check` as the command line has it.

#include <cstdint>
#include <string>
#include <vector>

namespace pb::agent_check {

struct command_options {
  std::string url, protocol = "agent-ws", path, command;
  std::string workspace, cwd, ask, task;
  std::string auth_header = "Authorization", auth_env;
  std::int64_t chat = 0; ///< 0: from the clock
  std::uint32_t timeout = 30;
  std::vector<std::string> only;
  bool json = false, list = false;
};

/// Runs the cases over real sockets and prints what comes of them. The exit code of the process: 0
/// all that was tried is right, 1 something is not, 64 wrong usage, 69 the agent is not there.
int check_agent(const command_options& given);

} // namespace pb::agent_check
