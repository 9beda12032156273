#include "persistence/sqlite/open.hpp"

#include "persistence/sqlite/file_guard.hpp"
#include "persistence/sqlite/identity.hpp"
#include "persistence/sqlite/migrations.hpp"
#include "persistence/sqlite/restored.hpp"
#include "persistence/sqlite/sqlite_store.hpp"
#include "persistence/sqlite/system_clock.hpp"

#include <chrono>

namespace pb {
namespace {

using sqlite::database;

result<void> configure(database& db, const store_options& options, bool in_memory) {
  auto mode = db.ask("PRAGMA journal_mode=WAL");
  if (!mode)
    return tl::unexpected<fault>(mode.error());
  if (!in_memory && *mode != "wal")
    return fail(fault_code::storage, "journal_mode stays " + *mode,
                "The database's disk cannot hold a write-ahead log (a network share?). Put it on a "
                "local disk: storage.path.");
  const bool full = options.synchronous == synchronous_mode::full;
  for (const char* pragma : {
           full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
           "PRAGMA temp_store=MEMORY", "PRAGMA cell_size_check=ON",
           "PRAGMA cache_size=-8192",            // KiB at most; grows as it is needed
           "PRAGMA journal_size_limit=33554432", // bytes that the log's file keeps when it restarts
       })
    if (auto ok = db.exec(pragma); !ok)
      return ok;
  if (options.max_pages > 0)
    return db.exec("PRAGMA max_page_count=" + std::to_string(options.max_pages));
  return {};
}

result<std::unique_ptr<store>> open_database(const std::string& path, const store_options& options,
                                             bool in_memory) {
  if (!in_memory)
    if (auto ok = sqlite::check_log(path); !ok)
      return tl::unexpected<fault>(ok.error());
  auto db = database::open(path);
  if (!db)
    return tl::unexpected<fault>(db.error());
  db->checkpoint_on_close(false); // a file that is not ours stays as it is
  if (auto ok = sqlite::identify(*db, sqlite::migrations().back().number); !ok)
    return tl::unexpected<fault>(ok.error());
  if (!in_memory)
    if (auto ok = sqlite::check_modes(path); !ok)
      return tl::unexpected<fault>(ok.error());
  db->checkpoint_on_close(true);
  if (auto ok = configure(*db, options, in_memory); !ok)
    return tl::unexpected<fault>(ok.error());
  if (auto ok = sqlite::migrate(*db, sqlite::migrations()); !ok)
    return tl::unexpected<fault>(ok.error());
  if (auto ok = db->exec("PRAGMA foreign_keys=ON"); !ok)
    return tl::unexpected<fault>(ok.error());
  const auto now = options.now ? options.now : system_now;
  auto restored = sqlite::settle_after_restore(*db, now());
  if (!restored)
    return tl::unexpected<fault>(restored.error());
  auto made = std::make_unique<sqlite::sqlite_store>(std::move(*db), now, *restored);
  if (made->trouble())
    return tl::unexpected<fault>(*made->trouble());
  return made;
}

} // namespace

result<std::unique_ptr<store>> open_store(const store_options& options) {
  const bool in_memory = options.path == ":memory:";
  auto path = in_memory ? result<std::string>{options.path} : sqlite::prepare_file(options.path);
  if (!path)
    return tl::unexpected<fault>(path.error());
  auto opened = open_database(*path, options, in_memory);
  if (!opened && !in_memory)
    opened.error().cause = "database " + *path + ": " + opened.error().cause;
  return opened;
}

} // namespace pb
