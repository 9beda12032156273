#include "persistence/sqlite/inbox_table.hpp"

namespace pb::sqlite {
namespace {

void read(row& r, inbox_row& to) {
  auto& e = to.event;
  r >> to.seq >> e.id >> e.room >> e.sender >> e.type >> e.state_key >> e.sent_at >> to.backlog >>
      to.tr >> e.content;
}

} // namespace

inbox_table::inbox_table(database& db)
    : db_(db), add_(db.prepare("admit event",
                               "INSERT INTO inbox(event_id, room, sender, type, state_key, sent_at,"
                               " admitted_at, backlog, trace, content)"
                               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                               " ON CONFLICT(event_id) DO NOTHING")),
      settle_(db.prepare(
          "settle event",
          "UPDATE inbox SET outcome = ?, settled_at = ? WHERE seq = ? AND outcome IS NULL")),
      // Named index: without statistics the planner may walk the whole table by seq.
      pending_(db.prepare("pending events",
                          "SELECT seq, event_id, room, sender, type, state_key, sent_at, backlog,"
                          " trace, content FROM inbox INDEXED BY inbox_pending"
                          " WHERE room = ? AND outcome IS NULL AND seq > ? ORDER BY seq LIMIT ?")),
      // A message with an open turn stays where it was asked.
      move_(db.prepare("move pending events",
                       "UPDATE inbox INDEXED BY inbox_pending SET room = ?1,"
                       " moved_from = coalesce(moved_from, ?2) WHERE room = ?2 AND outcome IS NULL "
                       "AND seq NOT IN (SELECT inbox_seq"
                       " FROM turn INDEXED BY turn_open WHERE room = ?2 AND state = 0)")),
      has_(db.prepare("find event", "SELECT 1 FROM inbox WHERE event_id = ?")),
      any_(db.prepare("any event of a room",
                      "SELECT 1 FROM inbox INDEXED BY inbox_room WHERE room = ?"
                      " AND moved_from IS NULL LIMIT 1")),
      // Of the room's newest turn, whatever became of it: an answered one hides what was before.
      interrupted_(db.prepare(
          "interrupted message",
          "SELECT i.seq, i.event_id, i.room, i.sender, i.type, i.state_key, i.sent_at, i.backlog,"
          " i.trace, i.content FROM (SELECT inbox_seq, state FROM turn INDEXED BY turn_message"
          " WHERE room = ? ORDER BY inbox_seq DESC, at DESC LIMIT 1) t"
          " JOIN inbox i ON i.seq = t.inbox_seq WHERE t.state IN (2, 3) AND i.outcome = 1")) {}

result<std::optional<std::int64_t>> inbox_table::add(const inbox_row& event, unix_ms now) {
  const auto& e = event.event;
  if (auto ok = add_.run(e.id, e.room, e.sender, e.type, e.state_key, e.sent_at, now, event.backlog,
                         event.tr, e.content);
      !ok)
    return tl::unexpected<fault>(ok.error());
  if (db_.changes() == 0)
    return std::nullopt;
  return db_.last_rowid();
}

result<void> inbox_table::settle(const inbox_settled& settled, unix_ms now) {
  return settle_.run(settled.outcome, now, settled.seq);
}

result<void> inbox_table::move(const room_id& from, const room_id& to) {
  return move_.run(to, from);
}

result<bool> inbox_table::has(const event_id& event) {
  bool there = false;
  if (auto ok = has_.each([&](row&) { there = true; }, event); !ok)
    return tl::unexpected<fault>(ok.error());
  return there;
}

result<bool> inbox_table::any(const room_id& room) {
  bool there = false;
  if (auto ok = any_.each([&](row&) { there = true; }, room); !ok)
    return tl::unexpected<fault>(ok.error());
  return there;
}

result<std::optional<inbox_row>> inbox_table::interrupted(const room_id& room) {
  std::optional<inbox_row> found;
  if (auto ok = interrupted_.each([&](row& r) { read(r, found.emplace()); }, room); !ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<std::vector<inbox_row>> inbox_table::pending(const room_id& room, std::int64_t after,
                                                    std::int64_t limit) {
  std::vector<inbox_row> rows;
  auto ok = pending_.each([&](row& r) { read(r, rows.emplace_back()); }, room, after, limit);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

} // namespace pb::sqlite
