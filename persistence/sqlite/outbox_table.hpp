#pragma once
// What was decided to be said: bytes that never change, and what became of them.

#include "messages/values/outbox.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class outbox_table {
public:
  explicit outbox_table(database& db);

  /// The new row's seq. Error conflict: the id was used before.
  result<std::int64_t> add(const outbox_row& message);
  /// Only a waiting row changes: what has ended stays. Error not_found: no such row.
  result<void> record(const send_outcome& outcome, unix_ms now);
  /// Waiting rows behind `after`, in order.
  result<std::vector<outbox_row>> waiting(std::int64_t after, std::int64_t limit);
  /// Dead rows before `before` (0: from the end), newest first.
  result<std::vector<outbox_row>> dead(std::int64_t before, std::int64_t limit);
  /// A waiting file becomes a message with these bytes. The same once more changes nothing. Errors:
  /// not_found; conflict: it ended, has other bytes, or never was a file.
  result<void> freeze(const outbox_id& id, const std::string& body);
  /// A state event of the room is not sent yet.
  result<bool> marker_waits(const room_id& room);

private:
  static result<std::vector<outbox_row>> page(statement& from, std::int64_t border,
                                              std::int64_t limit);

  database& db_;
  statement add_, record_, freeze_, frozen_, exists_, waiting_, marker_waits_, dead_;
};

} // namespace pb::sqlite
