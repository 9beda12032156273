#pragma once
// Conversations that agents wrote down in their workspaces, by the name that a person gave them.

#include "messages/values/room.hpp"
#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

class saved_table {
public:
  explicit saved_table(database& db);

  /// Inserts or replaces what has the same owner, agent and name.
  result<void> put(const saved_context& saved);
  result<std::vector<saved_context>> all();

private:
  statement put_, all_;
};

} // namespace pb::sqlite
