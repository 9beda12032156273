// The earlier bot's rooms, people and notes come over once, completely, and overwrite nothing.

#include "persistence/import.hpp"
#include "persistence/sqlite/earlier_bot.hpp"
#include "support.hpp"

#include <algorithm>
#include <iterator>

using namespace pb;
using namespace pb::test;

namespace {

std::string read_all(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>{in}, {}};
}

surfaces earlier(const temp_dir& dir) {
  need(raw(dir.file("bot.db")).exec(read_all(PB_TEST_DIR "/earlier_bot.sql")));
  return read_surfaces(need(read_earlier_bot(dir.file("bot.db"))));
}

bool says(const std::vector<std::string>& list, const std::string& what) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& s) { return s.find(what) != std::string::npos; });
}

room_row at(store& s, const std::string& id) { return need(s.room(room_id{id})).value(); }

} // namespace

TEST_CASE("The earlier bot's rooms come over with owner, number, platform id, agent and Space",
          "[store][import]") {
  const temp_dir dir;
  const auto from = earlier(dir);
  auto s = open_at(dir.file());
  const auto plan = need(plan_import(from, *s));
  need(apply_import(plan, *s));

  const auto a1 = at(*s, "!a1:example.org");
  CHECK(a1.kind == room_kind::chat);
  CHECK(a1.owner.value == "@alice:example.org");
  CHECK(a1.chat == "C1");
  CHECK(a1.platform.value == 17);
  CHECK(a1.agent.value == "writer");
  CHECK(a1.space.value == "!space:example.org");
  CHECK(a1.title == "Чат 1");
  CHECK(a1.state == room_state::active);
  const auto a2 = at(*s, "!a2:example.org"); // a number as text; what the room says wins
  CHECK(a2.platform.value == 18);
  CHECK(a2.agent.value == "coder");
  CHECK(a2.state == room_state::archived);
  CHECK(a2.space.value == "!space:example.org"); // her only one
  CHECK(at(*s, "!a3:example.org").chat == "C5"); // by its name
  CHECK(at(*s, "!a3:example.org").platform.value == 23);
  const auto b1 = at(*s, "!b1:example.org"); // other field names
  CHECK(b1.chat == "C4");
  CHECK(b1.platform.value == 30);
  const auto b2 = at(*s, "!b2:example.org"); // nothing is known: the next numbers
  CHECK(b2.chat == "C5");
  CHECK(b2.platform.value == 56);
  CHECK(at(*s, "!space:example.org").kind == room_kind::space);
  CHECK(at(*s, "!bobs:example.org").owner.value == "@bob:example.org");
  CHECK(need(s->rooms()).size() == 7);

  const auto alice = need(s->user(user_id{"@alice:example.org"})).value();
  CHECK(alice.space.value == "!space:example.org");
  CHECK(alice.agent.value == "writer");
  CHECK(alice.next_chat == 9);
  const auto bob = need(s->user(user_id{"@bob:example.org"})).value();
  CHECK(bob.space.value == "!bobs:example.org");
  CHECK(bob.next_chat == 6);

  const auto saved = need(s->saved_contexts());
  REQUIRE(saved.size() == 1);
  CHECK(saved[0].owner.value == "@alice:example.org");
  CHECK(saved[0].agent.value == "writer");
  CHECK(saved[0].room.value == "!a1:example.org");
  CHECK(saved[0].path == "notes/plan.md");
  CHECK(saved[0].at == 1'700'000'000'000); // it was in seconds

  // Past everything that was ever given out: 40 by the sequence, 55 by a chat without a room.
  CHECK(need(alone(*s, [&] { return s->draw_platform_chat_id(); })).value == 57);
  // A full walk has still to compare all this with the homeserver.
  CHECK_FALSE(need(s->topology_known()));
  CHECK_FALSE(need(s->cursor()));
}

TEST_CASE("What cannot be taken over is named by its key and stops nothing", "[store][import]") {
  const temp_dir dir;
  const auto from = earlier(dir);
  const auto plan = need(plan_import(from, *memory()));
  CHECK(from.broken.size() == 5);
  CHECK(says(from.broken, "matrix_room:!broken:example.org: no JSON"));
  CHECK(says(from.broken, "matrix_room:!nobody:example.org: no owner"));
  CHECK(says(from.broken, "matrix_user:not a user: no user id"));
  CHECK(says(from.broken, "matrix_user:@list:example.org: no JSON object"));
  CHECK(says(from.broken, "chat:C1: saved context 1"));
  CHECK(from.unknown == std::vector<std::string>{"settings:theme", "sync_token"});
  CHECK(says(from.notes, "1 chats without a room"));
  REQUIRE(plan.conflicts.size() == 1);
  CHECK(says(plan.conflicts, "!twin:example.org: platform_chat_id 17 belongs to !a1:example.org"));
  // No value of theirs is in what is said.
  for (const auto& line : from.broken)
    CHECK(line.find("passwd") == std::string::npos);
}

TEST_CASE("A second run changes nothing", "[store][import]") {
  const temp_dir dir;
  const auto from = earlier(dir);
  auto s = open_at(dir.file());
  need(apply_import(need(plan_import(from, *s)), *s));
  const auto last = need(s->last_platform_chat_id()).value;
  const auto again = need(plan_import(from, *s));
  CHECK(again.empty());
  CHECK(again.same == 5 + 2 + 1); // rooms, people, notes
  CHECK(again.conflicts.size() == 1);
  need(apply_import(again, *s));
  CHECK(need(s->last_platform_chat_id()).value == last);
  CHECK(need(s->rooms()).size() == 7);
}

