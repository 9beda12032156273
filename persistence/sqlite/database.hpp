#pragma once
// SQLite's connection, its prepared statements and the rows that they give, owned and typed.
//
// No exceptions for what SQLite says: everything is a result. One thread at a time.

#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"
#include "persistence/sqlite/encoding.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

struct sqlite3;
struct sqlite3_stmt;

namespace pb::sqlite {

/// What SQLite's code means for us. `where` names the operation; the cause never holds row content.
fault fault_of(sqlite3* db, int code, std::string_view where);

/// Bytes that are no text.
struct blob {
  std::string_view bytes;
};

/// The current row of a statement, read column by column from the left.
class row {
public:
  explicit row(sqlite3_stmt* stmt) : stmt_(stmt) {}

  row& operator>>(std::int64_t& to);
  row& operator>>(int& to);
  row& operator>>(bool& to);
  row& operator>>(std::string& to);
  row& operator>>(std::optional<std::string>& to);
  row& operator>>(std::optional<std::int64_t>& to);
  row& operator>>(platform_chat_id& to) { return *this >> to.value; }
  row& operator>>(trace& to) { return *this >> to.ref; }
  template <class Tag>
  row& operator>>(name<Tag>& to) {
    return *this >> to.value;
  }
  template <class E, std::enable_if_t<std::is_enum_v<E>, int> = 0>
  row& operator>>(E& to) {
    std::int64_t number = 0;
    *this >> number;
    if (number < 0 || number > static_cast<std::int64_t>(last_of<E>))
      sound_ = false;
    else
      to = static_cast<E>(number);
    return *this;
  }

  /// A choice that may be absent: NULL, and a number that no choice of ours has, is none.
  template <class E, std::enable_if_t<std::is_enum_v<E>, int> = 0>
  row& operator>>(std::optional<E>& to) {
    std::optional<std::int64_t> number;
    *this >> number;
    to.reset();
    if (number && *number >= 0 && *number <= static_cast<std::int64_t>(last_of<E>))
      to = static_cast<E>(*number);
    return *this;
  }

  /// False after a number that no enumeration of ours has: the file was damaged or edited.
  [[nodiscard]] bool sound() const { return sound_; }

private:
  sqlite3_stmt* stmt_;
  int column_ = 0;
  bool sound_ = true;
};

/// A prepared statement for the life of its connection. Values are bound in the order of their `?`
/// and only for the length of one call.
class statement {
public:
  statement() = default;
  statement(sqlite3_stmt* stmt, const char* where);

  /// Runs it to its end; rows, if any, are skipped.
  template <class... T>
  result<void> run(const T&... values) {
    return each([](row&) {}, values...);
  }

  /// Calls `f(row&)` for every row.
  template <class F, class... T>
  result<void> each(F&& f, const T&... values) {
    if (auto ok = start(sizeof...(T)); !ok)
      return ok;
    const ending guard{*this};
    int index = 0;
    (put(++index, values), ...);
    if (bound_ != 0)
      return bad(bound_);
    int code = 0;
    bool sound = true;
    while (sound && (code = step()) == row_ready) {
      row r{stmt_.get()};
      f(r);
      sound = r.sound();
    }
    if (!sound)
      return fail(fault_code::storage, std::string{where_} + ": a number out of its range",
                  "The database is damaged. Stop Patchbay, keep a copy of the file and bring back "
                  "a backup.");
    return code == all_done ? result<void>{} : bad(code);
  }

private:
  struct finalize {
    void operator()(sqlite3_stmt* s) const noexcept;
  };
  struct ending { // also when `f` throws
    statement& s;
    ~ending() { s.reset(); }
  };
  static constexpr int row_ready = 100, all_done = 101; // SQLITE_ROW, SQLITE_DONE

  result<void> start(std::size_t values);
  int step();
  void reset();
  [[nodiscard]] tl::unexpected<fault> bad(int code) const;

  void put(int index, std::string_view value);
  void put(int index, const std::string& value) { put(index, std::string_view{value}); }
  void put(int index, blob value);
  void put(int index, std::int64_t value);
  void put(int index, int value) { put(index, std::int64_t{value}); }
  void put(int index, bool value) { put(index, std::int64_t{value ? 1 : 0}); }
  void put(int index, const std::optional<std::string>& value);
  void put_null(int index);
  template <class E, std::enable_if_t<std::is_enum_v<E>, int> = 0>
  void put(int index, const std::optional<E>& value) {
    if (value)
      put(index, *value);
    else
      put_null(index);
  }
  void put(int index, const platform_chat_id& value) { put(index, value.value); }
  void put(int index, const trace& value) { put(index, value.ref); }
  template <class Tag>
  void put(int index, const name<Tag>& value) {
    put(index, value.value);
  }
  template <class E, std::enable_if_t<std::is_enum_v<E>, int> = 0>
  void put(int index, E value) {
    put(index, static_cast<std::int64_t>(value));
  }

  std::unique_ptr<sqlite3_stmt, finalize> stmt_;
  const char* where_ = "";
  std::size_t parameters_ = 0;
  int bound_ = 0; ///< the first refusal of a bind in this call
};

/// A connection. Statements made by prepare() must go before it.
class database {
public:
  /// Opens an existing file, or ":memory:". `path` is absolute and holds no symbolic link.
  /// Read-only: nothing in the file changes, whatever is asked.
  static result<database> open(const std::string& path, bool read_only = false);

  /// SQL of ours without values: schema, PRAGMA.
  result<void> exec(const std::string& sql);
  /// The one number or text that a PRAGMA answers.
  result<std::string> ask(const std::string& sql);
  /// A statement that stays; `where` is a literal that names it in causes. A refusal is kept in
  /// trouble(), and the statement then fails at every run.
  statement prepare(const char* where, const char* sql);
  /// The first refusal of prepare().
  [[nodiscard]] const std::optional<fault>& trouble() const { return *trouble_; }

  /// Rows that the last INSERT or UPDATE touched.
  [[nodiscard]] std::int64_t changes() const;
  /// Rows that this connection touched since it was opened.
  [[nodiscard]] std::int64_t total_changes() const;
  [[nodiscard]] std::int64_t last_rowid() const;
  /// A transaction is open. SQLite ends it by itself after some errors (no space, no memory).
  [[nodiscard]] bool in_transaction() const;

  /// While off, closing leaves a foreign program's write-ahead log as it is.
  void checkpoint_on_close(bool on);
  /// Pages in the write-ahead log after the last commit.
  [[nodiscard]] int log_pages() const { return *log_pages_; }
  /// Copies committed pages into the database file, as many as no reader needs.
  result<void> checkpoint();

private:
  struct close {
    void operator()(sqlite3* db) const noexcept;
  };
  database() = default;

  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0); // the hook holds its address
  std::unique_ptr<std::optional<fault>> trouble_ = std::make_unique<std::optional<fault>>();
  std::unique_ptr<sqlite3, close> db_;
};

} // namespace pb::sqlite
