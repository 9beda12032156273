#pragma once
// Events whose rows were pruned, in 16 bytes each: a homeserver may show them again.

#include "persistence/sqlite/database.hpp"

namespace pb::sqlite {

class seen_table {
public:
  explicit seen_table(database& db);

  result<void> add(const event_id& event, unix_ms admitted_at);
  result<bool> has(const event_id& event);
  /// Those that were admitted before the day of `before`, at most `limit`; how many it was.
  result<std::size_t> prune(unix_ms before, std::int64_t limit);

private:
  database& db_;
  statement add_, has_, prune_;
};

} // namespace pb::sqlite
