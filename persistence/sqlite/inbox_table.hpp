#pragma once
// Events as they were admitted, each once, until something became of them and after.

#include "messages/values/event.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class inbox_table {
public:
  explicit inbox_table(database& db);

  /// The new row's seq; nothing when the event id is known.
  result<std::optional<std::int64_t>> add(const inbox_row& event, unix_ms now);
  /// The first outcome stays: a second one changes nothing.
  result<void> settle(const inbox_settled& settled);
  result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                         std::int64_t limit);

private:
  database& db_;
  statement add_, settle_, pending_;
};

} // namespace pb::sqlite
