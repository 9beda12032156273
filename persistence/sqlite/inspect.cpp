#include "persistence/sqlite/inspect.hpp"

#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/migrations.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace pb {
namespace {

struct close_database {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};

/// file:…, with everything that means something in a URI written as %XX.
std::string as_uri(const std::string& path) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path)
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      uri.push_back(c);
    }
  return uri;
}

/// A read-only connection: nothing that writes is prepared on it.
class quiet_reader {
public:
  explicit quiet_reader(const std::string& path) {
    // Without a log nobody has it open, and only then may it be read as if it never changed: a
    // plain reader would leave a log and its index behind.
    const bool quiet = ::access((path + "-wal").c_str(), F_OK) != 0;
    const auto where = quiet ? as_uri(path) + "?immutable=1" : as_uri(path);
    sqlite3* raw = nullptr;
    code_ = sqlite3_open_v2(where.c_str(), &raw,
                            SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                                SQLITE_OPEN_EXRESCODE,
                            nullptr);
    db_.reset(raw);
    if (code_ != SQLITE_OK)
      return;
    sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 16 << 20);
    sqlite3_busy_timeout(raw, 5'000);
  }

  [[nodiscard]] result<void> opened() const {
    if (code_ != SQLITE_OK)
      return tl::unexpected(sqlite::fault_of(db_.get(), code_, "open"));
    return {};
  }

  template <class F>
  result<void> each(const char* sql, F&& f) {
    sqlite3_stmt* raw = nullptr;
    if (const int code = sqlite3_prepare_v2(db_.get(), sql, -1, &raw, nullptr); code != SQLITE_OK)
      return tl::unexpected(sqlite::fault_of(db_.get(), code, "inspect"));
    sqlite::statement s{raw, "inspect"};
    return s.each(std::forward<F>(f));
  }

  result<std::int64_t> number(const char* sql) {
    std::int64_t found = 0;
    if (auto ok = each(sql, [&](sqlite::row& r) { r >> found; }); !ok)
      return tl::unexpected(ok.error());
    return found;
  }

private:
  std::unique_ptr<sqlite3, close_database> db_;
  int code_ = SQLITE_OK;
};

result<void> identify(quiet_reader& db, database_findings& f) {
  const auto id = db.number("PRAGMA application_id");
  const auto version = db.number("PRAGMA user_version");
  if (!id || !version)
    return tl::unexpected((id ? version : id).error());
  f.schema = *version;
  f.newest_schema = sqlite::migrations().back().number;
  if (*id != sqlite::application_id)
    return fail(fault_code::foreign_file, "application_id " + std::to_string(*id),
                "this file is no database of Patchbay; set storage.path to another one");
  if (f.schema > f.newest_schema)
    return fail(fault_code::newer_schema, "schema version " + std::to_string(f.schema),
                "the database was written by a newer Patchbay; run that version, or bring back an "
                "older backup");
  return {};
}

result<void> look(quiet_reader& db, database_findings& f) {
  auto& broken = f.broken;
  if (auto ok = db.each("PRAGMA integrity_check(20)",
                        [&](sqlite::row& r) {
                          std::string line;
                          r >> line;
                          if (line != "ok")
                            broken.push_back(std::move(line));
                        });
      !ok)
    return ok;
  if (auto ok = db.each("PRAGMA foreign_key_check", [&](sqlite::row&) { ++f.dangling; }); !ok)
    return ok;
  auto& c = f.counts;
  if (auto ok = db.each("SELECT (SELECT count(*) FROM inbox WHERE outcome IS NULL),"
                        " (SELECT count(*) FROM outbox WHERE state = 0),"
                        " (SELECT count(*) FROM outbox WHERE state = 2),"
                        " (SELECT count(*) FROM turn WHERE state = 0),"
                        " (SELECT count(*) FROM room)",
                        [&](sqlite::row& r) {
                          r >> c.inbox_pending >> c.outbox_waiting >> c.outbox_dead >>
                              c.turns_open >> c.rooms;
                        });
      !ok)
    return ok;
  return db.each("SELECT user, device, access_token FROM account", [&](sqlite::row& r) {
    account_row a;
    r >> a.user >> a.device >> a.access_token;
    f.account = std::move(a);
  });
}

} // namespace

result<database_findings> inspect_database(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0)
    return fail(errno == ENOENT || errno == ENOTDIR ? fault_code::not_found : fault_code::storage,
                path + ": " + std::strerror(errno));
  database_findings f;
  f.bytes = file.st_size;
  quiet_reader db{path};
  auto ok = db.opened();
  if (ok)
    ok = identify(db, f);
  if (ok)
    ok = look(db, f);
  if (!ok)
    return tl::unexpected(ok.error());
  return f;
}

} // namespace pb
