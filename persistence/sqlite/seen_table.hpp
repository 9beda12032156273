#pragma once
// What was pruned and may come again, in 16 bytes each: events that a homeserver may show again,
// outbox rows that their cause may ask for again.

#include "persistence/sqlite/database.hpp"

namespace pb::sqlite {

class seen_table {
public:
  explicit seen_table(database& db);

  result<void> add(const event_id& event, unix_ms admitted_at);
  result<bool> has(const event_id& event);
  result<void> add(const outbox_id& row, unix_ms made_at);
  result<bool> has(const outbox_id& row);
  /// Those that were admitted or made before the day of `before`, at most `limit`; how many it was.
  result<std::size_t> prune(unix_ms before, std::int64_t limit);

private:
  database& db_;
  statement add_, has_, prune_;
};

} // namespace pb::sqlite
