#include "persistence/sqlite/topology_tables.hpp"

namespace pb::sqlite {

// -- people --

user_table::user_table(database& db)
    : put_(db.prepare("put user",
                      "INSERT INTO user(id, space, agent, next_chat, lang) VALUES (?, ?, ?, ?, ?)"
                      " ON CONFLICT(id) DO UPDATE SET space = excluded.space,"
                      " agent = excluded.agent, next_chat = max(next_chat, excluded.next_chat),"
                      " lang = excluded.lang")),
      restore_(db.prepare(
          "restore user",
          "INSERT INTO user(id, space, agent, next_chat, lang) VALUES (?, ?, ?, max(?, 1), ?)"
          " ON CONFLICT(id) DO UPDATE SET next_chat = excluded.next_chat"
          " WHERE excluded.next_chat > next_chat")),
      find_(db.prepare("find user",
                       "SELECT id, space, agent, next_chat, lang FROM user WHERE id = ?")),
      all_(db.prepare("users", "SELECT id, space, agent, next_chat, lang FROM user ORDER BY id")) {}

result<void> user_table::put(const user_row& u) {
  return put_.run(u.id, u.space, u.agent, u.next_chat, u.lang);
}

result<void> user_table::restore(const user_row& u) {
  return restore_.run(u.id, u.space, u.agent, u.next_chat, u.lang);
}

result<std::optional<user_row>> user_table::find(const user_id& user) {
  std::optional<user_row> found;
  auto ok = find_.each(
      [&](row& r) {
        auto& u = found.emplace();
        r >> u.id >> u.space >> u.agent >> u.next_chat >> u.lang;
      },
      user);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<std::vector<user_row>> user_table::all() {
  std::vector<user_row> rows;
  auto ok = all_.each([&](row& r) {
    auto& u = rows.emplace_back();
    r >> u.id >> u.space >> u.agent >> u.next_chat >> u.lang;
  });
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

// -- invitations --

invite_table::invite_table(database& db)
    : put_(db.prepare("put invite",
                      "INSERT INTO invite(room, inviter, direct, trace) VALUES (?, ?, ?, ?)"
                      " ON CONFLICT(room) DO UPDATE SET inviter = excluded.inviter,"
                      " direct = excluded.direct, trace = excluded.trace")),
      done_(db.prepare("invite done", "DELETE FROM invite WHERE room = ?")),
      all_(db.prepare("invites", "SELECT room, inviter, direct, trace FROM invite ORDER BY room")) {
}

result<void> invite_table::put(const invite_row& i) {
  return put_.run(i.room, i.inviter, i.direct, i.tr);
}

result<void> invite_table::done(const room_id& room) { return done_.run(room); }

result<std::vector<invite_row>> invite_table::all() {
  std::vector<invite_row> rows;
  auto ok = all_.each([&](row& r) {
    auto& i = rows.emplace_back();
    r >> i.room >> i.inviter >> i.direct >> i.tr;
  });
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

// -- creations of rooms --

intent_table::intent_table(database& db)
    : put_(db.prepare(
          "put intent",
          "INSERT INTO intent(id, kind, step, owner, origin, origin_event, title, chat, platform,"
          " agent, space, room, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
          " ON CONFLICT(id) DO UPDATE SET kind = excluded.kind, step = excluded.step,"
          " owner = excluded.owner, origin = excluded.origin,"
          " origin_event = excluded.origin_event, title = excluded.title, chat = excluded.chat,"
          " platform = excluded.platform, agent = excluded.agent, space = excluded.space,"
          " room = excluded.room, trace = excluded.trace")),
      done_(db.prepare("intent done", "DELETE FROM intent WHERE id = ?")),
      all_(db.prepare("intents",
                      "SELECT id, kind, step, owner, origin, origin_event, title, chat, platform,"
                      " agent, space, room, trace FROM intent ORDER BY id")) {}

result<void> intent_table::put(const intent_row& i) {
  return put_.run(i.id, i.kind, i.step, i.owner, i.origin, i.origin_event, i.title, i.chat,
                  i.platform, i.agent, i.space, i.room, i.tr);
}

result<void> intent_table::done(const intent_id& intent) { return done_.run(intent); }

result<std::vector<intent_row>> intent_table::all() {
  std::vector<intent_row> rows;
  auto ok = all_.each([&](row& r) {
    auto& i = rows.emplace_back();
    r >> i.id >> i.kind >> i.step >> i.owner >> i.origin >> i.origin_event >> i.title >> i.chat >>
        i.platform >> i.agent >> i.space >> i.room >> i.tr;
  });
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

} // namespace pb::sqlite
