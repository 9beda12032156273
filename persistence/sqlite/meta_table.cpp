#include "persistence/sqlite/meta_table.hpp"

#include <algorithm>

namespace pb::sqlite {

meta_table::meta_table(database& db)
    : cursor_(db.prepare("cursor", "SELECT value FROM meta WHERE key = 'cursor'")),
      set_cursor_(db.prepare("set cursor",
                             "INSERT INTO meta VALUES ('cursor', ?)"
                             " ON CONFLICT(key) DO UPDATE SET value = excluded.value")),
      account_(
          db.prepare("account", "SELECT user, device, access_token, refresh_token FROM account")),
      save_account_(db.prepare("save account",
                               "INSERT INTO account(one, user, device, access_token, refresh_token)"
                               " VALUES (1, ?, ?, ?, ?) ON CONFLICT(one) DO UPDATE SET"
                               " user = excluded.user, device = excluded.device,"
                               " access_token = excluded.access_token,"
                               " refresh_token = excluded.refresh_token")),
      draw_(db.prepare("draw platform_chat_id",
                       "INSERT INTO sequence VALUES ('platform_chat_id', ?1 + 1)"
                       " ON CONFLICT(name) DO UPDATE SET last = max(last, ?1) + 1 RETURNING last")),
      raise_(db.prepare("raise platform_chat_id",
                        "INSERT INTO sequence VALUES ('platform_chat_id', ?)"
                        " ON CONFLICT(name) DO UPDATE SET last = excluded.last"
                        " WHERE excluded.last > last")),
      last_(db.prepare("last platform_chat_id",
                       "SELECT last FROM sequence WHERE name = 'platform_chat_id'")),
      mark_(db.prepare("mark", "INSERT INTO meta VALUES (?, ?)"
                               " ON CONFLICT(key) DO UPDATE SET value = excluded.value")),
      marked_(db.prepare("marked", "SELECT value FROM meta WHERE key = ?")) {}

result<std::optional<std::string>> meta_table::cursor() {
  std::optional<std::string> found;
  auto ok = cursor_.each([&](row& r) { r >> found; });
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<void> meta_table::set_cursor(const std::string& cursor) { return set_cursor_.run(cursor); }

result<std::optional<account_row>> meta_table::account() {
  std::optional<account_row> found;
  auto ok = account_.each([&](row& r) {
    auto& a = found.emplace();
    r >> a.user >> a.device >> a.access_token >> a.refresh_token;
  });
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<void> meta_table::save_account(const account_row& account) {
  return save_account_.run(account.user, account.device, account.access_token,
                           account.refresh_token);
}

result<platform_chat_id> meta_table::last() {
  platform_chat_id found;
  if (auto ok = last_.each([&](row& r) { r >> found; }); !ok)
    return tl::unexpected<fault>(ok.error());
  found.value = std::max(found.value, drawn_);
  return found;
}

result<void> meta_table::mark(const std::string& key, const std::string& value) {
  return mark_.run(key, value);
}

result<std::optional<std::string>> meta_table::marked(const std::string& key) {
  std::optional<std::string> found;
  if (auto ok = marked_.each([&](row& r) { r >> found; }, key); !ok)
    return tl::unexpected<fault>(ok.error());
  return found;
}

result<platform_chat_id> meta_table::draw() {
  platform_chat_id drawn;
  if (auto ok = draw_.each([&](row& r) { r >> drawn; }, drawn_); !ok)
    return tl::unexpected<fault>(ok.error());
  drawn_ = std::max(drawn_, drawn.value);
  return drawn;
}

result<void> meta_table::raise(platform_chat_id seen) {
  return seen.value > 0 ? raise_.run(seen) : result<void>{};
}

} // namespace pb::sqlite
