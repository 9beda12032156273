#include "support.hpp"

using namespace pb;
using namespace pb::test;

namespace {

room_row at(store& s, const char* id) { return need(s.room(room_id{id})).value(); }

void admit(store& s, const admission& a) {
  need(alone(s, [&] { return s.admit(a); }));
}

} // namespace

TEST_CASE("A room comes back field by field and is updated as a whole", "[store]") {
  auto s = memory();
  auto r = chat("!r:x", 7);
  r.kind = room_kind::lobby;
  r.state = room_state::archived;
  r.encrypted = r.encrypted_told = true;
  add_room(*s, r);
  auto back = at(*s, "!r:x");
  CHECK(back.id == r.id);
  CHECK(back.kind == r.kind);
  CHECK(back.owner == r.owner);
  CHECK(back.chat == r.chat);
  CHECK(back.platform == r.platform);
  CHECK(back.agent == r.agent);
  CHECK(back.epoch == 2);
  CHECK(back.state == r.state);
  CHECK(back.space == r.space);
  CHECK(back.intent == r.intent);
  CHECK(back.title == r.title);
  CHECK(back.encrypted);
  CHECK(back.encrypted_told);

  r.kind = room_kind::chat;
  r.platform.value = 8;
  r.epoch = 3;
  r.state = room_state::active;
  r.title = "Another";
  add_room(*s, r);
  back = at(*s, "!r:x");
  CHECK(back.kind == room_kind::chat);
  CHECK(back.platform.value == 8);
  CHECK(back.epoch == 3);
  CHECK(back.state == room_state::active);
  CHECK(back.title == "Another");
  CHECK(need(s->rooms()).size() == 1);
  CHECK_FALSE(need(s->room(room_id{"!nobody:x"})).has_value());
}

TEST_CASE("Two rooms never share a platform_chat_id, rooms without one may be many", "[store]") {
  auto s = memory();
  add_room(*s, chat("!a:x", 7));
  settlement what;
  what.room = chat("!b:x", 7);
  CHECK(refused(alone(*s, [&] { return s->settle(what); })).code == fault_code::conflict);
  add_room(*s, chat("!lobby1:x", 0));
  add_room(*s, chat("!lobby2:x", 0));
  CHECK(need(s->rooms()).size() == 3);
}

TEST_CASE("Leaving and joining change the state of chats and lobbies that we know", "[store]") {
  auto s = memory();
  add_room(*s, chat("!chat:x", 1));
  auto space = chat("!space:x", 0);
  space.kind = room_kind::space;
  add_room(*s, space);
  auto archived = chat("!old:x", 2);
  archived.state = room_state::archived;
  add_room(*s, archived);

  admission a;
  for (const char* id : {"!chat:x", "!space:x", "!unknown:x"})
    a.memberships.push_back({room_id{id}, membership::leave, user_id{"@alice:x"}});
  a.memberships.push_back({room_id{"!old:x"}, membership::join, user_id{"@bot:x"}});
  admit(*s, a);
  CHECK(at(*s, "!chat:x").state == room_state::left);
  CHECK(at(*s, "!space:x").state == room_state::active);
  CHECK(at(*s, "!old:x").state == room_state::archived);
  CHECK_FALSE(need(s->room(room_id{"!unknown:x"})).has_value());

  a.memberships = {{room_id{"!chat:x"}, membership::join, user_id{"@bot:x"}}};
  admit(*s, a);
  CHECK(at(*s, "!chat:x").state == room_state::active);
  a.memberships = {{room_id{"!chat:x"}, membership::ban, user_id{"@alice:x"}}};
  admit(*s, a);
  CHECK(at(*s, "!chat:x").state == room_state::left);
}

TEST_CASE("Encryption never goes off again, known before the room or after", "[store]") {
  auto s = memory();
  add_room(*s, chat("!r:x", 1));
  CHECK_FALSE(at(*s, "!r:x").encrypted);
  admission a;
  a.encrypted = {room_id{"!r:x"}, room_id{"!later:x"}};
  admit(*s, a);
  admit(*s, a);
  CHECK(at(*s, "!r:x").encrypted);
  add_room(*s, chat("!r:x", 1)); // a writer that does not know yet
  CHECK(at(*s, "!r:x").encrypted);
  add_room(*s, chat("!later:x", 2));
  CHECK(at(*s, "!later:x").encrypted);
  CHECK(need(s->open_room(room_id{"!later:x"}, 1)).room->encrypted);
}

