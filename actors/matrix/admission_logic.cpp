#include "actors/matrix/admission_logic.hpp"

#include "bridges/matrix/facts.hpp"

namespace pb {
namespace {

void restore(const matrix::sync_response::joined& joined, const user_id& bot, admission& keep) {
  auto state = joined.state;
  for (const auto& e : joined.timeline)
    if (e.state_key)
      state.push_back(e);
  const auto facts = matrix::gather_facts(joined.room, bot, state);
  if (auto room = matrix::restore_room(facts, bot))
    keep.restored.push_back(std::move(*room));
  if (auto user = matrix::restore_user(facts))
    keep.restored_users.push_back(std::move(*user));
}

} // namespace

bool is_for_rooms(const matrix_event& event, const user_id& bot) {
  return !event.state_key && event.sender != bot &&
         (event.type == "m.room.message" || event.type == "m.room.redaction" ||
          event.type == "m.room.encrypted");
}

sorted_batch sort_batch(const matrix::sync_response& got, const admission_rules& rules) {
  sorted_batch out;
  auto& keep = out.keep;
  keep.cursor = got.next_batch;
  for (const auto& joined : got.join) {
    if (rules.initial)
      restore(joined, rules.bot, keep);
    const auto look = [&](const matrix_event& e) {
      if (e.state_key && e.type == "m.room.encryption")
        keep.encrypted.push_back(joined.room);
    };
    for (const auto& e : joined.state)
      look(e);
    for (const auto& e : joined.timeline) {
      look(e);
      if (!rules.initial && is_for_rooms(e, rules.bot))
        keep.events.push_back({0, e, trace{rules.next_trace()}, rules.backlog});
    }
    auto own = matrix::own_membership(joined.timeline, rules.bot);
    if (own && own->state == membership::join)
      keep.memberships.push_back(std::move(*own));
    if (joined.limited && !rules.initial && !joined.prev_batch.empty())
      out.gaps.push_back({joined.room, joined.prev_batch});
  }
  for (const auto& invited : got.invite)
    if (auto row = matrix::invitation(invited, rules.bot)) {
      row->tr = trace{rules.next_trace()};
      keep.invites.push_back(std::move(*row));
    }
  for (const auto& left : got.leave) {
    auto own = matrix::own_membership(left.timeline, rules.bot);
    keep.memberships.push_back(own ? std::move(*own)
                                   : membership_row{left.room, membership::leave, rules.bot});
  }
  if (rules.initial)
    matrix::set_next_chats(keep.restored_users, keep.restored);
  return out;
}

} // namespace pb
