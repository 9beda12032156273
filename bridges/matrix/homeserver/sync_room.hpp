#pragma once
// One room's part of a sync. Each returns null when there is nothing to tell.

#include "bridges/matrix/homeserver/sync_answer.hpp"

#include <set>
#include <string>

namespace pb::hs {

/// `met` gets people whom this sync newly shares a room with.
json tell_joined(world& w, const room& r, const sync_question& q, device& d,
                 std::set<std::string>& met);
json tell_invite(world& w, const room& r, const sync_question& q);
json tell_left(world& w, const room& r, const sync_question& q, device& d);

} // namespace pb::hs
