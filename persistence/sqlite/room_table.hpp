#pragma once
// Rooms, their encryption, which is remembered apart because it never goes off again, and every
// number that a room ever had.

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
  /// Added to what the room has used; nothing happens when it is not there.
  result<void> add_usage(const room_id& room, const room_usage& used);
  /// Only when the room is absent and its platform_chat_id free and possible; else nothing happens.
  result<void> restore(const room_row& room);
  result<std::optional<room_row>> find(const room_id& room);
  result<std::vector<room_row>> all();
  /// By id behind `after`; of one agent, of one owner, unless that is empty.
  result<std::vector<room_row>> chats(const room_id& after, std::size_t limit,
                                      const agent_id& agent, const user_id& owner);
  /// The room is known under this number.
  result<bool> has(const room_id& room, platform_chat_id number);
  result<void> apply(const membership_row& change);
  /// The room was replaced: its number is free for the one that follows, which also answers to
  /// every number that it had before.
  result<void> leave_behind(const room_id& room, const room_id& successor);
  /// The room that has this number, or had it.
  result<std::optional<room_row>> find(platform_chat_id number);
  result<void> encrypt(const room_id& room);

private:
  static result<void> write(statement& to, const room_row& room);

  statement put_, restore_, find_, find_number_, use_, has_, all_, chats_, back_, gone_,
      leave_behind_, encrypt_, grant_, number_, restore_number_, pass_on_;
};

} // namespace pb::sqlite
