// The files of a reset.

#include "cli/doctor.hpp"
#include "cli/reset.hpp"
#include "persistence/sqlite/inspect.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pb::cli::reset {
namespace {

namespace fs = std::filesystem;

fs::path resolved(const std::string& path) {
  std::error_code ec;
  auto p = fs::weakly_canonical(fs::absolute(path, ec), ec);
  return p.has_filename() ? p : p.parent_path();
}

bool is_or_holds(const fs::path& outer, const fs::path& inner) {
  const auto tail = inner.lexically_relative(outer);
  return !tail.empty() && *tail.begin() != "..";
}

void sync_folder(const fs::path& folder) {
  if (const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

} // namespace

std::vector<std::string> local_paths(const settings& s) {
  const auto database = doctor::database_path(s);
  // The database first: SQLite throws away a log beside a database that is missing or empty, while
  // a database that lost its log alone would come up as it was at some earlier moment.
  std::vector<std::string> all{database, database + "-wal", database + "-shm"};
  if (!s.legacy_store_path.empty())
    all.push_back(s.legacy_store_path);
  return all;
}

result<void> check_paths(const settings& s, const registry& agents) {
  const auto database = doctor::database_path(s);
  const auto seen = inspect_database(database);
  if (!seen && seen.error().code == fault_code::foreign_file)
    return fail(fault_code::configuration, seen.error().cause,
                database + " is no database of Patchbay and stays untouched; correct storage.path, "
                           "or remove that file by hand");
  if (s.legacy_store_path.empty())
    return {};
  const auto store = resolved(s.legacy_store_path);
  std::vector<std::pair<fs::path, std::string>> precious{{"/", "the root of the file system"},
                                                         {resolved(s.data_dir), "data_dir"}};
  std::error_code ec;
  precious.emplace_back(fs::current_path(ec), "the working directory");
  if (const char* home = std::getenv("HOME"); home && *home)
    precious.emplace_back(resolved(home), "your home directory");
  if (!s.registry.empty())
    precious.emplace_back(resolved(s.registry), "the registry");
  for (const auto& [id, spec] : agents.agents)
    if (!spec.workspace.empty())
      precious.emplace_back(resolved(spec.workspace), "the workspace of agent " + id.value);
  for (const auto& [path, name] : precious)
    if (is_or_holds(store, path))
      return fail(fault_code::configuration, "store path holds " + name,
                  "MATRIX_STORE_PATH names " + store.string() + ", which is or holds " + name +
                      "; nothing was removed: correct it, or remove the old store by hand");
  const auto backups = resolved(s.data_dir) / "backups";
  if (is_or_holds(backups, store) || store.parent_path() == store.root_path())
    return fail(fault_code::configuration, "store path " + store.string(),
                "MATRIX_STORE_PATH names " + store.string() +
                    ", which is no store; nothing was removed: correct it, or unset it");
  return {};
}

items remove_local(const settings& s, bool dry_run) {
  items done;
  for (const auto& path : local_paths(s)) {
    std::error_code ec;
    const auto there = fs::symlink_status(path, ec);
    if (!fs::exists(there)) {
      done.push_back({path, "already absent"});
      continue;
    }
    if (dry_run) {
      done.push_back({path, "would be removed"});
      continue;
    }
    // A link is removed, never what it points to.
    if (fs::is_directory(there) && path == s.legacy_store_path)
      fs::remove_all(path, ec);
    else
      fs::remove(path, ec);
    if (ec)
      done.push_back({path, "not removed: " + ec.message(), true});
    else
      done.push_back({path, "removed"});
    sync_folder(fs::path(path).parent_path());
    if (ec)
      break; // the rest belongs to what is still there
  }
  return done;
}

} // namespace pb::cli::reset
