#pragma once
// Questions that were, or were about to be, handed to an agent.

#include "messages/values/turn.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class turn_table {
public:
  explicit turn_table(database& db);

  /// Makes the row, or counts one more attempt of it. Error conflict: the turn has ended.
  result<void> dispatch(const turn_row& turn);
  /// Makes or updates the row. The first end stays: a later one changes nothing.
  result<void> put(const turn_row& turn);
  /// Of one room, in the order of their messages.
  result<std::vector<turn_row>> open(const room_id& room);

private:
  database& db_;
  statement dispatch_, put_, open_;
};

} // namespace pb::sqlite
