#pragma once
// The subcommands. Each returns the exit code of the process.

#include "config/load.hpp"

#include <functional>
#include <optional>
#include <string>

namespace pb::cli {

/// Exit codes of the contract.
enum exit_code : int {
  ok = 0,
  failed = 1,       ///< the work failed; said why
  usage = 64,       ///< wrong usage
  unavailable = 69, ///< something outside is unavailable or refuses us
  bug = 70,         ///< our own fault
  configuration = 78,
};

struct run_options {
  config::command_line config;
  std::optional<int> pin; ///< CPU that all threads stay on, for measurements
};

int run(const run_options& options);

struct reconcile_options {
  config::command_line config;
  bool dry_run = false, json = false;
};
/// `patchbay reconcile`: by the router that runs on the data directory, or by this process.
int reconcile(const reconcile_options& options);
/// The router without sync and rooms: `report` is told the plan, then, unless it is a dry run, the
/// outcome.
int run_reconcile_only(config::loaded conf, bool dry_run,
                       const std::function<void(const std::string&)>& report);
int check(const config::command_line& given, bool json);
int print_version(bool json);
/// `patchbay doctor`.
int examine(const config::command_line& given, bool json);

struct reset_options {
  config::command_line config;
  bool leave = false; ///< --mode server-leave-forget
  bool dry_run = false, json = false;
};
int reset_all(const reset_options& options);

struct agents_options {
  config::command_line config;
  enum class verb { list, add, remove, drain, enable, disable } what = verb::list;
  std::string id;
  /// add: keys as texts, and a file with one agent's keys that they are laid over.
  std::string file, label, base_url, protocol, workspace;
  bool dry_run = false, json = false;
};
/// `patchbay agents …`: over the admin API of the router that runs.
int agents(const agents_options& options);

struct rooms_options {
  config::command_line config;
  std::string room, agent; ///< move; empty: list, of that agent or owner
  std::string owner;
  bool move = false;
  bool dry_run = false, json = false;
};
/// `patchbay rooms …`
int rooms(const rooms_options& options);

/// Reads files and environment; prints every problem to stderr. False: errors.
bool load_configuration(const config::command_line& given, config::loaded& into);

/// "patchbay: what, where, what to do next" on stderr.
void complain(const std::string& sentence);

} // namespace pb::cli
