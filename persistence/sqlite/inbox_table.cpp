#include "persistence/sqlite/inbox_table.hpp"

namespace pb::sqlite {

inbox_table::inbox_table(database& db)
    : db_(db), add_(db.prepare("admit event",
                               "INSERT INTO inbox(event_id, room, sender, type, state_key, sent_at,"
                               " admitted_at, backlog, trace, content)"
                               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                               " ON CONFLICT(event_id) DO NOTHING")),
      settle_(db.prepare("settle event",
                         "UPDATE inbox SET outcome = ? WHERE seq = ? AND outcome IS NULL")),
      // Named index: without statistics the planner may walk the whole table by seq.
      pending_(db.prepare("pending events",
                          "SELECT seq, event_id, room, sender, type, state_key, sent_at, backlog,"
                          " trace, content FROM inbox INDEXED BY inbox_pending"
                          " WHERE room = ? AND outcome IS NULL AND seq > ? ORDER BY seq LIMIT ?")) {
}

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

result<void> inbox_table::settle(const inbox_settled& settled) {
  return settle_.run(settled.outcome, settled.seq);
}

result<std::vector<inbox_row>> inbox_table::pending(const room_id& room, std::int64_t after,
                                                    std::int64_t limit) {
  std::vector<inbox_row> rows;
  auto ok = pending_.each(
      [&](row& r) {
        auto& to = rows.emplace_back();
        auto& e = to.event;
        r >> to.seq >> e.id >> e.room >> e.sender >> e.type >> e.state_key >> e.sent_at >>
            to.backlog >> to.tr >> e.content;
      },
      room, after, limit);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

} // namespace pb::sqlite
