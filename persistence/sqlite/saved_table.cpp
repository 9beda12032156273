#include "persistence/sqlite/saved_table.hpp"

namespace pb::sqlite {

saved_table::saved_table(database& db)
    : put_(db.prepare("put saved context",
                      "INSERT INTO saved_context(owner, agent, name, room, path, at)"
                      " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(owner, agent, name) DO UPDATE SET"
                      " room = excluded.room, path = excluded.path, at = excluded.at")),
      all_(db.prepare("saved contexts", "SELECT owner, agent, name, room, path, at"
                                        " FROM saved_context ORDER BY owner, agent, name")) {}

result<void> saved_table::put(const saved_context& s) {
  return put_.run(s.owner, s.agent, s.name, s.room, s.path, s.at);
}

result<std::vector<saved_context>> saved_table::all() {
  std::vector<saved_context> rows;
  auto ok = all_.each([&](row& r) {
    auto& s = rows.emplace_back();
    r >> s.owner >> s.agent >> s.name >> s.room >> s.path >> s.at;
  });
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

} // namespace pb::sqlite
