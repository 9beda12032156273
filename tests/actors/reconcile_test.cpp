// The plan by which database and homeserver are made to agree.

#include "actors/matrix/reconcile_logic.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pb;
using matrix::room_facts;

namespace {

const user_id bot{"@bot:s"}, alice{"@alice:s"}, bob{"@bob:s"};

room_facts room(const std::string& id, std::vector<user_id> members, bool ours = true) {
  room_facts f;
  f.room = room_id{id};
  f.bot_created = ours;
  f.creator = ours ? bot : members.front();
  f.members[bot] = {"join", bot};
  for (const auto& m : members)
    f.members[m] = {"join", m};
  return f;
}

room_facts space(const std::string& id, const user_id& owner, bool marked = true) {
  auto f = room(id, {owner});
  f.is_space = true;
  if (marked)
    f.space = matrix::space_marker{owner, agent_id{"a"}, language::en, intent_id{"i"}};
  return f;
}

room_facts chat(const std::string& id, const user_id& owner, int number, std::int64_t platform) {
  auto f = room(id, {owner});
  f.name = "Chat " + std::to_string(number);
  f.chat = matrix::chat_marker{
      owner, "C" + std::to_string(number), {platform}, agent_id{"a"}, "active", 0, {}};
  return f;
}

void link(room_facts& s, room_facts& c) {
  s.children[c.room] = {bot, {"s"}, false, true};
  c.parents[s.room] = {bot, {"s"}, true, false};
}

room_row row_of(const room_facts& f) { return *matrix::restore_room(f, bot); }

reconcile_input input(std::vector<room_facts> seen) {
  reconcile_input in;
  in.bot = bot;
  in.server = "s";
  in.seen = std::move(seen);
  return in;
}

bool mentions(const std::vector<reconcile_plan::remark>& list, const std::string& room) {
  return std::any_of(list.begin(), list.end(), [&](const auto& r) { return r.room.value == room; });
}

} // namespace

TEST_CASE(
    "an empty database gets back users, rooms, numbers and the next chat; nothing is created") {
  auto s = space("!s:s", alice);
  auto c1 = chat("!c1:s", alice, 1, 5), c7 = chat("!c7:s", alice, 7, 9);
  link(s, c1);
  link(s, c7);
  const auto plan = make_plan(input({c1, c7, s}));
  CHECK(plan.joined_rooms == 3);
  CHECK(plan.restored_user_meta == 1);
  CHECK(plan.restored_chat_rows == 2);
  CHECK(plan.restored_room_meta == 3);
  CHECK(plan.highest.value == 9);
  REQUIRE(plan.users.size() == 1);
  CHECK(plan.users[0].space.value == "!s:s");
  CHECK(plan.users[0].next_chat == 8);
  CHECK(plan.writes.empty());
  CHECK(plan.conflicts.empty());
}

TEST_CASE("a database that agrees gives an empty plan") {
  auto s = space("!s:s", alice);
  auto c = chat("!c:s", alice, 1, 5);
  link(s, c);
  auto in = input({c, s});
  in.rooms = {row_of(s), row_of(c)};
  in.users = {{alice, room_id{"!s:s"}, agent_id{"a"}, 2, language::en}};
  const auto plan = make_plan(in);
  CHECK(plan.nothing_to_do());
  CHECK(plan.actions.empty());
}

TEST_CASE("what differs is repaired from the marker, unless our record is the newer one") {
  auto s = space("!s:s", alice);
  auto c = chat("!c:s", alice, 1, 5);
  link(s, c);
  auto in = input({c, s});
  in.users = {{alice, room_id{"!s:s"}, agent_id{"a"}, 2, language::en}};
  auto wrong = row_of(c);
  wrong.agent = agent_id{"other"};
  wrong.platform = {77};
  in.rooms = {row_of(s), wrong};
  auto plan = make_plan(in);
  CHECK(plan.repaired_chat_rows == 1);
  REQUIRE(plan.rooms.size() == 1);
  CHECK(plan.rooms[0].row.platform.value == 5);
  CHECK(plan.rooms[0].row.agent.value == "a");
  CHECK_FALSE(plan.rooms[0].mark);
  CHECK(plan.highest.value == 77);

  auto newer = row_of(c);
  newer.epoch = 3;
  newer.platform = {78};
  in.rooms = {row_of(s), newer};
  plan = make_plan(in);
  CHECK(plan.repaired_chat_rows == 0);
  REQUIRE(plan.rooms.size() == 1);
  CHECK(plan.rooms[0].mark);
  CHECK(plan.rooms[0].row.platform.value == 78);
}

TEST_CASE("two rooms with one platform_chat_id: the second is a conflict, listed and untouched") {
  auto s = space("!s:s", alice);
  auto a = chat("!a:s", alice, 1, 5), b = chat("!b:s", alice, 2, 5);
  link(s, a);
  link(s, b);
  const auto plan = make_plan(input({a, b, s}));
  CHECK(mentions(plan.conflicts, "!b:s"));
  CHECK(plan.restored_chat_rows == 1);
}

TEST_CASE("markers of strangers and rooms that are not ours are skipped, with the reason") {
  auto odd = room("!odd:s", {alice});
  odd.odd_marker = true;
  auto guest = room("!guest:s", {alice, bob}, false);
  auto alone = room("!alone:s", {alice});
  auto in = input({alone, guest, odd});
  in.unreadable = {room_id{"!dark:s"}};
  const auto plan = make_plan(in);
  for (const auto* id : {"!odd:s", "!guest:s", "!alone:s", "!dark:s"})
    CHECK(mentions(plan.skipped, id));
  CHECK(plan.nothing_to_do());
  CHECK(plan.joined_rooms == 4);
}

