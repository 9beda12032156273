#include "persistence/sqlite/turn_table.hpp"

namespace pb::sqlite {

turn_table::turn_table(database& db)
    : db_(db), dispatch_(db.prepare("dispatch turn",
                                    "INSERT INTO turn(id, room, agent, chat, inbox_seq, attempts,"
                                    " at, state) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
                                    " ON CONFLICT(id) DO UPDATE SET attempts = attempts + 1,"
                                    " at = excluded.at WHERE state = 0")),
      put_(db.prepare("put turn",
                      "INSERT INTO turn(id, room, agent, chat, inbox_seq, attempts, at, state)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET"
                      " state = excluded.state, attempts = max(attempts, excluded.attempts),"
                      " at = excluded.at WHERE state = 0")),
      open_(db.prepare("open turns",
                       "SELECT id, room, agent, chat, inbox_seq, attempts, at, state FROM turn"
                       " INDEXED BY turn_open WHERE room = ? AND state = 0"
                       " ORDER BY inbox_seq, id")) {}

result<void> turn_table::dispatch(const turn_row& turn) {
  if (auto ok = dispatch_.run(turn.id, turn.room, turn.agent, turn.chat, turn.inbox_seq,
                              turn.attempts, turn.at);
      !ok)
    return ok;
  if (db_.changes() == 0)
    return fail(fault_code::conflict, "dispatch turn: turn " + turn.id.value + " has ended");
  return {};
}

result<void> turn_table::put(const turn_row& turn) {
  return put_.run(turn.id, turn.room, turn.agent, turn.chat, turn.inbox_seq, turn.attempts, turn.at,
                  turn.state);
}

result<std::vector<turn_row>> turn_table::open(const room_id& room) {
  std::vector<turn_row> rows;
  auto ok = open_.each(
      [&](row& r) {
        auto& t = rows.emplace_back();
        r >> t.id >> t.room >> t.agent >> t.chat >> t.inbox_seq >> t.attempts >> t.at >> t.state;
      },
      room);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

} // namespace pb::sqlite
