#pragma once
// /api/v1/reconcile: compares the rooms with the homeserver, in the running router.
//
// POST ?dry_run=true|false answers 200 with the report, or 202 when that takes longer; GET answers
// {"running": bool, "report": the last one or null}.

#include "actors/supervisor.hpp"
#include "bridges/admin/admin.hpp"

namespace pb::cli {

/// `clock` outlives the route.
api_route reconcile_route(const supervisor_actor& boss, timers* clock);

} // namespace pb::cli