TEST_CASE("What is here already stays as it is, and the difference is told", "[store][import]") {
  const temp_dir dir;
  const auto from = earlier(dir);
  auto s = open_at(dir.file());
  auto mine = chat("!a1:example.org", 99); // the same room under another number
  mine.owner = user_id{"@alice:example.org"};
  mine.chat = "C1";
  add_room(*s, mine);
  auto other = chat("!mine:example.org", 30); // Bob's number is in use
  other.owner = user_id{"@carol:example.org"};
  add_room(*s, other);
  settlement what;
  user_row alice;
  alice.id = user_id{"@alice:example.org"};
  alice.space = room_id{"!another:example.org"};
  alice.next_chat = 3;
  what.user = alice;
  what.saved = {{alice.id, agent_id{"writer"}, room_id{"!x:y"}, "plan", "mine.md", 1}};
  need(alone(*s, [&] { return s->settle(what); }));
  need(alone(*s, [&] { return s->raise_platform_chat_id({1'000}); }));

  const auto plan = need(plan_import(from, *s));
  need(apply_import(plan, *s));
  CHECK(at(*s, "!a1:example.org").platform.value == 99);
  CHECK_FALSE(need(s->room(room_id{"!b1:example.org"})));
  CHECK(need(s->user(alice.id)).value().space.value == "!another:example.org");
  CHECK(need(s->user(alice.id)).value().next_chat == 9); // no number is given out twice
  CHECK(need(s->saved_contexts()).at(0).path == "mine.md");
  CHECK(need(s->last_platform_chat_id()).value == 1'001); // for !b2; it never goes back
  CHECK(says(plan.conflicts, "!a1:example.org: has platform_chat_id 99 here, there 17"));
  CHECK(says(plan.conflicts, "!b1:example.org: platform_chat_id 30 belongs to !mine:example.org"));
  CHECK(says(plan.conflicts, "@alice:example.org: has the Space !another:example.org here"));
  CHECK(says(plan.conflicts, "the saved context plan of writer has another path here"));
}

TEST_CASE("The earlier bot's file is only read, also while that bot runs", "[store][import]") {
  const temp_dir dir;
  earlier(dir);
  auto bot = raw(dir.file("bot.db"));
  need(bot.ask("PRAGMA journal_mode=WAL"));
  need(bot.exec("INSERT INTO kv VALUES('matrix_user:@new:example.org', '{}')"));
  const auto before = read_all(dir.file("bot.db")), log = read_all(dir.file("bot.db-wal"));
  const auto entries = need(read_earlier_bot(dir.file("bot.db")));
  CHECK(std::any_of(entries.begin(), entries.end(), [](const surface_entry& e) {
    return e.key == "matrix_user:@new:example.org"; // from its log
  }));
  CHECK(read_all(dir.file("bot.db")) == before);
  CHECK(read_all(dir.file("bot.db-wal")) == log);
}

TEST_CASE("Another file than the earlier bot's is refused", "[store][import]") {
  const temp_dir dir;
  CHECK(refused(read_earlier_bot(dir.file("nothing"))).code == fault_code::configuration);
  CHECK_FALSE(std::filesystem::exists(dir.file("nothing")));
  open_at(dir.file());
  CHECK(refused(read_earlier_bot(dir.file())).code == fault_code::foreign_file);
  std::ofstream{dir.file("text")} << std::string(5'000, 'x');
  CHECK(refused(read_earlier_bot(dir.file("text"))).code == fault_code::foreign_file);
}

TEST_CASE("Values of any shape are read or reported, never believed", "[store][import]") {
  const auto one = [](const std::string& key, const std::string& value) {
    return read_surfaces({{key, value}});
  };
  for (const char* value : {"", "null", "[]", "7", "\"x\"", "{\"user_id\": 7}", "{\"user_id\": []}",
                            "{\"user_id\": \"alice\"}", "{\"user_id\": \"@a b:x\"}", "\xff\xfe"}) {
    INFO(value);
    const auto s = one("matrix_room:!r:x", value);
    CHECK(s.rooms.empty());
    CHECK(s.broken.size() == 1);
  }
  for (const char* id : {"0", "-5", "1.5", "1e3", "9007199254740992", "18446744073709551615",
                         "\"99999999999999999999\"", "\"-1\"", "[1]", "true"}) {
    INFO(id);
    const auto s =
        one("matrix_room:!r:x", std::string{R"({"user_id": "@a:x", "platform_id": )"} + id + "}");
    REQUIRE(s.rooms.size() == 1);
    CHECK(s.rooms[0].platform.value == 0); // one is drawn
  }
  CHECK(one("platform_chat_seq", "41").last.value == 41);
  CHECK(one("platform_chat_seq", "{\"next\": 41}").last.value == 40);
  CHECK(one("platform_chat_seq", "{\"last\": -1}").broken.size() == 1);
  CHECK(one("platform_chat_seq", "{}").broken.size() == 1);
  CHECK(one("matrix_room:" + std::string(300, '!'), R"({"user_id": "@a:x"})").broken.size() == 1);
  for (const char* path : {"/etc/passwd", "..", "a/../b", "a/..", ""}) {
    INFO(path);
    CHECK(read_surfaces(
              {{"chat:C1", std::string{R"({"saved": [{"name": "n", "path": ")"} + path + R"("}]})"},
               {"matrix_room:!r:x", R"({"user_id": "@a:x", "chat_id": "C1"})"}})
              .saved.empty());
  }
}
