#include "persistence/sqlite/room_table.hpp"

namespace pb::sqlite {
namespace {

row& operator>>(row& r, room_row& to) {
  return r >> to.id >> to.kind >> to.owner >> to.chat >> to.platform >> to.agent >> to.epoch >>
         to.state >> to.space >> to.intent >> to.title >> to.encrypted_told >> to.encrypted;
}

#define PB_ROOM_COLUMNS                                                                            \
  "id, kind, owner, chat, platform, agent, epoch, state, space, intent, title, encrypted_told"
#define PB_ROOM_VALUES "(" PB_ROOM_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define PB_ROOM_SELECT                                                                             \
  "SELECT " PB_ROOM_COLUMNS                                                                        \
  ", EXISTS (SELECT 1 FROM encrypted_room e WHERE e.id = room.id) FROM room"

} // namespace

room_table::room_table(database& db)
    : put_(db.prepare("put room",
                      "INSERT INTO room" PB_ROOM_VALUES
                      " ON CONFLICT(id) DO UPDATE SET kind = excluded.kind,"
                      " owner = excluded.owner, chat = excluded.chat, platform = excluded.platform,"
                      " agent = excluded.agent, epoch = excluded.epoch, state = excluded.state,"
                      " space = excluded.space, intent = excluded.intent, title = excluded.title,"
                      " encrypted_told = max(encrypted_told, excluded.encrypted_told)")),
      restore_(db.prepare("restore room", "INSERT OR IGNORE INTO room" PB_ROOM_VALUES)),
      find_(db.prepare("find room", PB_ROOM_SELECT " WHERE id = ?")),
      all_(db.prepare("all rooms", PB_ROOM_SELECT " ORDER BY id")),
      back_(db.prepare("room joined", "UPDATE room SET state = 0 WHERE id = ? AND state = 2")),
      gone_(db.prepare("room left",
                       "UPDATE room SET state = 2 WHERE id = ? AND kind IN (0, 1) AND state <> 2")),
      leave_behind_(
          db.prepare("leave room behind", "UPDATE room SET state = 2, platform = 0 WHERE id = ?")),
      encrypt_(db.prepare("room encrypted", "INSERT OR IGNORE INTO encrypted_room VALUES (?)")) {}

result<void> room_table::put(const room_row& r) {
  if (auto ok = put_.run(r.id, r.kind, r.owner, r.chat, r.platform, r.agent, r.epoch, r.state,
                         r.space, r.intent, r.title, r.encrypted_told);
      !ok)
    return ok;
  return r.encrypted ? encrypt(r.id) : result<void>{};
}

result<void> room_table::restore(const room_row& r) {
  if (auto ok = restore_.run(r.id, r.kind, r.owner, r.chat, r.platform, r.agent, r.epoch, r.state,
                             r.space, r.intent, r.title, r.encrypted_told);
      !ok)
    return ok;
  return r.encrypted ? encrypt(r.id) : result<void>{};
}

result<std::optional<room_row>> room_table::find(const room_id& room) {
  std::optional<room_row> found;
  if (auto ok = find_.each([&](row& r) { r >> found.emplace(); }, room); !ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<std::vector<room_row>> room_table::all() {
  std::vector<room_row> rows;
  if (auto ok = all_.each([&](row& r) { r >> rows.emplace_back(); }); !ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<void> room_table::apply(const membership_row& change) {
  return change.state == membership::join ? back_.run(change.room) : gone_.run(change.room);
}

result<void> room_table::leave_behind(const room_id& room) { return leave_behind_.run(room); }

result<void> room_table::encrypt(const room_id& room) { return encrypt_.run(room); }

} // namespace pb::sqlite
