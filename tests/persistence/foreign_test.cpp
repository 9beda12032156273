#include "support.hpp"

#include <iterator>

using namespace pb;
using namespace pb::test;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void make(const std::string& path, const char* sql) { need(raw(path).exec(sql)); }

/// The refusal, and that the file is as it was.
fault refused_untouched(const std::string& path) {
  const auto before = bytes_of(path);
  auto why = refused(open_store({path}));
  CHECK(bytes_of(path) == before);
  CHECK_FALSE(why.sentence.empty());
  return why;
}

} // namespace

TEST_CASE("The earlier bot's file is refused and the command that reads it is named", "[store]") {
  const temp_dir dir;
  SECTION("with rooms") {
    make(dir.file(), "CREATE TABLE kv(key TEXT PRIMARY KEY, value TEXT);"
                     "INSERT INTO kv VALUES ('matrix_room:!a:x', '{}'), ('other', '1')");
  }
  SECTION("with chats only") {
    make(dir.file(), "CREATE TABLE kv(key TEXT PRIMARY KEY, value TEXT);"
                     "INSERT INTO kv VALUES ('chat:1', '{}')");
  }
  SECTION("still empty") { make(dir.file(), "CREATE TABLE kv(key TEXT, value TEXT)"); }
  SECTION("readable by all") {
    make(dir.file(), "CREATE TABLE kv(key TEXT, value TEXT)");
    std::filesystem::permissions(dir.file(), std::filesystem::perms{0644});
  }
  const auto why = refused_untouched(dir.file());
  CHECK(why.code == fault_code::foreign_file);
  CHECK(why.sentence.find("`patchbay import-surfaces FILE`") != std::string::npos);
}

TEST_CASE("The earlier bot's file is known by its log as well, which stays", "[store]") {
  const temp_dir dir;
  auto bot = raw(dir.file()); // still running: what it wrote is in its log
  need(bot.ask("PRAGMA journal_mode=WAL"));
  need(bot.exec("CREATE TABLE kv(key TEXT PRIMARY KEY, value TEXT);"
                "INSERT INTO kv VALUES ('matrix_user:@a:x', '{}')"));
  const auto log = bytes_of(dir.file() + "-wal");
  CHECK(refused_untouched(dir.file()).sentence.find("import-surfaces") != std::string::npos);
  CHECK(bytes_of(dir.file() + "-wal") == log);
}

TEST_CASE("Another program's database is refused without talk of importing", "[store]") {
  const temp_dir dir;
  SECTION("tables") { make(dir.file(), "CREATE TABLE urls(id INTEGER, url TEXT)"); }
  SECTION("a table kv with other keys") {
    make(dir.file(), "CREATE TABLE kv(key TEXT, value TEXT); INSERT INTO kv VALUES ('a', 'b')");
  }
  SECTION("a table kv with other columns") { make(dir.file(), "CREATE TABLE kv(k TEXT, v TEXT)"); }
  SECTION("a view kv") { make(dir.file(), "CREATE VIEW kv AS SELECT 'chat:1' key, 2 value"); }
  SECTION("an application id") { make(dir.file(), "PRAGMA application_id=77"); }
  SECTION("a version") { make(dir.file(), "PRAGMA user_version=3"); }
  SECTION("our own table names") { make(dir.file(), "CREATE TABLE inbox(seq INTEGER)"); }
  const auto why = refused_untouched(dir.file());
  CHECK(why.code == fault_code::foreign_file);
  CHECK(why.sentence.find("import-surfaces") == std::string::npos);
}

TEST_CASE("A file that is no database is refused", "[store]") {
  const temp_dir dir;
  {
    std::ofstream out{dir.file()};
    out << std::string(8'192, 'x');
  }
  CHECK(refused_untouched(dir.file()).code == fault_code::foreign_file);
}

TEST_CASE("A database of a newer program is refused and stays as it is", "[store]") {
  const temp_dir dir;
  open_at(dir.file());
  make(dir.file(), "PRAGMA user_version=1000");
  const auto why = refused_untouched(dir.file());
  CHECK(why.code == fault_code::newer_schema);
  CHECK(why.sentence.find("newer Patchbay") != std::string::npos);
}

TEST_CASE("A database of ours that lost a table is a fault, not a crash", "[store]") {
  const temp_dir dir;
  open_at(dir.file());
  make(dir.file(), "DROP TABLE outbox");
  CHECK(refused(open_store({dir.file()})).code == fault_code::storage);
}

TEST_CASE("A truncated database is a fault with a sentence", "[store]") {
  const temp_dir dir;
  open_at(dir.file());
  std::filesystem::resize_file(dir.file(), 6'000);
  const auto opened = open_store({dir.file()});
  if (opened) // SQLite may notice only when it reads
    CHECK(refused((*opened)->counts()).code == fault_code::storage);
  else
    CHECK(opened.error().code == fault_code::storage);
}

TEST_CASE("A number that no enumeration has is damage, not undefined behaviour", "[store]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  add_room(*s, chat("!r:x", 1));
  auto db = raw(dir.file());
  need(db.exec("PRAGMA ignore_check_constraints=ON"));
  need(db.exec("UPDATE room SET kind = 9"));
  CHECK(refused(s->room(room_id{"!r:x"})).code == fault_code::storage);
  CHECK(refused(s->rooms()).code == fault_code::storage);
  need(db.exec("UPDATE room SET kind = -1"));
  CHECK(refused(s->room(room_id{"!r:x"})).code == fault_code::storage);
  need(db.exec("UPDATE room SET kind = 0"));
  CHECK(need(s->room(room_id{"!r:x"})).has_value());
}
