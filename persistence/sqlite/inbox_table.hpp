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
  result<void> settle(const inbox_settled& settled, unix_ms now);
  result<std::vector<inbox_row>> pending(const room_id& room, std::int64_t after,
                                         std::int64_t limit);
  /// What is pending in `from` is from now on of `to`, in its old order.
  result<void> move(const room_id& from, const room_id& to);
  result<bool> has(const event_id& event);
  /// There is an event of that room's own timeline.
  result<bool> any(const room_id& room);
  /// The message of the room's newest turn, when that turn was interrupted or failed and the
  /// person was told.
  result<std::optional<inbox_row>> interrupted(const room_id& room);

private:
  database& db_;
  statement add_, settle_, pending_, move_, has_, any_, interrupted_;
};

} // namespace pb::sqlite
