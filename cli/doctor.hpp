#pragma once
// `patchbay doctor`: tries the outside, one finding a line. What each part of it looks at.

#include "cli/blocking_http.hpp"
#include "config/load.hpp"
#include "messages/values/session.hpp"
#include "persistence/sqlite/inspect.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pb::cli::doctor {

enum class verdict { ok, warning, failed };
std::string_view to_string(verdict v);

struct finding {
  std::string what; ///< "homeserver", "agent research", …
  verdict is = verdict::ok;
  std::string found; ///< one sentence without a full stop
  std::string next;  ///< what to do; empty when all is well
};
using findings = std::vector<finding>;

/// Where the database lies by this configuration.
std::string database_path(const settings& s);

/// Data directory, disk, database. `account`: whose database it is, if there is one.
void look_at_disk(const settings& s, findings& into, std::optional<account_row>& account);
/// The folders that are shared with agents.
void look_at_workspaces(const registry& agents, findings& into);
/// Each enabled agent's endpoint: a connection and an HTTP answer of any kind, never a turn.
void look_at_agents(blocking_http& http, const registry& agents, findings& into);
/// Versions, clock, login, account, rate limits, media.
void look_at_homeserver(blocking_http& http, const settings& s,
                        const std::optional<account_row>& account, findings& into);

} // namespace pb::cli::doctor
