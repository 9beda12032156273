#include "persistence/sqlite/outbox_table.hpp"

#include <limits>

namespace pb::sqlite {

outbox_table::outbox_table(database& db)
    : db_(db),
      add_(db.prepare("add to outbox",
                      "INSERT INTO outbox(id, room, kind, priority, type, state_key, txn, device,"
                      " body, turn, about, made_at, notify, trace, state)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)")),
      record_(db.prepare("record sending",
                         "UPDATE outbox SET state = ?, event_id = nullif(?, ''),"
                         " reason = nullif(?, ''), ended_at = ? WHERE id = ? AND state = 0")),
      freeze_(db.prepare("freeze file", "UPDATE outbox SET kind = 0, body = ?2"
                                        " WHERE id = ?1 AND kind = 2 AND state = 0")),
      frozen_(db.prepare("frozen file", "SELECT kind = 0 AND body = ?2 FROM outbox WHERE id = ?1")),
      exists_(db.prepare("find in outbox", "SELECT 1 FROM outbox WHERE id = ?")),
      waiting_(
          db.prepare("waiting outbox",
                     "SELECT seq, id, room, kind, priority, type, state_key, txn, device,"
                     " body, turn, about, made_at, notify, trace, coalesce(reason, '') FROM outbox"
                     " INDEXED BY outbox_waiting WHERE state = 0 AND seq > ?"
                     " ORDER BY seq LIMIT ?")),
      marker_waits_(db.prepare("waiting markers",
                               "SELECT 1 FROM outbox INDEXED BY outbox_markers"
                               " WHERE room = ? AND state = 0 AND kind = 1 LIMIT 1")),
      dead_(
          db.prepare("dead outbox",
                     "SELECT seq, id, room, kind, priority, type, state_key, txn, device,"
                     " body, turn, about, made_at, notify, trace, coalesce(reason, '') FROM outbox"
                     " INDEXED BY outbox_dead WHERE state = 2 AND seq < ?"
                     " ORDER BY seq DESC LIMIT ?")) {}

result<std::int64_t> outbox_table::add(const outbox_row& m) {
  if (auto ok = add_.run(m.id, m.room, m.kind, m.priority, m.type, m.state_key, m.txn, m.device,
                         m.body, m.turn, m.about, m.made_at, m.notify, m.tr);
      !ok)
    return tl::unexpected<fault>(ok.error());
  return db_.last_rowid();
}

result<void> outbox_table::record(const send_outcome& outcome, unix_ms now) {
  if (outcome.state != outbox_state::waiting) { // waiting: it is tried again with the same bytes
    if (auto ok = record_.run(outcome.state, outcome.event, outcome.reason, now, outcome.id); !ok)
      return ok;
    if (db_.changes() != 0)
      return {};
  }
  bool there = false;
  if (auto ok = exists_.each([&](row&) { there = true; }, outcome.id); !ok)
    return ok;
  if (!there)
    return fail(fault_code::not_found, "record sending: no outbox row " + outcome.id.value);
  return {};
}

result<void> outbox_table::freeze(const outbox_id& id, const std::string& body) {
  if (auto ok = freeze_.run(id, body); !ok)
    return ok;
  if (db_.changes() != 0)
    return {};
  bool there = false, same = false;
  auto ok = frozen_.each(
      [&](row& r) {
        there = true;
        r >> same;
      },
      id, body);
  if (!ok)
    return ok;
  if (!there)
    return fail(fault_code::not_found, "freeze file: no outbox row " + id.value);
  if (!same)
    return fail(fault_code::conflict, "freeze file: outbox row " + id.value +
                                          " is no file that waits, and has other bytes");
  return {};
}

result<std::vector<outbox_row>> outbox_table::waiting(std::int64_t after, std::int64_t limit) {
  return page(waiting_, after, limit);
}

result<std::vector<outbox_row>> outbox_table::dead(std::int64_t before, std::int64_t limit) {
  return page(dead_, before > 0 ? before : std::numeric_limits<std::int64_t>::max(), limit);
}

result<std::vector<outbox_row>> outbox_table::page(statement& from, std::int64_t border,
                                                   std::int64_t limit) {
  std::vector<outbox_row> rows;
  auto ok = from.each(
      [&](row& r) {
        auto& m = rows.emplace_back();
        r >> m.seq >> m.id >> m.room >> m.kind >> m.priority >> m.type >> m.state_key >> m.txn >>
            m.device >> m.body >> m.turn >> m.about >> m.made_at >> m.notify >> m.tr >> m.reason;
      },
      border, limit);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<bool> outbox_table::marker_waits(const room_id& room) {
  bool waits = false;
  if (auto ok = marker_waits_.each([&](row&) { waits = true; }, room); !ok)
    return tl::unexpected<fault>(ok.error());
  return waits;
}

} // namespace pb::sqlite
