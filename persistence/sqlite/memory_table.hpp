#pragma once
// What sessions with agents remember, by chat and agent: a context, a name that the agent gave.

#include "messages/values/ids.hpp"
#include "persistence/sqlite/database.hpp"

#include <string>

namespace pb::sqlite {

class memory_table {
public:
  explicit memory_table(database& db);

  /// Replaces what was there; empty: forgets it. too_large: past memory_cap, nothing is changed.
  result<void> put(const agent_id& agent, platform_chat_id chat, const std::string& memory,
                   unix_ms now);
  /// Empty: none.
  result<std::string> find(const agent_id& agent, platform_chat_id chat);

private:
  statement put_, forget_, find_;
};

} // namespace pb::sqlite
