#pragma once
// What events say of each other: edits, threads, reactions (client-server API, Forming
// relationships between events).

#include "bridges/matrix/homeserver/model.hpp"

namespace pb::hs {

struct relation {
  std::string kind, target; ///< rel_type and event_id; both empty: none, or not a sound one
};

relation relation_of(const event& e);
/// The edit that counts: of the same sender and type, with a new content, not of a state event or
/// of another edit; the newest. nullptr: the event stands as it was sent. An edit that breaks a
/// rule stays in the room as what its top level says.
const event* replacement(const room& r, const event& e);
/// Events of that thread that still stand, in order.
std::vector<const event*> thread_of(const room& r, const event& root);
bool took_part(const room& r, const event& root, const std::string& user);
/// The wire form with what the server adds of later events (unsigned.m.relations).
json bundled_form(const room& r, const event& e, const viewer& v, bool in_sync);

} // namespace pb::hs
