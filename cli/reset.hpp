#pragma once
// `patchbay reset`: clean-room QA. The local part and the homeserver's part, for cli/reset.cpp.

#include "cli/blocking_http.hpp"
#include "cli/data_dir.hpp"
#include "config/load.hpp"
#include "messages/values/session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pb::cli::reset {

/// A file, a folder or a room, and what became of it.
struct item {
  std::string name;
  std::string state; ///< "removed", "would be removed", "already absent", "left and forgotten", …
  bool failed = false;
};
using items = std::vector<item>;

/// The database with its side files, then the store paths that the configuration names.
std::vector<std::string> local_paths(const settings& s);

/// Refuses what must not be removed: a foreign database, a store path that holds more than a store
/// (root, home, data_dir, a workspace, backups). Looks only.
result<void> check_paths(const settings& s, const registry& agents);

/// Removes them in an order that a crash in the middle cannot turn into half a database.
items remove_local(const settings& s, bool dry_run);

/// The account's session: the configured token, the database's, or a login by password.
struct signed_in {
  session_ref session;
  bool log_out = false; ///< made for this run alone
};
result<signed_in> sign_in(blocking_http& http, const settings& s);
void sign_out(blocking_http& http, const signed_in& who);

struct server_end {
  items rooms;
  std::string trouble; ///< why it stopped early; empty: all rooms were looked at
};
/// Leaves and forgets every joined room, and those that an earlier run left without forgetting
/// (named in `progress_file`). Waits out 429s.
server_end leave_rooms(blocking_http& http, const session_ref& s, const std::string& progress_file,
                       bool dry_run, const std::function<void(const std::string&)>& tell);

} // namespace pb::cli::reset
