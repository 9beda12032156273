#include "persistence/sqlite/backup.hpp"

#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/file_guard.hpp"
#include "persistence/sqlite/identity.hpp"
#include "persistence/sqlite/migrations.hpp"
#include "persistence/sqlite/restored.hpp"
#include "persistence/sqlite/system_clock.hpp"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pb {
namespace {

namespace fs = std::filesystem;
using sqlite::database;

bool exists(const std::string& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

result<int> number(database& db, const std::string& question) {
  auto text = db.ask(question);
  if (!text)
    return pass(text.error());
  int n = 0;
  std::from_chars(text->data(), text->data() + text->size(), n);
  return n;
}

/// A second connection beside the router's; it only reads.
result<database> open_source(const std::string& path) {
  if (!exists(path))
    return fail(fault_code::configuration, "no database at " + path,
                "There is no database at " + path +
                    ". Give the configuration of the router with --config.");
  auto full = sqlite::prepare_file(path);
  if (!full)
    return pass(full.error());
  if (auto ok = sqlite::check_log(*full); !ok)
    return pass(ok.error());
  auto db = database::open(*full);
  if (!db)
    return pass(db.error());
  db->checkpoint_on_close(false); // the log is the router's
  if (auto ok = sqlite::identify(*db, sqlite::migrations().back().number); !ok)
    return pass(ok.error());
  if (auto ok = sqlite::check_modes(*full); !ok)
    return pass(ok.error());
  auto version = number(*db, "PRAGMA user_version");
  if (!version)
    return pass(version.error());
  if (*version == 0)
    return fail(fault_code::configuration, "the database " + path + " is empty",
                "Nothing was ever written into " + path + ".");
  return db;
}

result<std::int64_t> rows_of(database& db) {
  std::vector<std::string> tables;
  auto ask = db.prepare("tables", "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                  " AND name NOT LIKE 'sqlite_%'");
  if (auto ok = ask.each([&](sqlite::row& r) { r >> tables.emplace_back(); }); !ok)
    return pass(ok.error());
  std::int64_t rows = 0;
  for (const auto& table : tables) { // names from the schema that identify() has accepted
    auto n = number(db, "SELECT count(*) FROM \"" + table + "\"");
    if (!n)
      return pass(n.error());
    rows += *n;
  }
  return rows;
}

tl::unexpected<fault> damaged(const std::string& cause) {
  return fail(fault_code::storage, cause,
              "The copy cannot be made, or is damaged, and so is the database that it was made of. "
              "Keep every older backup and look into the system's log for errors of the disk.");
}

/// Everything after VACUUM, on the copy alone.
result<void> finish(const std::string& path, unix_ms now, backup_report& report) {
  auto copy = database::open(path);
  if (!copy)
    return pass(copy.error());
  // One file, without a log beside it that could be forgotten.
  for (const char* pragma : {"PRAGMA journal_mode=DELETE", "PRAGMA synchronous=FULL"})
    if (auto ok = copy->ask(pragma); !ok)
      return pass(ok.error());
  if (auto ok = sqlite::mark_as_backup(*copy, now); !ok)
    return ok;
  for (const char* check : {"PRAGMA integrity_check", "PRAGMA foreign_key_check"}) {
    auto said = copy->ask(check);
    if (!said)
      return pass(said.error());
    if (!said->empty() && *said != "ok")
      return damaged(std::string{check} + ": " + said->substr(0, 200));
  }
  auto schema = number(*copy, "PRAGMA user_version");
  auto rows = rows_of(*copy);
  if (!schema || !rows)
    return pass(schema ? rows.error() : schema.error());
  report.schema = *schema;
  report.rows = *rows;
  return {};
}

result<backup_report> plan(const backup_options& options) {
  auto source = open_source(options.from);
  if (!source)
    return pass(source.error());
  backup_report report;
  std::error_code error;
  report.file = fs::absolute(options.to, error).string();
  if (exists(options.to))
    return fail(fault_code::conflict, options.to + " exists",
                options.to + " exists already and stays as it is. Give the name of a new file.");
  const auto parent = fs::path{report.file}.parent_path();
  if (!fs::is_directory(parent, error) || ::access(parent.c_str(), W_OK) != 0)
    return fail(fault_code::configuration, "directory " + parent.string(),
                "The directory " + parent.string() +
                    " does not exist or cannot be written. Make it, or give another FILE.");
  auto pages = number(*source, "PRAGMA page_count"),
       free = number(*source, "PRAGMA freelist_count"), size = number(*source, "PRAGMA page_size"),
       schema = number(*source, "PRAGMA user_version");
  for (const auto* n : {&pages, &free, &size, &schema})
    if (!*n)
      return pass(n->error());
  auto rows = rows_of(*source);
  if (!rows)
    return pass(rows.error());
  report.bytes = static_cast<std::int64_t>(*pages - *free) * *size;
  report.rows = *rows;
  report.schema = *schema;
  return report;
}

} // namespace

result<backup_report> back_up(const backup_options& options) {
  auto report = plan(options);
  if (!report || options.dry_run)
    return report;
  auto target = sqlite::make_file(options.to); // from its first moment closed to others
  if (!target)
    return pass(target.error());
  report->file = *target;
  auto done = [&]() -> result<void> {
    auto source = open_source(options.from);
    if (!source)
      return pass(source.error());
    auto copy = source->prepare("copy database", "VACUUM INTO ?");
    if (source->trouble())
      return tl::unexpected<fault>(*source->trouble());
    if (auto ok = copy.run(*target); !ok) {
      // Rows that contradict the schema are damage, whatever SQLite calls them.
      auto code = ok.error().code;
      if (code == fault_code::disk_full) { // also said of row numbers that make no sense
        const auto sound = source->ask("PRAGMA quick_check(1)");
        if (!sound || *sound != "ok")
          code = fault_code::storage;
      }
      return code == fault_code::disk_full || code == fault_code::busy ? ok
                                                                       : damaged(ok.error().cause);
    }
    if (auto ok = finish(*target, options.now ? options.now() : system_now(), *report); !ok)
      return ok;
    return sqlite::sync_file(*target);
  }();
  if (!done) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"})
      ::unlink((*target + suffix).c_str());
    done.error().cause = "backup to " + *target + ": " + done.error().cause;
    return pass(done.error());
  }
  std::error_code error;
  report->bytes = static_cast<std::int64_t>(fs::file_size(*target, error));
  return report;
}

result<database_facts> look_at_database(const std::string& path) {
  database_facts facts;
  if (!exists(path))
    return facts;
  auto db = open_source(path);
  if (!db)
    return pass(db.error());
  facts.there = true;
  auto schema = number(*db, "PRAGMA user_version");
  auto backup = sqlite::is_backup(*db);
  if (!schema || !backup)
    return pass(schema ? backup.error() : schema.error());
  facts.schema = *schema;
  facts.backup = *backup;
  return facts;
}

int newest_schema() { return sqlite::migrations().back().number; }

} // namespace pb