TEST_CASE(
    "rooms from before there were markers are taken over by the rules, the rest is a conflict") {
  auto s = space("!s:s", alice, false);
  auto one = room("!z:s", {alice}), named = room("!b:s", {alice}),
       crowd = room("!c:s", {alice, bob});
  one.name = "Something";
  named.name = "Чат 4";
  for (auto* f : {&one, &named, &crowd})
    link(s, *f);
  auto in = input({named, crowd, s, one});
  in.agents[alice] = agent_id{"home"};
  CHECK(owners_without_marker(in.seen, bot) == std::vector<user_id>{alice});
  const auto plan = make_plan(in);
  CHECK(mentions(plan.conflicts, "!c:s"));
  REQUIRE(plan.rooms.size() == 3); // the Space, then the chats in the order of their ids
  CHECK(plan.rooms[1].row.id.value == "!b:s");
  CHECK(plan.rooms[1].row.chat == "C4");
  CHECK(plan.rooms[2].row.id.value == "!z:s");
  CHECK(plan.rooms[2].row.chat == "C5");
  for (const auto n : {1U, 2U}) {
    CHECK(plan.rooms[n].draw);
    CHECK(plan.rooms[n].mark);
    CHECK(plan.rooms[n].row.agent.value == "home");
  }
  REQUIRE(plan.users.size() == 1);
  CHECK(plan.users[0].lang == language::ru);
  CHECK(plan.users[0].next_chat == 6);
  CHECK(plan.writes.size() == 1); // the marker of the Space; those of the chats follow their ids
}

TEST_CASE("missing links between Space and chat are written, archived chats stay out") {
  auto s = space("!s:s", alice);
  auto in_use = chat("!a:s", alice, 1, 1), put_away = chat("!b:s", alice, 2, 2);
  put_away.chat->state = "archived";
  const auto plan = make_plan(input({in_use, put_away, s}));
  REQUIRE(plan.writes.size() == 2);
  CHECK(plan.writes[0].type == "m.space.child");
  CHECK(plan.writes[0].room.value == "!s:s");
  CHECK(plan.writes[0].key == "!a:s");
  CHECK(plan.writes[1].type == "m.space.parent");
}

TEST_CASE("of two Spaces of one person the known one counts, else the one with more in it") {
  auto a = space("!a:s", alice), b = space("!b:s", alice);
  auto c = chat("!c:s", alice, 1, 1);
  link(b, c);
  auto in = input({a, b, c});
  auto plan = make_plan(in);
  CHECK(mentions(plan.conflicts, "!a:s"));
  CHECK(plan.users.at(0).space.value == "!b:s");
  in.users = {{alice, room_id{"!a:s"}, agent_id{"a"}, 2, language::en}};
  plan = make_plan(in);
  CHECK(mentions(plan.conflicts, "!b:s"));
}

TEST_CASE("a room that we are not in any more is left, one that we are in again comes back") {
  auto s = space("!s:s", alice);
  auto c = chat("!c:s", alice, 1, 1), gone = chat("!gone:s", alice, 2, 2);
  link(s, c);
  auto in = input({c, s});
  in.users = {{alice, room_id{"!s:s"}, agent_id{"a"}, 3, language::en}};
  auto back = row_of(c);
  back.state = room_state::left;
  in.rooms = {row_of(s), back, row_of(gone)};
  const auto plan = make_plan(in);
  REQUIRE(plan.rooms.size() == 2);
  CHECK(plan.rooms[0].row.id.value == "!c:s");
  CHECK(plan.rooms[0].row.state == room_state::active);
  CHECK(plan.rooms[1].row.id.value == "!gone:s");
  CHECK(plan.rooms[1].row.state == room_state::left);
}

TEST_CASE("the entrance of a person whose Space is known is remembered, of a stranger it is not") {
  auto s = space("!s:s", alice);
  auto lobby = room("!l:s", {alice}, false), strange = room("!x:s", {bob}, false);
  const auto plan = make_plan(input({lobby, s, strange}));
  const auto found = std::find_if(plan.rooms.begin(), plan.rooms.end(),
                                  [](const auto& c) { return c.row.kind == room_kind::lobby; });
  REQUIRE(found != plan.rooms.end());
  CHECK(found->row.owner == alice);
  CHECK(mentions(plan.skipped, "!x:s"));
}

TEST_CASE("a room with a tombstone is followed; with its successor in place it is history") {
  auto s = space("!s:s", alice);
  auto old = chat("!old:s", alice, 1, 1), next = chat("!next:s", alice, 1, 1);
  old.upgraded = true;
  old.replacement = room_id{"!next:s"};
  link(s, next);
  const auto lost = make_plan(input({next, old, s})); // nothing is known: the successor counts
  CHECK(lost.restored_chat_rows == 1);
  CHECK(lost.conflicts.empty());
  CHECK(lost.upgraded.empty());
  auto in = input({old, s});
  in.rooms = {row_of(s), row_of(old)};
  in.users = {{alice, room_id{"!s:s"}, agent_id{"a"}, 2, language::en}};
  CHECK(make_plan(in).upgraded == std::vector<room_id>{room_id{"!old:s"}});
}

TEST_CASE("the report is one object with the counts and lists of the contract") {
  auto s = space("!s:s", alice);
  const auto j = nlohmann::json::parse(to_json(make_plan(input({s})), true));
  CHECK(j.at("dry_run") == true);
  for (const auto* key : {"joined_rooms", "restored_user_meta", "restored_room_meta",
                          "restored_chat_rows", "repaired_chat_rows"})
    CHECK(j.at(key).is_number());
  for (const auto* key : {"actions", "skipped_rooms", "conflicts"})
    CHECK(j.at(key).is_array());
}