TEST_CASE("Restored rooms and people fill gaps and overwrite nothing", "[store]") {
  auto s = memory();
  add_room(*s, chat("!known:x", 5));
  settlement person;
  person.user = user_row{user_id{"@alice:x"}, room_id{"!space:x"}, agent_id{"writer"}, 3};
  need(alone(*s, [&] { return s->settle(person); }));

  admission a;
  auto stale = chat("!known:x", 9);
  stale.title = "from the marker";
  a.restored = {stale, chat("!found:x", 6)};
  a.restored_users = {{user_id{"@alice:x"}, room_id{"!other:x"}, agent_id{"other"}, 8},
                      {user_id{"@bob:x"}, room_id{"!bobs:x"}, agent_id{}, 2, language::ru}};
  admit(*s, a);
  admit(*s, a);
  CHECK(at(*s, "!known:x").title == "Chat");
  CHECK(at(*s, "!known:x").platform.value == 5);
  CHECK(at(*s, "!found:x").platform.value == 6);
  const auto alice = need(s->user(user_id{"@alice:x"})).value();
  CHECK(alice.space.value == "!space:x");
  CHECK(alice.agent.value == "writer");
  CHECK(alice.next_chat == 8);
  const auto bob = need(s->user(user_id{"@bob:x"})).value();
  CHECK(bob.space.value == "!bobs:x");
  CHECK(bob.lang == language::ru);
}

TEST_CASE("A restored room with a taken or impossible number does not stop its batch", "[store]") {
  auto s = memory();
  add_room(*s, chat("!a:x", 5));
  admission a = batch("s1", {event("$a")});
  auto negative = chat("!n:x", -4);
  auto huge = chat("!h:x", (std::int64_t{1} << 53));
  a.restored = {chat("!b:x", 5), negative, huge, chat("!good:x", 6)};
  admit(*s, a);
  CHECK(need(s->rooms()).size() == 2);
  CHECK(at(*s, "!good:x").platform.value == 6);
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
  CHECK(need(alone(*s, [&] { return s->draw_platform_chat_id(); })).value == 7);
}

TEST_CASE("A room that was cleared since it was looked at is not overwritten", "[store]") {
  auto s = memory();
  settlement seen;
  seen.room = chat("!a:x", 7);
  const auto epoch = seen.room->epoch;
  need(alone(*s, [&] { return s->settle(seen); }));
  auto cleared = seen;
  cleared.room->platform = platform_chat_id{8};
  cleared.room->epoch = epoch + 1;
  need(alone(*s, [&] { return s->settle(cleared); }));
  auto late = seen;
  late.room_epoch_is = epoch;
  CHECK(refused(alone(*s, [&] { return s->settle(late); })).code == fault_code::conflict);
  CHECK(at(*s, "!a:x").platform.value == 8);
  late.room_epoch_is = epoch + 1;
  late.room = cleared.room;
  need(alone(*s, [&] { return s->settle(late); }));
}

