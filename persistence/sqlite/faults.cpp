// SQLite's result codes in our words.

#include "persistence/sqlite/database.hpp"

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <sqlite3.h>

namespace pb::sqlite {
namespace {

/// What the operating system said to the last failed call on a file of the database: its own or
/// its write-ahead log. sqlite3_system_errno() is not set when a commit fails.
bool said(sqlite3* db, std::initializer_list<int> errors) {
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    int why = 0;
    if (sqlite3_file_control(db, "main", which, &file) == SQLITE_OK && file && file->pMethods &&
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &why) == SQLITE_OK &&
        std::find(errors.begin(), errors.end(), why) != errors.end())
      return true;
  }
  return false;
}

/// A write that found no room; a quota or a limit of the file's size is the same to the operator.
/// Never an fsync: after that nobody knows what is on disk.
bool no_room(sqlite3* db, int code) {
  if ((code & 0xff) == SQLITE_FULL)
    return true;
  return code == SQLITE_IOERR_WRITE && db && said(db, {ENOSPC, EDQUOT, EFBIG});
}

fault_code code_of(sqlite3* db, int code) {
  if (no_room(db, code))
    return fault_code::disk_full;
  switch (code & 0xff) {
  case SQLITE_NOTADB:
    return fault_code::foreign_file;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return fault_code::busy;
  case SQLITE_TOOBIG:
    return fault_code::too_large;
  case SQLITE_CONSTRAINT:
    return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY
               ? fault_code::conflict
               : fault_code::bug;
  case SQLITE_MISUSE:
  case SQLITE_RANGE:
  case SQLITE_MISMATCH:
    return fault_code::bug;
  default:
    return fault_code::storage;
  }
}

const char* sentence_of(sqlite3* db, int code) {
  if (no_room(db, code))
    return "There is no space left for the database. Free some space on its disk; nothing that was "
           "saved before is lost.";
  switch (code & 0xff) {
  case SQLITE_IOERR:
    return "The disk failed while the database was read or written. Look into the system's log; "
           "Patchbay must be started anew.";
  case SQLITE_CORRUPT:
    return "The database is damaged. Stop Patchbay, keep a copy of the file and bring back a "
           "backup.";
  case SQLITE_NOTADB:
    return "This file is not a database of Patchbay. Give another path as storage.path.";
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return "Another program is writing to the database. Stop it, then try again.";
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_AUTH:
  case SQLITE_CANTOPEN:
    return "The database cannot be opened for writing. Look at the owner and the permissions of "
           "the file and of its directory.";
  default:
    return "";
  }
}

} // namespace

fault fault_of(sqlite3* db, int code, std::string_view where) {
  std::string cause{where};
  cause += ": ";
  cause += db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  cause += " (" + std::to_string(code) + ")";
  return fault{code_of(db, code), std::move(cause), sentence_of(db, code)};
}

} // namespace pb::sqlite
