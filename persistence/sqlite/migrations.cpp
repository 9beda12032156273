#include "persistence/sqlite/migrations.hpp"

#include "persistence/sqlite/schema_1.hpp"
#include "persistence/sqlite/schema_2.hpp"
#include "persistence/sqlite/schema_3.hpp"
#include "persistence/sqlite/schema_4.hpp"

#include <charconv>

namespace pb::sqlite {
namespace {

result<int> version_of(database& db) {
  auto text = db.ask("PRAGMA user_version");
  if (!text)
    return tl::unexpected<fault>(text.error());
  int version = 0;
  std::from_chars(text->data(), text->data() + text->size(), version);
  return version;
}

result<void> body(database& db, const migration& step) {
  // Looked at again under the write lock: another process may have been faster.
  auto version = version_of(db);
  if (!version)
    return tl::unexpected<fault>(version.error());
  if (*version >= step.number)
    return {};
  if (auto ok = db.exec(step.sql); !ok)
    return ok;
  auto orphan = db.ask("PRAGMA foreign_key_check");
  if (!orphan)
    return tl::unexpected<fault>(orphan.error());
  if (!orphan->empty())
    return fail(fault_code::bug, "rows without their parent in table " + *orphan);
  if (auto ok = db.exec("PRAGMA application_id=" + std::to_string(application_id)); !ok)
    return ok;
  return db.exec("PRAGMA user_version=" + std::to_string(step.number));
}

} // namespace

const std::vector<migration>& migrations() {
  static const std::vector<migration> all{
      {1, "the first schema: there is nothing older", schema_1},
      {2, "recovery: a program of version 1 refuses such a file", schema_2},
      {3, "the whole chat: a program of version 2 refuses such a file", schema_3},
      {4, "what sessions remember: a program of version 3 refuses such a file", schema_4},
  };
  return all;
}

result<void> migrate(database& db, const std::vector<migration>& steps) {
  auto version = version_of(db);
  if (!version)
    return tl::unexpected<fault>(version.error());
  for (const auto& step : steps) {
    if (step.number <= *version)
      continue;
    if (auto ok = db.exec("BEGIN IMMEDIATE"); !ok)
      return ok;
    auto done = body(db, step);
    if (done)
      done = db.exec("COMMIT");
    if (!done) {
      if (db.in_transaction())
        (void)db.exec("ROLLBACK");
      auto why = done.error();
      why.cause = "migration " + std::to_string(step.number) + ": " + why.cause;
      return tl::unexpected<fault>(std::move(why));
    }
  }
  return {};
}

} // namespace pb::sqlite
