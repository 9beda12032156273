#pragma once
// Looks at a database without changing it, also while a router works on it: for `patchbay doctor`.

#include "messages/values/fault.hpp"
#include "messages/values/ids.hpp"
#include "persistence/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pb {

struct database_findings {
  std::int64_t schema = 0;         ///< the file's version
  std::int64_t newest_schema = 0;  ///< what this program brings it to
  std::vector<std::string> broken; ///< what PRAGMA integrity_check says, at most 20; empty: sound
  std::int64_t dangling = 0;       ///< rows of PRAGMA foreign_key_check
  std::int64_t bytes = 0;          ///< of the file, without its write-ahead log
  store_counts counts;             ///< without poison and confirmations
  std::optional<account_row> account;
};

/// Opens read-only; writes no row and migrates nothing. not_found: there is no such file.
/// foreign_file, newer_schema: as open_store. storage: it cannot be read, with the cause.
result<database_findings> inspect_database(const std::string& path);

} // namespace pb
