#pragma once
// Inbox, outbox and cursor in SQLite, by prepared statements.

#include <cstdint>
#include <memory>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>

namespace pb::bench {

/// Every call throws std::runtime_error when SQLite refuses.
class store {
public:
  /// `full`: a commit returns after fsync.
  store(const std::string& path, bool full);

  void begin() { run(begin_.get()); }
  void commit() { run(commit_.get()); }

  /// The row's id, or nothing when the event is known already.
  std::optional<std::int64_t> admit(std::string_view event_id, std::string_view room,
                                    std::string_view sender, std::string_view body);
  void move_cursor(std::string_view since);
  void mark_dispatched(std::int64_t inbox);
  /// The answer's row and the end of its message.
  void answer(std::int64_t inbox, std::int64_t outbox, std::string_view transaction,
              std::string_view room, std::string_view body);
  void mark_sent(std::int64_t outbox, std::string_view event_id);

private:
  struct closer {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  using statement = std::unique_ptr<sqlite3_stmt, closer>;
  [[nodiscard]] statement prepare(const char* sql) const;
  void execute(const char* sql) const;
  void run(sqlite3_stmt* s) const;
  static void bind(sqlite3_stmt* s, int at, std::string_view text);

  std::unique_ptr<sqlite3, closer> db_;
  statement begin_, commit_, admit_, cursor_, dispatched_, outbox_, settled_, sent_;
};

} // namespace pb::bench
