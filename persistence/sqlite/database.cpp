#include "persistence/sqlite/database.hpp"

#include <sqlite3.h>

namespace pb::sqlite {

// -- row --

row& row::operator>>(std::int64_t& to) {
  to = sqlite3_column_int64(stmt_, column_++);
  return *this;
}

row& row::operator>>(int& to) {
  to = sqlite3_column_int(stmt_, column_++);
  return *this;
}

row& row::operator>>(bool& to) {
  to = sqlite3_column_int(stmt_, column_++) != 0;
  return *this;
}

row& row::operator>>(std::string& to) {
  // Text first, then its length: the other order may measure another encoding.
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column_));
  if (text)
    to.assign(text, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column_)));
  else
    to.clear();
  ++column_;
  return *this;
}

row& row::operator>>(std::optional<std::string>& to) {
  if (sqlite3_column_type(stmt_, column_) == SQLITE_NULL) {
    to.reset();
    ++column_;
    return *this;
  }
  return *this >> to.emplace();
}

row& row::operator>>(std::optional<std::int64_t>& to) {
  to.reset();
  if (sqlite3_column_type(stmt_, column_) == SQLITE_NULL)
    ++column_;
  else
    *this >> to.emplace();
  return *this;
}

// -- statement --

static_assert(SQLITE_ROW == 100 && SQLITE_DONE == 101);

statement::statement(sqlite3_stmt* stmt, const char* where)
    : stmt_(stmt), where_(where),
      parameters_(static_cast<std::size_t>(sqlite3_bind_parameter_count(stmt))) {}

void statement::finalize::operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }

result<void> statement::start(std::size_t values) {
  if (!stmt_)
    return fail(fault_code::bug, std::string{where_} + ": the statement was never prepared");
  if (values != parameters_)
    return fail(fault_code::bug, std::string{where_} + ": wrong number of values");
  bound_ = 0;
  return {};
}

int statement::step() { return sqlite3_step(stmt_.get()); }

void statement::reset() {
  sqlite3_reset(stmt_.get());
  // The values belong to the caller: no pointer to them may stay.
  sqlite3_clear_bindings(stmt_.get());
}

tl::unexpected<fault> statement::bad(int code) const {
  return tl::unexpected<fault>(fault_of(sqlite3_db_handle(stmt_.get()), code, where_));
}

void statement::put(int index, std::string_view value) {
  // A null pointer would bind NULL. The length counts, so NUL bytes survive.
  const char* data = value.data() ? value.data() : "";
  const int code =
      sqlite3_bind_text64(stmt_.get(), index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK && bound_ == 0)
    bound_ = code;
}

void statement::put(int index, blob value) {
  const char* data = value.bytes.data() ? value.bytes.data() : "";
  const int code = sqlite3_bind_blob64(stmt_.get(), index, data, value.bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK && bound_ == 0)
    bound_ = code;
}

void statement::put(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(stmt_.get(), index, value);
  if (code != SQLITE_OK && bound_ == 0)
    bound_ = code;
}

void statement::put(int index, const std::optional<std::string>& value) {
  if (value)
    put(index, std::string_view{*value});
  else
    put_null(index);
}

void statement::put_null(int index) {
  const int code = sqlite3_bind_null(stmt_.get(), index);
  if (code != SQLITE_OK && bound_ == 0)
    bound_ = code;
}

// -- database --

void database::close::operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }

result<database> database::open(const std::string& path, bool read_only) {
  database d;
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
                      nullptr);
  d.db_.reset(raw);
  if (code != SQLITE_OK)
    return tl::unexpected<fault>(fault_of(raw, code, "open"));
  // A schema that somebody else wrote must not be able to do anything: no functions with side
  // effects from views, no writing to the schema or to shadow tables, no names in double quotes
  // that turn into text.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 16 << 20); // of one value or row, in bytes
  sqlite3_busy_timeout(raw, 2'000);
  // Replaces SQLite's own checkpoint at commit, which swallows an error of fsync: see checkpoint().
  sqlite3_wal_hook(
      raw,
      [](void* pages, sqlite3*, const char*, int n) {
        *static_cast<int*>(pages) = n;
        return SQLITE_OK;
      },
      d.log_pages_.get());
  return d;
}

result<void> database::exec(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    return tl::unexpected<fault>(fault_of(db_.get(), code, sql.substr(0, 60)));
  return {};
}

result<std::string> database::ask(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &raw, nullptr);
  if (code != SQLITE_OK || !raw)
    return tl::unexpected<fault>(fault_of(db_.get(), code, sql));
  statement s{raw, "PRAGMA"};
  std::string answer;
  if (auto ok = s.each([&](row& r) { r >> answer; }); !ok)
    return tl::unexpected<fault>(ok.error());
  return answer;
}

statement database::prepare(const char* where, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK && !*trouble_)
    *trouble_ = fault_of(db_.get(), code, where);
  return raw ? statement{raw, where} : statement{};
}

std::int64_t database::changes() const { return sqlite3_changes64(db_.get()); }
std::int64_t database::total_changes() const { return sqlite3_total_changes64(db_.get()); }
std::int64_t database::last_rowid() const { return sqlite3_last_insert_rowid(db_.get()); }
bool database::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

void database::checkpoint_on_close(bool on) {
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

result<void> database::checkpoint() {
  const int code =
      sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK)
    return tl::unexpected<fault>(fault_of(db_.get(), code, "checkpoint"));
  *log_pages_ = 0;
  return {};
}

} // namespace pb::sqlite
