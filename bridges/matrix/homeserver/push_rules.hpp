#pragma once
// The default push rules (client-server API, Push Notifications, since 1.9), and what they say.

#include "bridges/matrix/homeserver/model.hpp"

namespace pb::hs {

/// Of every account, since nobody can change them here: the content of m.push_rules.
json default_push_rules(const account& who);

/// One rule by its kind and id; nullptr: there is none.
const json* find_push_rule(const json& rules, const std::string& kind, const std::string& id);

enum class told { nothing, notify, highlight };
/// What the rules say of somebody else's event in a room that the account is in.
told push(const room& r, const event& e, const account& who);

} // namespace pb::hs
