#include "persistence/sqlite/room_table.hpp"

#include "persistence/sqlite/room_lists.hpp"

namespace pb::sqlite {
namespace {

row& operator>>(row& r, room_row& to) {
  std::string allowed;
  std::optional<std::string> question;
  r >> to.id >> to.kind >> to.owner >> to.chat >> to.platform >> to.agent >> to.epoch >> to.state >>
      to.space >> to.intent >> to.title >> to.encrypted_told >> to.choices.lang >>
      to.choices.streaming >> to.choices.notices >> allowed >> to.usage.turns >>
      to.usage.input_tokens >> to.usage.output_tokens >> question >> to.encrypted >> to.granted;
  to.choices.allowed = people_of(allowed);
  to.question = question_of(question);
  return r;
}

#define PB_ROOM_COLUMNS                                                                            \
  "id, kind, owner, chat, platform, agent, epoch, state, space, intent, title, encrypted_told,"    \
  " lang, streaming, notices, allowed, turns, input_tokens, output_tokens, question"
#define PB_ROOM_VALUES                                                                             \
  "(" PB_ROOM_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define PB_ROOM_SELECT                                                                             \
  "SELECT " PB_ROOM_COLUMNS ", EXISTS (SELECT 1 FROM encrypted_room e WHERE e.id = room.id),"      \
  " EXISTS (SELECT 1 FROM granted_room g WHERE g.id = room.id AND g.agent = room.agent) FROM room"

} // namespace

room_table::room_table(database& db)
    : put_(db.prepare("put room",
                      "INSERT INTO room" PB_ROOM_VALUES
                      " ON CONFLICT(id) DO UPDATE SET kind = excluded.kind,"
                      " owner = excluded.owner, chat = excluded.chat, platform = excluded.platform,"
                      " agent = excluded.agent, epoch = excluded.epoch, state = excluded.state,"
                      " space = excluded.space, intent = excluded.intent, title = excluded.title,"
                      " encrypted_told = max(encrypted_told, excluded.encrypted_told),"
                      " lang = excluded.lang, streaming = excluded.streaming,"
                      " notices = excluded.notices, allowed = excluded.allowed,"
                      " turns = excluded.turns, input_tokens = excluded.input_tokens,"
                      " output_tokens = excluded.output_tokens, question = excluded.question")),
      restore_(db.prepare("restore room", "INSERT OR IGNORE INTO room" PB_ROOM_VALUES)),
      find_(db.prepare("find room", PB_ROOM_SELECT " WHERE id = ?")),
      find_number_(db.prepare("find chat", PB_ROOM_SELECT
                              " WHERE id = (SELECT room FROM chat_number WHERE platform = ?)")),
      use_(db.prepare("room usage",
                      "UPDATE room SET turns = turns + ?, input_tokens = input_tokens + ?,"
                      " output_tokens = output_tokens + ? WHERE id = ?")),
      has_(db.prepare("room has number", "SELECT 1 FROM room WHERE id = ? AND platform = ?")),
      all_(db.prepare("all rooms", PB_ROOM_SELECT " ORDER BY id")),
      chats_(db.prepare("page of chats", PB_ROOM_SELECT
                        " WHERE room.id > ?1 AND kind = 0 AND (?2 = '' OR room.agent = ?2)"
                        " AND (?3 = '' OR owner = ?3) ORDER BY room.id LIMIT ?4")),
      back_(db.prepare("room joined", "UPDATE room SET state = 0 WHERE id = ? AND state = 2")),
      gone_(db.prepare("room left",
                       "UPDATE room SET state = 2 WHERE id = ? AND kind IN (0, 1) AND state <> 2")),
      leave_behind_(
          db.prepare("leave room behind", "UPDATE room SET state = 2, platform = 0 WHERE id = ?")),
      encrypt_(db.prepare("room encrypted", "INSERT OR IGNORE INTO encrypted_room VALUES (?)")),
      grant_(db.prepare("room granted",
                        "INSERT INTO granted_room VALUES (?, ?) ON CONFLICT(id) DO UPDATE"
                        " SET agent = excluded.agent WHERE agent <> excluded.agent")),
      // Nothing is written when it says so already: a room's row is written at every turn.
      number_(db.prepare("chat number",
                         "INSERT INTO chat_number VALUES (?, ?) ON CONFLICT(platform) DO UPDATE"
                         " SET room = excluded.room WHERE room <> excluded.room")),
      // Only as its row stands: what is known is not overwritten by a marker.
      restore_number_(db.prepare("restore chat number",
                                 "INSERT OR IGNORE INTO chat_number SELECT platform, id FROM room"
                                 " WHERE id = ? AND platform = ? AND platform > 0")),
      pass_on_(db.prepare("pass on chat numbers",
                          "UPDATE chat_number INDEXED BY chat_number_room SET room = ?"
                          " WHERE room = ?")) {}

result<void> room_table::write(statement& to, const room_row& r) {
  return to.run(r.id, r.kind, r.owner, r.chat, r.platform, r.agent, r.epoch, r.state, r.space,
                r.intent, r.title, r.encrypted_told, r.choices.lang, r.choices.streaming,
                r.choices.notices, text_of(r.choices.allowed), r.usage.turns, r.usage.input_tokens,
                r.usage.output_tokens, text_of(r.question));
}

result<void> room_table::add_usage(const room_id& room, const room_usage& used) {
  return use_.run(used.turns, used.input_tokens, used.output_tokens, room);
}

result<void> room_table::put(const room_row& r) {
  if (auto ok = write(put_, r); !ok)
    return ok;
  if (r.platform.value > 0)
    if (auto ok = number_.run(r.platform, r.id); !ok)
      return ok;
  if (r.granted)
    if (auto ok = grant_.run(r.id, r.agent); !ok)
      return ok;
  return r.encrypted ? encrypt(r.id) : result<void>{};
}

result<void> room_table::restore(const room_row& r) {
  if (auto ok = write(restore_, r); !ok)
    return ok;
  if (auto ok = restore_number_.run(r.id, r.platform); !ok)
    return ok;
  return r.encrypted ? encrypt(r.id) : result<void>{};
}

result<std::optional<room_row>> room_table::find(const room_id& room) {
  std::optional<room_row> found;
  if (auto ok = find_.each([&](row& r) { r >> found.emplace(); }, room); !ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<std::optional<room_row>> room_table::find(platform_chat_id number) {
  std::optional<room_row> found;
  if (auto ok = find_number_.each([&](row& r) { r >> found.emplace(); }, number); !ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<std::vector<room_row>> room_table::all() {
  std::vector<room_row> rows;
  if (auto ok = all_.each([&](row& r) { r >> rows.emplace_back(); }); !ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<std::vector<room_row>> room_table::chats(const room_id& after, std::size_t limit,
                                                const agent_id& agent, const user_id& owner) {
  std::vector<room_row> rows;
  if (auto ok = chats_.each([&](row& r) { r >> rows.emplace_back(); }, after, agent, owner,
                            static_cast<std::int64_t>(limit));
      !ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<bool> room_table::has(const room_id& room, platform_chat_id number) {
  bool there = false;
  if (auto ok = has_.each([&](row&) { there = true; }, room, number); !ok)
    return tl::unexpected<fault>(ok.error());
  return there;
}

result<void> room_table::apply(const membership_row& change) {
  return change.state == membership::join ? back_.run(change.room) : gone_.run(change.room);
}

result<void> room_table::leave_behind(const room_id& room, const room_id& successor) {
  if (auto ok = leave_behind_.run(room); !ok)
    return ok;
  return pass_on_.run(successor, room);
}

result<void> room_table::encrypt(const room_id& room) { return encrypt_.run(room); }

} // namespace pb::sqlite
