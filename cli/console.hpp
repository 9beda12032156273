#pragma once
// The admin API of a running router: wires the bridge to actors, metrics and health.

#include "actors/health.hpp"
#include "actors/supervisor.hpp"
#include "bridges/admin/admin.hpp"
#include "bridges/http_server.hpp"
#include "bridges/net/io.hpp"
#include "cli/registry_keeper.hpp"

#include <memory>
#include <string>

namespace pb::cli {

struct console_wiring {
  std::shared_ptr<health_board> health;
  std::shared_ptr<metrics> numbers;
  supervisor_actor supervisor;
  std::string token, console_json, listen;
  std::shared_ptr<registry_keeper> registry; ///< the one in force
  timers* clock = nullptr;
  const net_counters* net = nullptr; ///< null: not shown; outlives the console
};

http_handler make_console(const console_wiring& w);

/// What agents_api.listen serves: their events and /healthz, nothing else.
http_handler make_agents_api(const console_wiring& w);

/// 2026-01-31T12:00:00.000Z
std::string rfc3339(unix_ms t);

} // namespace pb::cli
