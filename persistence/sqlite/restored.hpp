#pragma once
// A backup that is brought back is a world that is older than what people and homeserver have seen.

#include "persistence/sqlite/database.hpp"

namespace pb::sqlite {

/// Marks a copy, so that whoever opens it as the router's database knows what it is.
result<void> mark_as_backup(database& copy, unix_ms now);
result<bool> is_backup(database& db);

/// Makes a backup safe to run on, in one transaction. What it says of the time after it was made is
/// nothing: so nothing in it is acted on again and nothing is sent without a look into the room.
/// False: the database is no backup, and nothing changed.
result<bool> settle_after_restore(database& db, unix_ms now);

} // namespace pb::sqlite
