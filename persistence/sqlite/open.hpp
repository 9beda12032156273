#pragma once
// Opens the store on SQLite: the only way in.

#include "messages/values/settings.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pb {

struct store_options {
  std::string path; ///< of the file, in a directory that exists; ":memory:" keeps nothing
  synchronous_mode synchronous = synchronous_mode::full;
  std::function<unix_ms()> now = {}; ///< stamps what is admitted; empty: the system's clock
  std::int64_t max_pages = 0;        ///< limit of the file, in pages of 4 KiB; 0: none of ours
};

/// Makes the file when it is missing (mode 0600) and brings its schema up to date. One thread at a
/// time may use the store. Errors, each with a sentence: configuration (path, link, directory,
/// mode), foreign_file (another program's, the earlier bot's), newer_schema, busy, disk_full,
/// storage.
result<std::unique_ptr<store>> open_store(const store_options& options);

} // namespace pb
