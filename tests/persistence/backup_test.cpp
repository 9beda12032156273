// A copy of the live database, and what is true after it was brought back.

#include "persistence/sqlite/backup.hpp"
#include "support.hpp"

#include <sys/stat.h>

using namespace pb;
using namespace pb::test;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat s {};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  return s.st_mode & 0777;
}

backup_options copy_to(const temp_dir& dir, const std::string& name = "copy.db") {
  backup_options o;
  o.from = dir.file();
  o.to = dir.file(name);
  o.now = [] { return unix_ms{1'700'000'000'000}; };
  return o;
}

/// A router's database in the middle of its work.
std::unique_ptr<store> busy_router(const temp_dir& dir) {
  auto s = open_at(dir.file());
  need(s->begin());
  need(s->save_account({user_id{"@bot:x"}, device_id{"DEV"}, "token", "refresh"}));
  settlement room;
  room.room = chat("!r:x", 7);
  room.topology_known = true;
  room.outbox = {message("sent"), message("waits"), marker("mark")};
  need(s->settle(room));
  need(s->admit(batch("s1", {event("$done"), event("$asked"), event("$waits")})));
  settlement end;
  end.turn = turn("t1", 1);
  end.turn->state = turn_state::answered;
  end.inbox = {{1, inbox_outcome::answered}};
  need(s->settle(end));
  need(s->dispatch(turn("t2", 2)));
  need(s->record({{outbox_id{"sent"}, outbox_state::sent, event_id{"$s"}, ""}}));
  need(s->commit());
  return s;
}

intent_row intent(const std::string& id, intent_row::step_t step, const std::string& number) {
  intent_row i;
  i.id = intent_id{id};
  i.step = step;
  i.chat = number;
  return i;
}

} // namespace

TEST_CASE("A backup is one moment of a database in use: whole, checked, closed to others",
          "[store][backup]") {
  const temp_dir dir;
  auto s = busy_router(dir);
  need(s->begin()); // the router is in the middle of a write
  need(s->admit(batch("s2", {event("$uncommitted")})));
  const auto made = need(back_up(copy_to(dir)));
  need(s->commit());
  need(alone(*s, [&] { return s->admit(batch("s3", {event("$later")})); }));

  CHECK(made.file == dir.file("copy.db"));
  CHECK(made.bytes == static_cast<std::int64_t>(fs::file_size(made.file)));
  CHECK(made.schema == 4);
  CHECK(mode_of(made.file) == 0600);
  for (const char* side : {"-wal", "-shm", "-journal"})
    CHECK_FALSE(fs::exists(made.file + side));
  auto db = raw(made.file);
  CHECK(need(db.ask("PRAGMA integrity_check")) == "ok");
  CHECK(need(db.ask(
            "SELECT group_concat(event_id) FROM (SELECT event_id FROM inbox ORDER BY seq)")) ==
        "$done,$asked,$waits");
  CHECK(need(db.ask("SELECT value FROM meta WHERE key = 'cursor'")) == "s1");
  CHECK(need(db.ask("SELECT value FROM meta WHERE key = 'backup'")) == "1700000000000");
  CHECK(need(look_at_database(made.file)).backup);
  CHECK_FALSE(need(look_at_database(dir.file())).backup);
  // 3 inbox, 3 outbox, 2 turns, room, its number twice, account, meta: cursor, topology_known,
  // backup.
  CHECK(made.rows == 15);
}

