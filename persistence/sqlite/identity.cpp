#include "persistence/sqlite/identity.hpp"

#include "persistence/sqlite/migrations.hpp"

namespace pb::sqlite {
namespace {

constexpr const char* is_earlier_bot =
    "SELECT (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'kv') = 1"
    " AND (SELECT count(*) FROM pragma_table_info('kv') WHERE name IN ('key', 'value')) = 2";

constexpr const char* has_surfaces =
    "SELECT NOT EXISTS (SELECT 1 FROM kv) OR EXISTS (SELECT 1 FROM kv WHERE"
    " key GLOB 'matrix_room:*' OR key GLOB 'matrix_user:*' OR key GLOB 'chat:*')";

result<bool> holds(database& db, const char* question) {
  auto answer = db.ask(question);
  if (!answer)
    return tl::unexpected<fault>(answer.error());
  return *answer == "1";
}

} // namespace

result<bool> is_earlier_bots(database& db) {
  auto kv = holds(db, is_earlier_bot);
  return kv && *kv ? holds(db, has_surfaces) : kv;
}

result<void> identify(database& db, int newest_version) {
  auto id = db.ask("PRAGMA application_id");
  if (!id)
    return tl::unexpected<fault>(id.error());
  auto version = db.ask("PRAGMA user_version");
  if (!version)
    return tl::unexpected<fault>(version.error());
  if (*id == std::to_string(application_id)) {
    auto newer = holds(db, ("SELECT user_version > " + std::to_string(newest_version) +
                            " FROM pragma_user_version")
                               .c_str());
    if (!newer)
      return tl::unexpected<fault>(newer.error());
    if (*newer)
      return fail(fault_code::newer_schema,
                  "schema version " + *version + ", known up to " + std::to_string(newest_version),
                  "The database was written by a newer Patchbay. Run that version again, or bring "
                  "back a backup that was made before it.");
    return {};
  }
  auto empty = holds(db, "SELECT count(*) = 0 FROM sqlite_schema");
  if (!empty)
    return tl::unexpected<fault>(empty.error());
  if (*empty && *id == "0" && *version == "0")
    return {};
  const auto kv = is_earlier_bots(db);
  if (kv && *kv)
    return fail(
        fault_code::foreign_file, "a table kv of the earlier bot",
        "This file belongs to the earlier bot and stays untouched. Give Patchbay a database "
        "of its own as storage.path. `patchbay import-surfaces FILE` takes over its rooms.");
  return fail(fault_code::foreign_file, "application_id " + *id + ", user_version " + *version,
              "This file is a database of another program and stays untouched. Give another path "
              "as storage.path.");
}

} // namespace pb::sqlite
