#pragma once
// The schema's history: an ordered list, each step in a transaction of its own.

#include "persistence/sqlite/database.hpp"

#include <vector>

namespace pb::sqlite {

struct migration {
  int number;       ///< PRAGMA user_version afterwards; 1, 2, 3 …
  const char* note; ///< compatibility: what an older program may still do with such a file
  const char* sql;
};

/// PRAGMA application_id of our files: "PBDB".
inline constexpr std::int64_t application_id = 0x50424442;

/// Ours, in order. What was released is never changed; the schema changes by one more step.
const std::vector<migration>& migrations();

/// Brings the database to the last of `steps`. Those that are done stay when a later one fails.
/// Foreign keys must be off, so that a step may rebuild a table; they are checked before its
/// commit.
result<void> migrate(database& db, const std::vector<migration>& steps);

} // namespace pb::sqlite
