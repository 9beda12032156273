#pragma once
// Commands that work on the database's file beside or instead of a router.

#include "cli/commands.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/settings.hpp"

namespace pb::cli {

struct file_options {
  config::command_line config;
  std::string file;
  bool dry_run = false, json = false;
};

/// A consistent copy of the live database as a new file.
int backup(const file_options& options);
/// Takes over what the earlier bot kept in `file`.
int import_surfaces(const file_options& options);

/// Where the configuration puts the database.
std::string database_path(const settings& process);
/// Says on stderr why the work failed (with --json also on stdout); the exit code for it.
int work_failed(const fault& why, bool json);

} // namespace pb::cli
