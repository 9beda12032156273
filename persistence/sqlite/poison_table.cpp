#include "persistence/sqlite/poison_table.hpp"

#include <limits>

namespace pb::sqlite {
namespace {

/// The first bytes, cut between two characters.
std::string_view clipped(std::string_view text) {
  if (text.size() <= poison_table::text_cap)
    return text;
  auto end = poison_table::text_cap;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end);
}

} // namespace

poison_table::poison_table(database& db, seen_table& seen)
    : db_(db), seen_(seen),
      add_(db.prepare("set aside", "INSERT INTO poison(room, event_id, reason, raw, at)"
                                   " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")),
      over_(db.prepare("poison past the cap",
                       "SELECT seq, event_id, at FROM poison WHERE seq <= (SELECT seq FROM poison"
                       " ORDER BY seq DESC LIMIT 1 OFFSET ?)")),
      old_(db.prepare("old poison", "SELECT seq, event_id, at FROM poison INDEXED BY poison_at"
                                    " WHERE at <= ? LIMIT ?")),
      gone_(db.prepare("forget poison", "DELETE FROM poison WHERE seq = ?")),
      dropped_(db.prepare("count dropped poison",
                          "INSERT INTO meta VALUES ('poison_dropped', ?1) ON CONFLICT(key)"
                          " DO UPDATE SET value = CAST(value AS INTEGER) + ?1")),
      has_(db.prepare("find poison", "SELECT 1 FROM poison WHERE event_id = ? AND event_id <> ''")),
      page_(db.prepare("poison", "SELECT seq, room, event_id, reason, raw, at FROM poison"
                                 " WHERE seq < ? ORDER BY seq DESC LIMIT ?")) {}

result<bool> poison_table::add(const poison_row& p, unix_ms now) {
  if (auto ok = add_.run(p.room, p.event, clipped(p.reason), clipped(p.raw), p.at ? p.at : now);
      !ok)
    return tl::unexpected<fault>(ok.error());
  if (db_.changes() == 0)
    return false;
  auto over = forget(over_, cap);
  if (!over)
    return tl::unexpected<fault>(over.error());
  if (*over > 0)
    if (auto ok = dropped_.run(static_cast<std::int64_t>(*over)); !ok)
      return tl::unexpected<fault>(ok.error());
  return true;
}

result<bool> poison_table::has(const event_id& event) {
  bool there = false;
  if (auto ok = has_.each([&](row&) { there = true; }, event); !ok)
    return tl::unexpected<fault>(ok.error());
  return there;
}

result<std::vector<poison_row>> poison_table::page(std::int64_t before, std::int64_t limit) {
  std::vector<poison_row> rows;
  auto ok = page_.each(
      [&](row& r) {
        auto& p = rows.emplace_back();
        r >> p.seq >> p.room >> p.event >> p.reason >> p.raw >> p.at;
      },
      before > 0 ? before : std::numeric_limits<std::int64_t>::max(), limit);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<std::size_t> poison_table::prune(unix_ms until, std::int64_t limit) {
  return forget(old_, until, limit);
}

template <class... T>
result<std::size_t> poison_table::forget(statement& which, const T&... values) {
  std::vector<poison_row> rows;
  auto ok = which.each(
      [&](row& r) {
        auto& p = rows.emplace_back();
        r >> p.seq >> p.event >> p.at;
      },
      values...);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  for (const auto& p : rows) {
    if (!p.event.empty())
      if (auto kept = seen_.add(p.event, p.at); !kept)
        return tl::unexpected<fault>(kept.error());
    if (auto gone = gone_.run(p.seq); !gone)
      return tl::unexpected<fault>(gone.error());
  }
  return rows.size();
}

} // namespace pb::sqlite
