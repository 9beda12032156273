// What the store is asked.

#include "persistence/sqlite/sqlite_store.hpp"

#include <limits>

namespace pb::sqlite {
namespace {

std::int64_t as_limit(std::size_t limit) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max() - 1;
  return limit > static_cast<std::size_t>(most) ? most : static_cast<std::int64_t>(limit);
}

/// So many that are over does a room know, to explain a late answer.
constexpr std::int64_t confirmations_kept = 64;

} // namespace

result<room_snapshot> sqlite_store::open_room(const room_id& id, std::size_t limit) {
  room_snapshot out;
  auto row = rooms_.find(id);
  if (!row)
    return pass(row.error());
  auto waiting = inbox_.pending(id, 0, as_limit(limit) + 1);
  if (!waiting)
    return pass(waiting.error());
  auto open = turns_.open(id);
  if (!open)
    return pass(open.error());
  auto marker = outbox_.marker_waits(id);
  if (!marker)
    return pass(marker.error());
  auto asked = confirmations_.of_room(id, confirmations_kept);
  if (!asked)
    return pass(asked.error());
  if (*row) {
    auto owner = users_.find((*row)->owner);
    if (!owner)
      return pass(owner.error());
    if (*owner)
      out.owner_lang = (*owner)->lang;
  }
  out.room = std::move(*row);
  out.pending = std::move(*waiting);
  out.more = out.pending.size() > limit;
  if (out.more)
    out.pending.resize(limit);
  out.open_turns = std::move(*open);
  out.marker_waits = *marker;
  out.confirmations = std::move(*asked);
  return out;
}

result<std::vector<inbox_row>> sqlite_store::pending(const room_id& id, std::int64_t after,
                                                     std::size_t limit) {
  return inbox_.pending(id, after, as_limit(limit));
}

result<std::vector<room_id>> sqlite_store::rooms_with_work() {
  std::vector<room_id> out;
  if (auto ok = work_.each([&](row& r) { r >> out.emplace_back(); }); !ok)
    return pass(ok.error());
  return out;
}

result<std::vector<outbox_row>> sqlite_store::outbox(std::int64_t after_seq, std::size_t limit) {
  return outbox_.waiting(after_seq, as_limit(limit));
}

result<store_counts> sqlite_store::counts() {
  store_counts c;
  auto ok = counts_.each([&](row& r) {
    r >> c.inbox_pending >> c.outbox_waiting >> c.outbox_dead >> c.turns_open >> c.rooms >>
        c.poison >> c.poison_dropped >> c.confirmations_open;
  });
  if (!ok)
    return pass(ok.error());
  return c;
}

result<bool> sqlite_store::topology_known() {
  auto mark = meta_.marked("topology_known");
  if (!mark)
    return pass(mark.error());
  return mark->has_value();
}

result<bool> sqlite_store::is_known(const event_id& event) {
  if (event.empty())
    return false;
  auto known = inbox_.has(event);
  if (known && !*known)
    known = poison_.has(event);
  if (known && !*known)
    known = seen_.has(event);
  return known;
}

result<known_answer> sqlite_store::known(const room_id& room, const std::vector<event_id>& events) {
  known_answer out;
  out.known.reserve(events.size());
  for (const auto& event : events) {
    auto known = is_known(event);
    if (!known)
      return pass(known.error());
    out.known.push_back(*known);
  }
  auto any = inbox_.any(room); // the newest row of a room is never pruned
  if (!any)
    return pass(any.error());
  out.baseline = *any;
  return out;
}

result<std::vector<poison_row>> sqlite_store::poison(std::int64_t before, std::size_t limit) {
  return poison_.page(before, as_limit(limit));
}

result<std::vector<outbox_row>> sqlite_store::dead(std::int64_t before, std::size_t limit) {
  return outbox_.dead(before, as_limit(limit));
}

result<std::vector<confirmation_row>>
sqlite_store::confirmations(bool open_only, std::int64_t before, std::size_t limit) {
  return confirmations_.page(open_only, before, as_limit(limit));
}

} // namespace pb::sqlite
