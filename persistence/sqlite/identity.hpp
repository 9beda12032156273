#pragma once
// Whose file it is: ours, nobody's yet, a newer program's, the earlier bot's, another program's.

#include "persistence/sqlite/database.hpp"

namespace pb::sqlite {

/// Reads only. Errors: newer_schema, foreign_file, each with a sentence that says what to do.
result<void> identify(database& db, int newest_version);

} // namespace pb::sqlite
