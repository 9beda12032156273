#pragma once
// The database's file before SQLite touches it: ours alone, regular, no way round by a link.

#include "messages/values/fault.hpp"

#include <string>

namespace pb::sqlite {

/// Makes the file when it is missing (mode 0600, empty) and refuses what is no plain file.
/// Returns the path for SQLite: absolute, without symbolic links. Errors: configuration (with a
/// sentence that says what to change), disk_full, storage.
result<std::string> prepare_file(const std::string& path);

/// Refuses a database that others may read or write, and closes its side files (-wal, -shm) to
/// them. Apart from prepare_file, so that a foreign file is called foreign before its mode is
/// looked at.
result<void> check_modes(const std::string& path);

/// Refuses a database that was put beside the write-ahead log of another one: SQLite would write
/// that log's pages into it.
result<void> check_log(const std::string& path);

/// Makes a new, empty file (mode 0600) and refuses one that exists. Its path for SQLite.
result<std::string> make_file(const std::string& path);

/// Its content and its name are on disk.
result<void> sync_file(const std::string& path);

} // namespace pb::sqlite
