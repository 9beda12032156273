// Databases of every older version, as those programs wrote them, brought to today's schema.

#include "persistence/sqlite/migrations.hpp"
#include "support.hpp"

#include <iterator>
#include <map>

using namespace pb;
using namespace pb::test;

namespace {

std::string fixture(std::size_t version) {
  return PB_TEST_DIR "/database_v" + std::to_string(version) + ".sql";
}

/// The database of that version, in a file of its own.
void write_fixture(std::size_t version, const std::string& path) {
  std::ifstream in{fixture(version)};
  REQUIRE(in.good());
  need(raw(path).exec({std::istreambuf_iterator<char>{in}, {}}));
}

std::vector<std::string> list(sqlite::database& db, const std::string& sql) {
  std::vector<std::string> out;
  auto ask = db.prepare("list", sql.c_str());
  need(ask.each([&](sqlite::row& r) { r >> out.emplace_back(); }));
  return out;
}

/// By table: a query over all the columns that it has now.
std::map<std::string, std::string> questions(sqlite::database& db) {
  std::map<std::string, std::string> all;
  for (const auto& table : list(db, "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                    " AND name NOT LIKE 'sqlite_%'")) {
    std::string columns;
    for (const auto& column : list(db, "SELECT name FROM pragma_table_info('" + table + "')"))
      columns += (columns.empty() ? "quote(" : " || '|' || quote(") + column + ")";
    all[table] = "SELECT " + columns + " FROM " + table + " ORDER BY 1";
  }
  return all;
}

} // namespace

TEST_CASE("Every older version has a database that its program wrote", "[store][migration]") {
  for (std::size_t version = 1; version < sqlite::migrations().size(); ++version) {
    INFO("make " << fixture(version) << " with a program of that version, rows in every table");
    CHECK(std::filesystem::exists(fixture(version)));
    const temp_dir dir;
    write_fixture(version, dir.file());
    auto db = raw(dir.file());
    CHECK(need(db.ask("PRAGMA user_version")) == std::to_string(version));
    for (const auto& [table, sql] : questions(db)) {
      INFO(table);
      CHECK_FALSE(list(db, sql).empty());
    }
  }
}

TEST_CASE("No row of any older version changes when it is brought forward", "[store][migration]") {
  for (std::size_t version = 1; version < sqlite::migrations().size(); ++version) {
    INFO("version " << version);
    const temp_dir dir;
    write_fixture(version, dir.file());
    std::map<std::string, std::vector<std::string>> before;
    std::map<std::string, std::string> asked;
    {
      auto db = raw(dir.file());
      asked = questions(db);
      for (const auto& [table, sql] : asked)
        before[table] = list(db, sql);
    }
    open_at(dir.file());
    auto db = raw(dir.file());
    CHECK(need(db.ask("PRAGMA integrity_check")) == "ok");
    CHECK(need(db.ask("PRAGMA foreign_key_check")).empty());
    for (const auto& [table, sql] : asked) {
      INFO(table);
      if (table == "meta" && version == 1) // step 2 adds a fact of its own
        CHECK(list(db, "SELECT quote(key) || '|' || quote(value) FROM meta"
                       " WHERE key <> 'topology_known' ORDER BY 1") == before[table]);
      else
        CHECK(list(db, sql) == before[table]);
    }
    // And the schema is what a new database has.
    auto fresh = raw(dir.file("fresh.db"));
    need(sqlite::migrate(fresh, sqlite::migrations()));
    const std::string shape = "SELECT type || ' ' || name || ' ' || coalesce(sql, '')"
                              " FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name";
    CHECK(list(db, shape) == list(fresh, shape));
  }
}

TEST_CASE("A database of version 1 goes on where it stood", "[store][migration]") {
  const temp_dir dir;
  write_fixture(1, dir.file());
  need(raw(dir.file()).exec("DELETE FROM outbox WHERE seq = 7")); // the newest one is gone
  auto s = open_at(dir.file());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s42_7"});
  const auto account = need(s->account()).value();
  CHECK(account.device.value == "OLDDEVICE");
  CHECK(account.access_token == "syt_secret");
  CHECK(account.refresh_token.empty());
  CHECK(need(s->topology_known())); // its rooms grew up with it
  CHECK_FALSE(s->was_restored());
  CHECK(need(s->last_platform_chat_id()).value == 109);
  CHECK(need(s->users()).size() == 2);
  CHECK(need(s->invites()).size() == 1);
  CHECK(need(s->intents()).at(0).step == intent_row::step_t::chat_calling);

  const auto counts = need(s->counts());
  CHECK(counts.inbox_pending == 4);
  CHECK(counts.outbox_waiting == 4);
  CHECK(counts.outbox_dead == 1);
  CHECK(counts.turns_open == 2);
  CHECK(counts.rooms == 6);
  CHECK(counts.poison == 0);

  const auto waiting = need(s->outbox(0, 10));
  REQUIRE(waiting.size() == 4);
  CHECK(waiting[0].id.value == "wait1");
  CHECK(waiting[0].txn == "pb-wait1");
  CHECK(waiting[0].device.value == "OLDDEVICE");
  CHECK(waiting[0].about.empty());
  CHECK(waiting[2].device.value == "OTHER");
  CHECK(need(s->dead(0, 10)).at(0).id.value == "dead1");
  CHECK(need(s->open_room(room_id{"!c1:example.org"}, 10)).marker_waits);
  CHECK(need(s->open_room(room_id{"!c2:example.org"}, 10)).open_turns.at(0).attempts == 2);
  CHECK_FALSE(need(s->interrupted(room_id{"!c2:example.org"}))); // a newer turn is open

  settlement what;
  what.outbox = {message("next")};
  CHECK(need(alone(*s, [&] { return s->settle(what); })).at(0).seq == 8); // 7 was used
  const auto again = need(alone(*s, [&] { return s->admit(batch("s43", {event("$e1")})); }));
  CHECK(again.fresh.empty());
}

TEST_CASE("A database of version 2 goes on where it stood", "[store][migration]") {
  const temp_dir dir;
  write_fixture(2, dir.file());
  need(raw(dir.file()).exec("DELETE FROM outbox WHERE seq = 9")); // the newest one is gone
  auto s = open_at(dir.file());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s2"});
  CHECK(need(s->account()).value().refresh_token == "syr_refresh");
  CHECK(need(s->topology_known()));
  CHECK_FALSE(s->was_restored());
  CHECK(need(s->last_platform_chat_id()).value == 209);
  CHECK(need(s->saved_contexts()).at(0).path == "contexts/plans.md");
  CHECK(need(s->known(room_id{"!c1:example.org"}, {event_id{"$e1"}})).known.at(0)); // was pruned
  CHECK(need(s->poison(0, 9)).at(0).event.value == "$bad");

  const auto counts = need(s->counts());
  CHECK(counts.inbox_pending == 4);
  CHECK(counts.outbox_waiting == 5);
  CHECK(counts.outbox_dead == 1);
  CHECK(counts.turns_open == 1);
  CHECK(counts.rooms == 8);
  CHECK(counts.confirmations_open == 0);

  const auto waiting = need(s->outbox(0, 10));
  REQUIRE(waiting.size() == 5);
  CHECK(waiting[0].id.value == "wait1");
  CHECK(waiting[1].kind == outbox_kind::state);
  CHECK(waiting[2].about.value == "dead1");
  CHECK(waiting[3].device.value == "OTHER");
  CHECK(need(s->dead(0, 10)).at(0).reason == "M_FORBIDDEN");

  // Nobody has chosen, spent or been asked anything yet.
  for (const auto& room : need(s->rooms())) {
    CHECK(room.choices == room_choices{});
    CHECK(room.usage == room_usage{});
    CHECK_FALSE(room.question);
  }
  CHECK(need(s->room_of_chat({201})).value().id.value == "!c1:example.org");
  CHECK(need(s->room_of_chat({204})).value().state == room_state::left);
  CHECK(need(s->room_of_chat({205})).value().id.value == "!c6:example.org"); // was replaced
  CHECK_FALSE(need(s->room_of_chat({0})));

  settlement what;
  what.outbox = {message("next"), message("file")};
  what.outbox[1].kind = outbox_kind::file;
  what.confirmations = {confirmation("next", 1, "!c1:example.org")};
  const auto said = need(alone(*s, [&] { return s->settle(what); }));
  CHECK(said.at(0).seq == 10); // 9 was used
  CHECK(said.at(1).seq == 11);
  CHECK(need(s->open_room(room_id{"!c1:example.org"}, 1)).confirmations.size() == 1);
  const auto again = need(alone(*s, [&] { return s->admit(batch("s3", {event("$e2")})); }));
  CHECK(again.fresh.empty());
}

TEST_CASE("A database of version 3 goes on where it stood", "[store][migration]") {
  const temp_dir dir;
  write_fixture(3, dir.file());
  auto s = open_at(dir.file());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s3"});
  CHECK_FALSE(s->was_restored());
  CHECK(need(s->last_platform_chat_id()).value == 210);
  const auto counts = need(s->counts());
  CHECK(counts.inbox_pending == 7);
  CHECK(counts.outbox_waiting == 8);
  CHECK(counts.turns_open == 2);
  CHECK(counts.confirmations_open == 1);

  const auto room = need(s->room(room_id{"!c1:example.org"})).value();
  CHECK(room.choices.lang == language::ru);
  CHECK(room.choices.streaming == streaming_mode::final_only);
  CHECK_FALSE(room.choices.notices);
  CHECK(room.choices.allowed == std::vector{user_id{"@bob:example.org"}});
  CHECK(room.usage == room_usage{3, 1'200, 340});
  CHECK(room.question.value().options == std::vector<std::string>{"plans", "drafts"});
  CHECK(need(s->room_of_chat({202})).value().platform.value == 210); // was cleared
  const auto asked = need(s->open_room(room_id{"!c1:example.org"}, 9)).confirmations;
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].state == confirmation_state::open);
  CHECK(asked[1].answered_by.value == "@alice:example.org");
  CHECK(need(s->outbox(9, 1)).at(0).kind == outbox_kind::file);

  // No session has remembered anything yet; from now on each can.
  CHECK(need(s->recall(agent_id{"writer"}, {201})).empty());
  need(alone(*s, [&] { return s->remember(agent_id{"writer"}, {201}, "first"); }));
  CHECK(need(s->recall(agent_id{"writer"}, {201})) == "first");
}

TEST_CASE("No number that was given out is given out again after a step", "[store][migration]") {
  for (std::size_t version = 1; version < sqlite::migrations().size(); ++version) {
    const temp_dir dir;
    write_fixture(version, dir.file());
    const std::string sql = "SELECT name || '|' || seq FROM sqlite_sequence ORDER BY name";
    auto before = [&] {
      auto db = raw(dir.file());
      return list(db, sql);
    }();
    open_at(dir.file());
    auto db = raw(dir.file());
    CHECK(list(db, sql) == before);
  }
}

TEST_CASE("A database without a cursor is a stranger to its rooms", "[store][migration]") {
  const temp_dir dir;
  write_fixture(1, dir.file());
  need(raw(dir.file()).exec("DELETE FROM meta"));
  CHECK_FALSE(need(open_at(dir.file())->topology_known()));
  CHECK_FALSE(need(memory()->topology_known()));
}
