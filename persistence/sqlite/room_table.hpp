#pragma once
// Rooms and their encryption, which is remembered apart: it never goes off again.

#include "messages/values/event.hpp"
#include "messages/values/room.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class room_table {
public:
  explicit room_table(database& db);

  /// Inserts or replaces. Encryption and its notice only ever go on. Error conflict: another room
  /// has the same platform_chat_id.
  result<void> put(const room_row& room);
  /// Only when the room is absent and its platform_chat_id free and possible; else nothing happens.
  result<void> restore(const room_row& room);
  result<std::optional<room_row>> find(const room_id& room);
  result<std::vector<room_row>> all();
  result<void> apply(const membership_row& change);
  /// The room was replaced: its number is free for the one that follows.
  result<void> leave_behind(const room_id& room);
  result<void> encrypt(const room_id& room);

private:
  statement put_, restore_, find_, all_, back_, gone_, leave_behind_, encrypt_;
};

} // namespace pb::sqlite
