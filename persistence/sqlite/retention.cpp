#include "persistence/sqlite/retention.hpp"

#include <algorithm>

namespace pb::sqlite {
namespace {

using namespace std::chrono_literals;

/// A homeserver may show an event again as long as a cursor can be replayed.
constexpr std::chrono::milliseconds least_memory = 30 * 24h;

/// Looking at a row is cheap, taking it away is not: so many are looked at for each that may go.
constexpr std::size_t looks_per_row = 4;

} // namespace

retention::retention(database& db, seen_table& seen, poison_table& poison)
    : db_(db), seen_(seen), poison_(poison),
      // Kept: a room's newest message, one with an open turn, one that `!retry` may send again.
      old_messages_(db.prepare(
          "old messages", "SELECT i.seq, i.room, i.event_id, i.admitted_at, i.outcome IS NOT NULL"
                          " AND coalesce(i.settled_at, i.admitted_at) <= ?1"
                          " AND EXISTS (SELECT 1 FROM inbox n INDEXED BY inbox_room"
                          " WHERE n.room = i.room AND n.seq > i.seq AND n.moved_from IS NULL)"
                          " AND NOT EXISTS (SELECT 1 FROM turn o INDEXED BY turn_message"
                          " WHERE o.room = i.room AND o.inbox_seq = i.seq AND o.state = 0)"
                          " AND (NOT EXISTS (SELECT 1 FROM turn f INDEXED BY turn_message"
                          " WHERE f.room = i.room AND f.inbox_seq = i.seq AND f.state IN (2, 3))"
                          " OR EXISTS (SELECT 1 FROM turn l INDEXED BY turn_message"
                          " WHERE l.room = i.room AND l.inbox_seq > i.seq))"
                          " FROM inbox i WHERE i.seq > ?2 ORDER BY i.seq LIMIT ?3")),
      forget_turns_(db.prepare("forget turns", "DELETE FROM turn WHERE id IN (SELECT id FROM turn"
                                               " INDEXED BY turn_message WHERE room = ?"
                                               " AND inbox_seq = ?)")),
      forget_message_(db.prepare("forget message", "DELETE FROM inbox WHERE seq = ?")),
      // What belongs to no turn may be named after its cause, and must not be said again.
      old_sent_(db.prepare("old outbox rows",
                           "SELECT seq, room, iif(turn = '' AND kind <> 1, id, ''),"
                           " made_at, state <> 0 AND coalesce(ended_at, made_at) <= ?1"
                           " FROM outbox WHERE seq > ?2 ORDER BY seq LIMIT ?3")),
      forget_sent_(db.prepare("forget outbox row", "DELETE FROM outbox WHERE seq = ?")),
      // Kept: an open one, one whose answer still waits for its turn.
      old_confirmations_(db.prepare(
          "old confirmations", "SELECT c.seq, c.room, '', c.made_at, c.state <> 0"
                               " AND coalesce(c.ended_at, c.made_at) <= ?1"
                               " AND NOT EXISTS (SELECT 1 FROM inbox i"
                               " WHERE i.seq = c.answer_seq AND i.outcome IS NULL)"
                               " FROM confirmation c WHERE c.seq > ?2 ORDER BY c.seq LIMIT ?3")),
      forget_confirmation_(
          db.prepare("forget confirmation", "DELETE FROM confirmation WHERE seq = ?")),
      // Kept: of a chat that goes on, or may (archived, left): its room still has the number.
      old_memories_(db.prepare(
          "old memories", "SELECT m.seq, '', '', m.at, m.at <= ?1 AND NOT EXISTS"
                          " (SELECT 1 FROM room r WHERE r.platform = m.chat AND r.platform > 0)"
                          " FROM session_memory m WHERE m.seq > ?2 ORDER BY m.seq LIMIT ?3")),
      forget_memory_(db.prepare("forget memory", "DELETE FROM session_memory WHERE seq = ?")) {}

template <class Take>
result<bool> retention::sweep(statement& next, std::int64_t& position, unix_ms now, unix_ms until,
                              std::size_t limit, std::size_t& budget, Take take) {
  const auto looks = limit * looks_per_row;
  std::vector<candidate> rows;
  auto ok = next.each(
      [&](row& r) {
        auto& c = rows.emplace_back();
        r >> c.seq >> c.room >> c.name >> c.made_at >> c.old;
      },
      until, position, static_cast<std::int64_t>(looks));
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  for (const auto& c : rows) {
    // Behind a young row everything is young. A row from the future says nothing: our clock was
    // wrong then, or is wrong now.
    if (c.made_at > until && c.made_at <= now) {
      position = 0;
      return true;
    }
    if (c.old) {
      if (budget == 0)
        return false;
      --budget;
      if (auto gone = take(c); !gone)
        return tl::unexpected<fault>(gone.error());
    }
    position = c.seq;
  }
  if (rows.size() == looks)
    return false;
  position = 0;
  return true;
}

result<void> retention::forget_message(const candidate& c, std::size_t& turns) {
  if (auto ok = seen_.add(event_id{c.name}, c.made_at); !ok)
    return ok;
  if (auto ok = forget_turns_.run(c.room, c.seq); !ok)
    return ok;
  turns += static_cast<std::size_t>(db_.changes());
  return forget_message_.run(c.seq);
}

result<void> retention::forget_sent(const candidate& c, unix_ms memory) {
  if (!c.name.empty() && c.made_at >= memory) // else it would be forgotten at once
    if (auto ok = seen_.add(outbox_id{c.name}, c.made_at); !ok)
      return ok;
  return forget_sent_.run(c.seq);
}

result<pruned> retention::run(unix_ms now, std::chrono::milliseconds keep, std::size_t limit) {
  const auto until = now - keep.count();
  const auto memory = now - std::max(keep, least_memory).count();
  std::size_t budget = limit, turns = 0;
  auto messages = sweep(old_messages_, inbox_position_, now, until, limit, budget,
                        [&](const candidate& c) { return forget_message(c, turns); });
  if (!messages)
    return tl::unexpected<fault>(messages.error());
  auto sent = sweep(old_sent_, outbox_position_, now, until, limit, budget,
                    [&](const candidate& c) { return forget_sent(c, memory); });
  if (!sent)
    return tl::unexpected<fault>(sent.error());
  auto asked = sweep(old_confirmations_, confirmation_position_, now, until, limit, budget,
                     [&](const candidate& c) { return forget_confirmation_.run(c.seq); });
  if (!asked)
    return tl::unexpected<fault>(asked.error());
  auto remembered = sweep(old_memories_, memory_position_, now, until, limit, budget,
                          [&](const candidate& c) { return forget_memory_.run(c.seq); });
  if (!remembered)
    return tl::unexpected<fault>(remembered.error());
  bool rest = false;
  const auto take_from = [&](auto&& prune) -> result<void> {
    if (budget == 0) {
      rest = true; // nobody looked: there may be something
      return {};
    }
    auto gone = prune(static_cast<std::int64_t>(budget));
    if (!gone)
      return tl::unexpected<fault>(gone.error());
    budget -= std::min(budget, *gone);
    return {};
  };
  if (auto ok = take_from([&](std::int64_t most) { return poison_.prune(until, most); }); !ok)
    return tl::unexpected<fault>(ok.error());
  if (auto ok = take_from([&](std::int64_t most) { return seen_.prune(memory, most); }); !ok)
    return tl::unexpected<fault>(ok.error());
  pruned out;
  out.rows = limit - budget + turns;
  out.more = !*messages || !*sent || !*asked || !*remembered || rest || (limit > 0 && budget == 0);
  return out;
}

} // namespace pb::sqlite
