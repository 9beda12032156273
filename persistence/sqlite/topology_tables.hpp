#pragma once
// People, invitations and the creation of rooms: what topology works from.

#include "messages/values/event.hpp"
#include "messages/values/room.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class user_table {
public:
  explicit user_table(database& db);

  /// Inserts or replaces. The number of the next chat never goes down.
  result<void> put(const user_row& user);
  /// Inserts when absent; of a known person only the next chat's number is raised.
  result<void> restore(const user_row& user);
  result<std::optional<user_row>> find(const user_id& user);
  result<std::vector<user_row>> all();

private:
  statement put_, restore_, find_, all_;
};

class invite_table {
public:
  explicit invite_table(database& db);

  result<void> put(const invite_row& invite);
  result<void> done(const room_id& room);
  result<std::vector<invite_row>> all();

private:
  statement put_, done_, all_;
};

class intent_table {
public:
  explicit intent_table(database& db);

  result<void> put(const intent_row& intent);
  result<void> done(const intent_id& intent);
  result<std::vector<intent_row>> all();

private:
  statement put_, done_, all_;
};

} // namespace pb::sqlite
