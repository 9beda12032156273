#include "persistence/sqlite/migrations.hpp"
#include "support.hpp"

#include <iterator>

using namespace pb;
using namespace pb::test;
using sqlite::migration;

namespace {

std::string schema_of(sqlite::database& db) {
  std::string all;
  auto ask = db.prepare("schema", "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                                  " AND name NOT LIKE 'sqlite_%' ORDER BY rowid");
  need(ask.each([&](sqlite::row& r) {
    std::string sql;
    r >> sql;
    all += (all.empty() ? "" : "\n") + sql + ";\n";
  }));
  return all;
}

std::string version_of(sqlite::database& db) { return need(db.ask("PRAGMA user_version")); }

sqlite::database in_memory() { return need(sqlite::database::open(":memory:")); }

} // namespace

TEST_CASE("An empty database becomes exactly the schema of each version", "[store]") {
  for (std::size_t n = 1; n <= sqlite::migrations().size(); ++n) {
    const auto version = std::to_string(n);
    INFO("schema_v" + version + ".sql");
    auto db = in_memory();
    const auto& all = sqlite::migrations();
    need(sqlite::migrate(db, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)}));
    std::ifstream in{PB_TEST_DIR "/schema_v" + version + ".sql"};
    REQUIRE(in.good());
    const std::string golden{std::istreambuf_iterator<char>{in}, {}};
    CHECK(schema_of(db) == golden);
    CHECK(version_of(db) == version);
    CHECK(need(db.ask("PRAGMA application_id")) == std::to_string(sqlite::application_id));
  }
}

TEST_CASE("The migrations are numbered without gaps and say what they do to older programs",
          "[store]") {
  int expected = 0;
  for (const auto& step : sqlite::migrations()) {
    CHECK(step.number == ++expected);
    CHECK(std::string{step.note}.size() > 10);
  }
}

TEST_CASE("Every table is strict", "[store]") {
  auto db = in_memory();
  need(sqlite::migrate(db, sqlite::migrations()));
  CHECK(need(db.ask("SELECT count(*) FROM pragma_table_list WHERE type = 'table'"
                    " AND name NOT LIKE 'sqlite_%'")) == "18");
  CHECK(need(db.ask("SELECT group_concat(name) FROM pragma_table_list WHERE type = 'table'"
                    " AND name NOT LIKE 'sqlite_%' AND strict = 0"))
            .empty());
  for (const char* wrong : {
           "INSERT INTO sequence VALUES ('platform_chat_id', 'many')",
           "INSERT INTO meta VALUES ('cursor', x'00')",
           "INSERT INTO meta VALUES (NULL, 'a')",
           "INSERT INTO user VALUES ('@a:x', '', '', 0, 0)",
           "INSERT INTO user VALUES ('@a:x', '', '', 1, 2)",
           "INSERT INTO account VALUES (2, '', '', '', '')",
           "INSERT INTO chat_number VALUES (0, '!r:x')",
           "INSERT INTO chat_number VALUES (9007199254740992, '!r:x')",
           "INSERT INTO chat_number VALUES ('many', '!r:x')",
           "INSERT INTO session_memory(agent, chat, memory, at) VALUES ('a', 0, 'm', 1)",
           "INSERT INTO session_memory(agent, chat, memory, at) VALUES ('a', 1, NULL, 1)",
           "INSERT INTO seen VALUES (x'00', 1)",
           "INSERT INTO seen VALUES ('0123456789abcdef', 1)",
       }) {
    INFO(wrong);
    CHECK_FALSE(db.exec(wrong).has_value());
  }
}

TEST_CASE("A step that fails leaves the steps before it and nothing of its own", "[store]") {
  auto db = in_memory();
  const std::vector<migration> steps{
      {1, "first", "CREATE TABLE a(x INTEGER) STRICT"},
      {2, "second", "CREATE TABLE b(x INTEGER) STRICT; CREATE TABLE a(x INTEGER) STRICT"},
      {3, "third", "CREATE TABLE c(x INTEGER) STRICT"},
  };
  const auto why = refused(sqlite::migrate(db, steps));
  CHECK(why.cause.find("migration 2") == 0);
  CHECK(version_of(db) == "1");
  CHECK(schema_of(db) == "CREATE TABLE a(x INTEGER) STRICT;\n");

  auto mended = steps;
  mended[1].sql = "CREATE TABLE b(x INTEGER) STRICT";
  need(sqlite::migrate(db, mended));
  CHECK(version_of(db) == "3");
  need(sqlite::migrate(db, mended)); // nothing is left to do
}

TEST_CASE("A step that leaves rows without their parent is refused", "[store]") {
  auto db = in_memory();
  need(sqlite::migrate(db, sqlite::migrations()));
  const int next = sqlite::migrations().back().number + 1;
  const auto why = refused(sqlite::migrate(
      db, {{next, "an orphan", "INSERT INTO turn VALUES ('t', '!r:x', 'a', 1, 1, 0, 1, 1)"}}));
  CHECK(why.cause.find("turn") != std::string::npos);
  CHECK(need(db.ask("SELECT count(*) FROM turn")) == "0");
}

TEST_CASE("A statement called with too few values is a fault of ours, not NULLs", "[store]") {
  auto db = in_memory();
  need(db.exec("CREATE TABLE t(a INTEGER, b INTEGER) STRICT"));
  auto add = db.prepare("add", "INSERT INTO t VALUES (?, ?)");
  CHECK(refused(add.run(1)).code == fault_code::bug);
  need(add.run(1, 2));
  auto broken = db.prepare("broken", "INSERT INTO nowhere VALUES (?)");
  CHECK(db.trouble().has_value());
  CHECK(refused(broken.run(1)).code == fault_code::bug);
}
