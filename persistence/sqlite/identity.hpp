#pragma once
// Whose file it is: ours, nobody's yet, a newer program's, the earlier bot's, another program's.

#include "persistence/sqlite/database.hpp"

namespace pb::sqlite {

/// Reads only. Errors: newer_schema, foreign_file, each with a sentence that says what to do.
result<void> identify(database& db, int newest_version);

/// The earlier bot's file: a table kv(key, value) with its keys, or still empty.
result<bool> is_earlier_bots(database& db);

} // namespace pb::sqlite
