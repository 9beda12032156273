// No statement of the store walks a table that grows: every one is asked for its plan.

#include "support.hpp"

#include <algorithm>
#include <sqlite3.h>

using namespace pb;
using namespace pb::test;

namespace {

sqlite3* newest = nullptr; ///< the connection that was opened last

int remember(sqlite3* db, const char**, const void*) {
  newest = db;
  return SQLITE_OK;
}

std::vector<std::string> statements_of(sqlite3* db) {
  std::vector<std::string> all;
  for (auto* s = sqlite3_next_stmt(db, nullptr); s; s = sqlite3_next_stmt(db, s))
    all.emplace_back(sqlite3_sql(s));
  return all;
}

std::vector<std::string> plan_of(sqlite3* db, const std::string& sql) {
  std::vector<std::string> steps;
  sqlite3_stmt* s = nullptr;
  REQUIRE(sqlite3_prepare_v2(db, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &s, nullptr) ==
          SQLITE_OK);
  while (sqlite3_step(s) == SQLITE_ROW)
    steps.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(s, 3)));
  sqlite3_finalize(s);
  return steps;
}

/// A walk is fine over what is short by nature: unfinished rows, one row per room or person, the
/// capped, a page that ends by LIMIT.
bool fine(const std::string& step) {
  for (const char* allowed :
       {"USING INDEX inbox_pending", "USING COVERING INDEX inbox_pending",
        "USING INDEX outbox_waiting", "USING INDEX outbox_dead", "USING COVERING INDEX turn_open",
        "USING INDEX confirmation_open", "USING COVERING INDEX confirmation_open", "SCAN (subquery",
        "SCAN room", "SCAN user", "SCAN invite", "SCAN intent", "SCAN saved_context",
        "SCAN account", "SCAN poison", "SCAN t", "SCAN CONSTANT ROW"})
    if (step.find(allowed) != std::string::npos)
      return true;
  return false;
}

} // namespace

TEST_CASE("Every statement finds its rows by an index", "[store][plan]") {
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(remember));
  const temp_dir dir;
  auto s = open_at(dir.file());
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(remember));
  REQUIRE(newest);
  const auto all = statements_of(newest);
  CHECK(all.size() > 50);
  for (const char* part :
       {"FROM inbox i WHERE i.seq >", "FROM outbox WHERE seq >", "DELETE FROM seen",
        "INDEXED BY poison_at", "DELETE FROM turn", "FROM confirmation c WHERE c.seq >",
        "FROM session_memory m WHERE m.seq >", "FROM session_memory WHERE agent",
        "UPDATE chat_number"})
    CHECK(std::any_of(all.begin(), all.end(),
                      [&](const std::string& sql) { return sql.find(part) != std::string::npos; }));
  for (const auto& sql : all) {
    INFO(sql);
    for (const auto& step : plan_of(newest, sql)) {
      INFO(step);
      CHECK((step.find("SCAN") == std::string::npos || fine(step)));
      CHECK(step.find("AUTOMATIC") == std::string::npos);
    }
  }
}
