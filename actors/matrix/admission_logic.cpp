#include "actors/matrix/admission_logic.hpp"

#include "bridges/matrix/facts.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace pb {

namespace {

/// Where what is ours begins in a room that we have just joined: what was said before the last time
/// that we were out of it is over, whichever piece of it this response happens to hold.
std::size_t first_of_ours(const std::vector<matrix_event>& timeline, const user_id& bot) {
  std::size_t first = 0;
  std::set<event_id> seen; // a server may say an event again, behind what came after it
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    const auto& e = timeline[i];
    if (e.type == "m.room.member" && e.state_key == bot.value && seen.insert(e.id).second &&
        matrix::parse_member(e.content).membership != "join")
      first = i;
  }
  return first;
}

} // namespace

bool is_for_rooms(const matrix_event& event, const user_id& bot) {
  constexpr std::array types{"m.room.message",
                             "m.room.redaction",
                             "m.room.encrypted",
                             "m.reaction",
                             "m.sticker",
                             "m.poll.start",
                             "org.matrix.msc3381.poll.start"};
  return !event.state_key && event.sender != bot &&
         std::find(types.begin(), types.end(), event.type) != types.end();
}

sorted_batch sort_batch(const matrix::sync_response& got, const admission_rules& rules) {
  sorted_batch out;
  auto& keep = out.keep;
  keep.cursor = got.next_batch;
  for (const auto& joined : got.join) {
    bool whole_state = false, tombstone = false, spoken = false;
    const auto look = [&](const matrix_event& e) {
      if (!e.state_key)
        return;
      if (e.type == "m.room.encryption")
        keep.encrypted.push_back(joined.room);
      whole_state = whole_state || e.type == "m.room.create";
      tombstone = tombstone || e.type == "m.room.tombstone";
    };
    for (const auto& e : joined.state)
      look(e);
    for (const auto& e : joined.timeline)
      look(e);
    // The whole state comes with rooms that we have joined since the last response.
    const auto ours = whole_state ? first_of_ours(joined.timeline, rules.bot) : 0;
    for (std::size_t i = ours; i < joined.timeline.size() && !rules.initial; ++i) {
      const auto& e = joined.timeline[i];
      if (!is_for_rooms(e, rules.bot))
        continue;
      spoken = true;
      keep.events.push_back({0, e, trace{rules.next_trace()}, rules.backlog});
    }
    if (tombstone)
      out.upgraded.push_back(joined.room);
    // A kick that was heard of late must not outlive our way back in, and of that the whole state
    // may be all that tells: the filter leaves out what we did ourselves.
    const auto own = matrix::own_membership(joined.timeline, rules.bot);
    if (!rules.initial && (whole_state || (own && own->state == membership::join)))
      keep.memberships.push_back({joined.room, membership::join, rules.bot});
    if (rules.initial || joined.prev_batch.empty())
      continue;
    if (joined.limited)
      out.gaps.push_back({joined.room, joined.prev_batch, false, whole_state});
    else if (spoken && !whole_state)
      out.continued.push_back({joined.room, joined.prev_batch, true, false});
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
  return out;
}

std::vector<event_id> gap_walk::ids_of(const std::vector<matrix_event>& chunk) {
  std::vector<event_id> ids;
  ids.reserve(chunk.size());
  for (const auto& e : chunk)
    ids.push_back(e.id);
  return ids;
}

bool gap_walk::take(std::vector<matrix_event> chunk, const known_answer& known) {
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    auto& e = chunk[i];
    if (i < known.known.size() && known.known[i])
      return true;
    // Only where the server itself speaks of a gap may this be a new display name, say; elsewhere
    // it may be our way back in, and what people said without us is not ours.
    const bool reported = !gap_.newly_joined && !gap_.suspected && !gap_.from.empty();
    if (!reported && e.type == "m.room.member" && e.state_key == bot_.value)
      return true;
    if (is_for_rooms(e, bot_))
      found_.push_back(std::move(e));
  }
  return false;
}

std::vector<matrix_event> gap_walk::missing() {
  std::reverse(found_.begin(), found_.end());
  return std::move(found_);
}

} // namespace pb