TEST_CASE("What was chosen, spent and asked in a room comes back with it", "[store]") {
  const temp_dir dir;
  auto r = chat("!r:x", 7);
  r.choices = {language::ru,
               streaming_mode::final_only,
               false,
               {user_id{"@bob:x"}, user_id{"@\"quoted\\:x"}}};
  r.usage = {3, 1'000'000'000'000, 42};
  r.question = waiting_question{
      user_id{"@alice:x"}, {"plans", "\xd0\x9f\xd0\xbb\xd0\xb0\xd0\xbd\n\"2\"", ""}, 9'000};
  add_room(*open_at(dir.file()), r);
  auto s = open_at(dir.file());
  for (const auto& back :
       {at(*s, "!r:x"), need(s->rooms()).at(0), need(s->open_room(r.id, 1)).room.value(),
        need(s->room_of_chat(r.platform)).value()}) {
    CHECK(back.choices == r.choices);
    CHECK(back.usage == r.usage);
    CHECK(back.question == r.question);
  }
  r.choices = {language::en, streaming_mode::edits, true, {}};
  r.question->options.clear();
  add_room(*s, r);
  CHECK(at(*s, "!r:x").choices == r.choices);
  CHECK(at(*s, "!r:x").question == r.question);
  r.choices = {};
  r.usage = {};
  r.question.reset();
  add_room(*s, r);
  CHECK(at(*s, "!r:x").choices == room_choices{});
  CHECK(at(*s, "!r:x").usage == room_usage{});
  CHECK_FALSE(at(*s, "!r:x").question);

  auto found = chat("!found:x", 9);
  found.choices.lang = language::ru;
  admission a;
  a.restored = {found};
  admit(*s, a);
  CHECK(at(*s, "!found:x").choices.lang == language::ru);
}

TEST_CASE("What an operator granted a room counts as long as it is with that agent", "[store]") {
  const temp_dir dir;
  auto r = chat("!r:x", 7);
  add_room(*open_at(dir.file()), r);
  CHECK_FALSE(at(*open_at(dir.file()), "!r:x").granted);
  r.agent = agent_id{"other"};
  r.granted = true;
  add_room(*open_at(dir.file()), r);
  auto s = open_at(dir.file());
  CHECK(at(*s, "!r:x").granted);
  CHECK(need(s->open_room(r.id, 1)).room.value().granted);
  r.granted = false; // whoever writes the row without knowing of it takes nothing away
  add_room(*s, r);
  CHECK(at(*s, "!r:x").granted);
  r.agent = agent_id{"third"};
  add_room(*s, r);
  CHECK_FALSE(at(*s, "!r:x").granted);
  r.granted = true;
  add_room(*s, r);
  CHECK(at(*s, "!r:x").granted);
}

TEST_CASE("A choice that nobody understands reads as none", "[store]") {
  const temp_dir dir;
  auto r = chat("!r:x", 7);
  r.choices.allowed = {user_id{"@bob:x"}};
  r.question = waiting_question{user_id{"@alice:x"}, {"plans"}, 9'000};
  add_room(*open_at(dir.file()), r);
  need(raw(dir.file()).exec("UPDATE room SET lang = 99, streaming = -1"));
  CHECK(at(*open_at(dir.file()), "!r:x").choices.allowed.size() == 1);
  CHECK_FALSE(at(*open_at(dir.file()), "!r:x").choices.lang);
  CHECK_FALSE(at(*open_at(dir.file()), "!r:x").choices.streaming);
  for (const char* wrong : {"", "[", "{}", "[1,null,{},\"\",[\"@bob:x\"]]", "\"@bob:x\"", "null"}) {
    INFO(wrong);
    need(raw(dir.file()).exec(std::string{"UPDATE room SET allowed = '"} + wrong + "'"));
    CHECK(at(*open_at(dir.file()), "!r:x").choices.allowed.empty());
  }
  for (const char* wrong : {"", "x", "[]", "{}", R"({"asked":"","options":[],"expires_at":1})",
                            R"({"asked":1,"options":[],"expires_at":1})",
                            R"({"asked":"@a:x","options":[1],"expires_at":1})",
                            R"({"asked":"@a:x","options":{},"expires_at":1})",
                            R"({"asked":"@a:x","options":[],"expires_at":"soon"})",
                            R"({"asked":"@a:x","options":[]})"}) {
    INFO(wrong);
    need(raw(dir.file()).exec(std::string{"UPDATE room SET question = '"} + wrong + "'"));
    CHECK_FALSE(at(*open_at(dir.file()), "!r:x").question);
  }
  need(raw(dir.file())
           .exec("UPDATE room SET allowed = '[1,\"@bob:x\"]', question ="
                 " '" +
                 std::string(20'000, '[') + "'"));
  CHECK(at(*open_at(dir.file()), "!r:x").choices.allowed == r.choices.allowed);
  CHECK_FALSE(at(*open_at(dir.file()), "!r:x").question);
}

TEST_CASE("Broken text in an option is mended, not refused", "[store]") {
  auto s = memory();
  auto r = chat("!r:x", 7);
  r.question = waiting_question{user_id{"@alice:x"}, {"a\xff"}, 9'000};
  add_room(*s, r);
  CHECK(at(*s, "!r:x").question->options.at(0) == "a\xef\xbf\xbd");
}

TEST_CASE("Who looked at a room and changes it leaves alone what the room itself counts",
          "[store]") {
  auto s = memory();
  auto seen = chat("!a:x", 7);
  add_room(*s, seen);
  auto own = seen; // meanwhile, by the room
  own.usage.turns = 4;
  own.choices.lang = language::ru;
  own.question = waiting_question{user_id{"@alice:x"}, {"plans"}, 9'000};
  add_room(*s, own);
  settlement late;
  late.room = seen;
  late.room->title = "By its state event";
  late.room_epoch_is = seen.epoch;
  need(alone(*s, [&] { return s->settle(late); }));
  CHECK(at(*s, "!a:x").title == "By its state event");
  CHECK(at(*s, "!a:x").usage == own.usage);
  CHECK(at(*s, "!a:x").choices == own.choices);
  CHECK(at(*s, "!a:x").question == own.question);
}

TEST_CASE("A room is found by every number that it has or had", "[store]") {
  auto s = memory();
  const auto room_of = [&](std::int64_t number) {
    const auto found = need(s->room_of_chat({number}));
    return found ? found->id.value : "";
  };
  add_room(*s, chat("!a:x", 5));
  add_room(*s, chat("!b:x", 6));
  add_room(*s, chat("!lobby:x", 0));
  add_room(*s, chat("!a:x", 7)); // cleared
  add_room(*s, chat("!a:x", 8));
  for (const std::int64_t number : {5, 7, 8})
    CHECK(room_of(number) == "!a:x");
  CHECK(room_of(6) == "!b:x");
  for (const std::int64_t number : {-1, 0, 9})
    CHECK(room_of(number).empty());
  CHECK(need(s->room_of_chat({5}))->platform.value == 8);

  settlement move; // an upgraded room answers to its old numbers too
  move.room = chat("!c:x", 8);
  move.moved_from = room_id{"!a:x"};
  need(alone(*s, [&] { return s->settle(move); }));
  for (const std::int64_t number : {5, 7, 8})
    CHECK(room_of(number) == "!c:x");
  CHECK(at(*s, "!a:x").platform.value == 0);

  admission a; // by their markers
  auto stale = chat("!b:x", 11);
  auto impossible = chat("!n:x", -4);
  a.restored = {chat("!found:x", 10), stale, chat("!thief:x", 6), chat("!old:x", 7), impossible};
  admit(*s, a);
  CHECK(room_of(10) == "!found:x");
  CHECK(room_of(11).empty()); // its row says otherwise
  CHECK(room_of(6) == "!b:x");
  CHECK(room_of(7) == "!c:x"); // a number that another room had stays its own
}

TEST_CASE("A turn's end with its room's count is refused without harm to the group", "[store]") {
  auto s = memory();
  add_room(*s, chat("!a:x", 5));
  settlement end;
  end.room = chat("!a:x", 5);
  end.room->usage.turns = 1;
  end.outbox = {message("m1", "!a:x")};
  need(alone(*s, [&] { return s->settle(end); }));
  need(s->begin());
  need(s->admit(batch("s1", {event("$a", "!a:x")})));
  end.room->usage.turns = 2;
  CHECK(refused(s->settle(end)).code == fault_code::conflict); // m1 was said
  need(s->commit());
  CHECK(at(*s, "!a:x").usage.turns == 1);
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
}

TEST_CASE("Chats come in pages by id, of one agent or one owner", "[store]") {
  auto s = memory();
  for (std::int64_t i = 1; i <= 5; ++i) {
    auto r = chat(("!" + std::to_string(i) + ":x").c_str(), i);
    r.agent = agent_id{i % 2 == 0 ? "even" : "odd"};
    r.owner = user_id{i == 5 ? "@last:x" : "@first:x"};
    add_room(*s, r);
  }
  auto lobby = chat("!0:x", 9);
  lobby.kind = room_kind::lobby;
  add_room(*s, lobby);
  const auto ids = [&](const char* after, std::size_t limit, const char* agent, const char* owner) {
    std::string out;
    for (const auto& r : need(s->chats(room_id{after}, limit, agent_id{agent}, user_id{owner})))
      out += r.id.value + " ";
    return out;
  };
  CHECK(ids("", 2, "", "") == "!1:x !2:x ");
  CHECK(ids("!2:x", 9, "", "") == "!3:x !4:x !5:x ");
  CHECK(ids("", 9, "even", "") == "!2:x !4:x ");
  CHECK(ids("!1:x", 9, "odd", "@first:x") == "!3:x ");
  CHECK(ids("!5:x", 9, "", "").empty());
}
