#include "tests/bench/floor/store.hpp"

#include <stdexcept>

namespace pb::bench {

store::store(const std::string& path, bool full) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open(path.c_str(), &db);
  db_.reset(db);
  if (code != SQLITE_OK)
    throw std::runtime_error("cannot open " + path);
  execute("PRAGMA journal_mode=WAL");
  execute(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  execute("CREATE TABLE inbox(id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE,"
          " room TEXT NOT NULL, sender TEXT NOT NULL, body TEXT NOT NULL,"
          " state INTEGER NOT NULL) STRICT");
  execute("CREATE TABLE outbox(id INTEGER PRIMARY KEY, txn TEXT NOT NULL, room TEXT NOT NULL,"
          " body TEXT NOT NULL, state INTEGER NOT NULL, event_id TEXT) STRICT");
  execute("CREATE TABLE cursor(id INTEGER PRIMARY KEY CHECK (id = 1), since TEXT NOT NULL) STRICT");
  begin_ = prepare("BEGIN IMMEDIATE");
  commit_ = prepare("COMMIT");
  admit_ = prepare("INSERT OR IGNORE INTO inbox(event_id, room, sender, body, state)"
                   " VALUES(?1, ?2, ?3, ?4, 0)");
  cursor_ = prepare("INSERT INTO cursor VALUES(1, ?1)"
                    " ON CONFLICT(id) DO UPDATE SET since = excluded.since");
  dispatched_ = prepare("UPDATE inbox SET state = 1 WHERE id = ?1");
  outbox_ = prepare("INSERT INTO outbox VALUES(?1, ?2, ?3, ?4, 0, NULL)");
  settled_ = prepare("UPDATE inbox SET state = 2 WHERE id = ?1");
  sent_ = prepare("UPDATE outbox SET state = 1, event_id = ?2 WHERE id = ?1");
}

std::optional<std::int64_t> store::admit(std::string_view event_id, std::string_view room,
                                         std::string_view sender, std::string_view body) {
  auto* s = admit_.get();
  bind(s, 1, event_id);
  bind(s, 2, room);
  bind(s, 3, sender);
  bind(s, 4, body);
  run(s);
  if (sqlite3_changes(db_.get()) == 0)
    return std::nullopt;
  return sqlite3_last_insert_rowid(db_.get());
}

void store::move_cursor(std::string_view since) {
  bind(cursor_.get(), 1, since);
  run(cursor_.get());
}

void store::mark_dispatched(std::int64_t inbox) {
  sqlite3_bind_int64(dispatched_.get(), 1, inbox);
  run(dispatched_.get());
}

void store::answer(std::int64_t inbox, std::int64_t outbox, std::string_view transaction,
                   std::string_view room, std::string_view body) {
  auto* s = outbox_.get();
  sqlite3_bind_int64(s, 1, outbox);
  bind(s, 2, transaction);
  bind(s, 3, room);
  bind(s, 4, body);
  run(s);
  sqlite3_bind_int64(settled_.get(), 1, inbox);
  run(settled_.get());
}

void store::mark_sent(std::int64_t outbox, std::string_view event_id) {
  sqlite3_bind_int64(sent_.get(), 1, outbox);
  bind(sent_.get(), 2, event_id);
  run(sent_.get());
}

store::statement store::prepare(const char* sql) const {
  sqlite3_stmt* s = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &s, nullptr) != SQLITE_OK)
    throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(db_.get()));
  return statement(s);
}

void store::execute(const char* sql) const {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(db_.get()));
}

void store::run(sqlite3_stmt* s) const {
  const int code = sqlite3_step(s);
  sqlite3_reset(s);
  if (code != SQLITE_DONE)
    throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(db_.get()));
}

/// The text must live until the statement has run.
void store::bind(sqlite3_stmt* s, int at, std::string_view text) {
  sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

} // namespace pb::bench
