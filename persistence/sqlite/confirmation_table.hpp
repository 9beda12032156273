#pragma once
// Questions of agents and what people answered, each until its time is over.

#include "messages/values/confirmation.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class confirmation_table {
public:
  explicit confirmation_table(database& db);

  /// Inserts, or updates what may change: its event, its times, its end. An end is never taken
  /// back: a write that says "open" of an ended row changes nothing.
  result<void> put(const confirmation_row& c, unix_ms now);
  /// Of one room: all that are open and the newest `others` that are not, by number.
  result<std::vector<confirmation_row>> of_room(const room_id& room, std::int64_t others);
  /// Newest first, before `before` (0: from the end).
  result<std::vector<confirmation_row>> page(bool open_only, std::int64_t before,
                                             std::int64_t limit);
  /// Those of `from` are from now on of `to`. One that an open turn asked stays with its turn.
  result<void> move(const room_id& from, const room_id& to);

private:
  statement put_, of_room_, page_, open_page_, move_;
};

} // namespace pb::sqlite
