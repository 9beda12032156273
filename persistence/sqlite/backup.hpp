#pragma once
// A consistent copy of a database that may be in use.

#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace pb {

struct backup_options {
  std::string from;               ///< the database of a router, running or not
  std::string to;                 ///< a new file in a directory that exists
  bool dry_run = false;           ///< only looks whether it could be done
  std::function<unix_ms()> now{}; ///< empty: the system's clock
};

struct backup_report {
  std::string file;       ///< absolute
  std::int64_t bytes = 0; ///< of the copy; in a dry run of what is in the source
  std::int64_t rows = 0;  ///< in all tables of the copy; in a dry run of the source
  int schema = 0;
};

/// The copy is one moment of the source, checked, on disk, mode 0600, marked as a backup, and one
/// file without a log. After an error nothing of it stays. Errors, each with a sentence:
/// configuration (no source, no directory for `to`), conflict (`to` exists), foreign_file,
/// newer_schema, busy, disk_full, storage (the copy is damaged: so is the source).
result<backup_report> back_up(const backup_options& options);

struct database_facts {
  bool there = false;
  int schema = 0;
  bool backup = false; ///< marked and not opened since
};

/// Looks at a database of ours without changing anything in it. Errors as of back_up.
result<database_facts> look_at_database(const std::string& path);

/// The schema that open_store() brings a database to.
int newest_schema();

} // namespace pb
