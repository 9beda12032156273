#pragma once
// /api/v1/poison and /api/v1/outbox?state=dead: what was set aside;
// /api/v1/confirmations?state=open (the default) or all: questions of agents. Newest first.
//
// ?limit=1…200 (50), ?cursor= from `next` of the page before.

#include "actors/supervisor.hpp"
#include "bridges/admin/admin.hpp"

namespace pb::cli {

api_route poison_route(const supervisor_actor& boss);
api_route outbox_route(const supervisor_actor& boss);
api_route confirmations_route(const supervisor_actor& boss);

} // namespace pb::cli
