#include "cli/agent_command.hpp"

#include <CLI/CLI.hpp>

namespace pb::cli {

agent_command::agent_command(CLI::App& app) {
  auto* agent = app.add_subcommand("agent", "For those who write an agent.");
  agent->require_subcommand(1);
  check_command_ = agent->add_subcommand(
      "check",
      "Conformance run against an agent: prints what it does wrong, the rule, and the frames.\n"
      "Asks the agent some twenty questions, each in a chat of its own. Changes nothing here but\n"
      "a file in --workspace, which it removes.");
  auto* c = check_command_;
  c->add_option("URL", check_.url, "as base_url of the registry, or whole with {chat_id} in it");
  c->add_option("--protocol", check_.protocol, "how the agent is spoken to")->capture_default_str();
  c->add_option("--path", check_.path, "as in the registry (default: that of the protocol)");
  c->add_option("--command", check_.command,
                "acp: the agent is a child process; words, separated by blanks");
  c->add_option("--chat", check_.chat, "first chat number (default: from the clock, unused so far)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{9'000'000'000'000'000}));
  c->add_option("--timeout", check_.timeout, "seconds that a turn may take")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  c->add_option("--only", check_.only, "names of cases, separated by commas")->delimiter(',');
  c->add_option("--workspace", check_.workspace, "the folder that the agent shares with us");
  c->add_option("--cwd", check_.cwd, "acp: that folder as the agent sees it");
  c->add_option("--ask", check_.ask, "a text that makes the agent ask for permission");
  c->add_option("--task", check_.task, "a text whose answer takes some seconds, to be stopped");
  c->add_option("--auth-env", check_.auth_env,
                "variable with the secret of the agent (auth of the registry)");
  c->add_option("--auth-header", check_.auth_header, "header that carries it")
      ->capture_default_str();
  c->add_flag("--list", check_.list, "only list the cases and their rules");
  c->add_flag("--json", check_.json, "one JSON object");
}

bool agent_command::parsed() const { return check_command_->parsed(); }

int agent_command::run() const { return agent_check::check_agent(check_); }

} // namespace pb::cli