TEST_CASE("Backups made all along a load of writes are consistent each", "[store][backup]") {
  const temp_dir dir;
  auto s = busy_router(dir);
  for (int n = 0; n < 40; ++n) {
    const auto id = std::to_string(n);
    need(s->begin());
    need(s->admit(batch("n" + id, {event("$n" + id, "!r:x", std::string(20'000, 'x'))})));
    settlement what;
    what.outbox = {message("n" + id)};
    need(s->settle(what));
    need(s->commit());
    if (n % 8 != 0)
      continue;
    const auto made = need(back_up(copy_to(dir, "copy" + id)));
    auto db = raw(made.file);
    CHECK(need(db.ask("SELECT value FROM meta WHERE key = 'cursor'")) == "n" + id);
    CHECK(need(db.ask("SELECT count(*) FROM inbox")) == std::to_string(3 + n + 1));
    CHECK(need(db.ask("SELECT count(*) FROM outbox")) == std::to_string(3 + n + 1));
  }
}

TEST_CASE("A backup that is brought back acts on nothing again and sends nothing unseen",
          "[store][backup]") {
  const temp_dir dir;
  {
    auto s = busy_router(dir);
    settlement what;
    for (const auto& i : {intent("i0", intent_row::step_t::space_wanted, ""),
                          intent("i1", intent_row::step_t::space_calling, ""),
                          intent("i2", intent_row::step_t::chat_wanted, ""),
                          intent("i3", intent_row::step_t::chat_wanted, "C3"),
                          intent("i4", intent_row::step_t::chat_calling, "C4"),
                          intent("i5", intent_row::step_t::link_wanted, "C5")}) {
      what.intent = i;
      need(alone(*s, [&] { return s->settle(what); }));
    }
    settlement asked; // an open question, one whose answer waits, one that is done with
    asked.confirmations = {confirmation("q1", 1), confirmation("q2", 2), confirmation("q3", 3)};
    asked.confirmations[1].state = confirmation_state::yes;
    asked.confirmations[2].state = confirmation_state::no;
    asked.confirmations[2].delivered = true;
    asked.room = chat("!r:x", 7);
    asked.room->choices.allowed = {user_id{"@bob:x"}};
    asked.room->usage.turns = 5;
    asked.room->question = waiting_question{user_id{"@alice:x"}, {"plans"}, 1};
    need(alone(*s, [&] { return s->settle(asked); }));
    need(back_up(copy_to(dir)));
  }
  const temp_dir later; // another machine: the copy in its place
  fs::copy_file(dir.file("copy.db"), later.file());
  auto s = open_at(later.file());
  CHECK(s->was_restored());
  CHECK_FALSE(need(s->cursor()));
  CHECK_FALSE(need(s->topology_known()));
  CHECK(need(s->rooms_with_work()).empty());
  const auto counts = need(s->counts());
  CHECK(counts.inbox_pending == 0);
  CHECK(counts.turns_open == 0);
  CHECK(counts.outbox_waiting == 2);
  CHECK(counts.rooms == 1);
  CHECK(counts.confirmations_open == 0);
  const auto room = need(s->open_room(room_id{"!r:x"}, 1));
  REQUIRE(room.confirmations.size() == 3);
  CHECK(room.confirmations[0].state == confirmation_state::orphaned);
  CHECK(room.confirmations[1].state == confirmation_state::orphaned);
  CHECK(room.confirmations[2].state == confirmation_state::no);
  CHECK_FALSE(room.room->question);
  CHECK(room.room->choices.allowed.size() == 1);
  CHECK(room.room->usage.turns == 5);
  for (const auto& row : need(s->outbox(0, 10)))
    CHECK(row.device.value == "restored");
  CHECK(need(s->account()).value().access_token == "token");
  CHECK(need(s->last_platform_chat_id()).value == 7);
  // Not "told": nobody knows what became of it, and `!retry` offers nothing.
  CHECK_FALSE(need(s->interrupted(room_id{"!r:x"})));
  const auto intents = need(s->intents());
  REQUIRE(intents.size() == 3); // only those whose numbers were drawn
  CHECK(intents[0].id.value == "i3");
  CHECK(intents[0].step == intent_row::step_t::chat_calling); // looked for first
  CHECK(intents[1].step == intent_row::step_t::chat_calling);
  CHECK(intents[2].step == intent_row::step_t::link_wanted);
  // Events of before are still known; a row that is decided now goes out at once.
  CHECK(need(alone(*s, [&] { return s->admit(batch("s1", {event("$waits")})); })).fresh.empty());
  s->set_scope(device_id{"NEW"});
  settlement what;
  what.outbox = {message("fresh")};
  what.outbox[0].device = device_id{};
  CHECK(need(alone(*s, [&] { return s->settle(what); })).at(0).device.value == "NEW");

  s.reset(); // from now on it is a database like any other
  s = open_at(later.file());
  CHECK_FALSE(s->was_restored());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
  CHECK_FALSE(open_at(dir.file())->was_restored());
}

TEST_CASE("A copy put beside the old database's log is refused, not mixed with it",
          "[store][backup]") {
  const temp_dir dir;
  const temp_dir crashed;
  {
    auto s = busy_router(dir);
    need(back_up(copy_to(dir)));
    REQUIRE(fs::file_size(dir.file() + "-wal") > 0);
    fs::copy_file(dir.file("copy.db"), crashed.file()); // the operator forgot the log
    fs::copy_file(dir.file() + "-wal", crashed.file() + "-wal");
  }
  const auto why = refused(open_store({crashed.file()}));
  CHECK(why.code == fault_code::configuration);
  CHECK(why.sentence.find("-wal") != std::string::npos);
  fs::remove(crashed.file() + "-wal");
  CHECK(open_at(crashed.file())->was_restored());
}

TEST_CASE("A backup refuses what is there and what is not", "[store][backup]") {
  const temp_dir dir;
  auto o = copy_to(dir);
  CHECK(refused(back_up(o)).sentence.find("There is no database") == 0);
  CHECK_FALSE(fs::exists(dir.file())); // nor is one made
  auto s = busy_router(dir);
  SECTION("a file that exists") {
    std::ofstream{o.to} << "precious";
    CHECK(refused(back_up(o)).code == fault_code::conflict);
    CHECK(fs::file_size(o.to) == 8);
  }
  SECTION("a link that leads nowhere") {
    fs::create_symlink(dir.file("nowhere"), o.to);
    CHECK(refused(back_up(o)).code == fault_code::conflict);
    CHECK_FALSE(fs::exists(dir.file("nowhere")));
  }
  SECTION("a directory that is not there") {
    o.to = dir.file("no/copy.db");
    CHECK(refused(back_up(o)).sentence.find("directory") != std::string::npos);
  }
  SECTION("another program's file as the source") {
    need(raw(dir.file("other.db")).exec("CREATE TABLE t(x)"));
    o.from = dir.file("other.db");
    CHECK(refused(back_up(o)).code == fault_code::foreign_file);
    CHECK_FALSE(fs::exists(o.to));
  }
}

TEST_CASE("A dry run says how much it would be and writes nothing", "[store][backup]") {
  const temp_dir dir;
  auto s = busy_router(dir);
  auto o = copy_to(dir);
  o.dry_run = true;
  const auto plan = need(back_up(o));
  CHECK(plan.rows == 14);
  CHECK(plan.bytes >= 40'000);
  CHECK(plan.file == o.to);
  CHECK_FALSE(fs::exists(o.to));
}

TEST_CASE("A backup of a damaged database fails and leaves no file", "[store][backup]") {
  const temp_dir dir;
  {
    auto s = busy_router(dir);
    for (int n = 0; n < 200; ++n)
      need(alone(*s, [&] {
        return s->admit(
            batch("s", {event("$" + std::to_string(n), "!r:x", std::string(3'000, 'x'))}));
      }));
  }
  {
    std::fstream f{dir.file(), std::ios::in | std::ios::out | std::ios::binary};
    f.seekp(300'000);
    f << std::string(200'000, '\xaa');
  }
  const auto why = refused(back_up(copy_to(dir)));
  INFO(why.cause);
  CHECK(why.code == fault_code::storage);
  CHECK_FALSE(why.sentence.empty());
  CHECK_FALSE(fs::exists(dir.file("copy.db")));
  CHECK_FALSE(fs::exists(dir.file("copy.db-journal")));
}
