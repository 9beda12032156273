#include "bridges/matrix/answer.hpp"
#include "bridges/matrix/compose.hpp"
#include "bridges/matrix/facts.hpp"
#include "tests/matrix/client/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::matrix;
using namespace pb::matrix::test;

namespace {

const user_id bot("@bot:hs"), alice("@alice:hs");
const room_id here("!here:hs");
const chat_marker chat{alice, "C7", {41}, agent_id("agent-1"), "active", 2, intent_id("i7")};
const space_marker space{alice, agent_id("agent-2"), language::ru, intent_id("s1")};

matrix_event state(std::string type, std::string key, std::string content, user_id sender = bot) {
  return {event_id("$e"), here, std::move(sender), std::move(type),
          std::move(key), 0,    std::move(content)};
}

std::vector<matrix_event> chat_room() {
  return {state("m.room.create", "", R"({"room_version":"10"})"),
          state("m.room.member", bot.value, R"({"membership":"join"})"),
          state("m.room.member", alice.value, R"({"membership":"invite"})"),
          state("m.room.name", "", R"({"name":"Chat 7"})"),
          state("m.space.parent", "!space:hs", R"({"via":["hs"],"canonical":true})"),
          state("io.patchbay.chat", "", compose_chat_marker(chat))};
}

std::vector<matrix_event> space_room() {
  return {state("m.room.create", "", R"({"type":"m.space"})"),
          state("m.room.member", bot.value, R"({"membership":"join"})"),
          state("m.space.child", "!a:hs", R"({"via":["hs"],"suggested":true})"),
          state("io.patchbay.space", "", compose_space_marker(space))};
}

room_facts of(const std::vector<matrix_event>& events) { return gather_facts(here, bot, events); }

} // namespace

TEST_CASE("facts: a chat's row is rebuilt from its room alone", "[facts]") {
  const auto row = restore_room(of(chat_room()), bot);
  REQUIRE(row);
  CHECK(row->id == here);
  CHECK(row->kind == room_kind::chat);
  CHECK(row->owner == alice);
  CHECK(row->chat == "C7");
  CHECK(row->platform.value == 41);
  CHECK(row->agent.value == "agent-1");
  CHECK(row->epoch == 2);
  CHECK(row->state == room_state::active);
  CHECK(row->intent.value == "i7");
  CHECK(row->space.value == "!space:hs");
  CHECK(row->title == "Chat 7");
  CHECK_FALSE(row->encrypted);
}

TEST_CASE("facts: a marker that the bot did not write last does not count", "[facts]") {
  auto events = chat_room();
  events.back().sender = alice;
  CHECK_FALSE(restore_room(of(events), bot));
  CHECK(of(events).odd_marker);
  events = chat_room();
  events.push_back(state("io.patchbay.chat", "", compose_chat_marker(chat), alice));
  CHECK_FALSE(of(events).chat);
  events = chat_room();
  events.push_back(state("io.patchbay.chat", "other", "{}"));
  CHECK(of(events).chat);
  events = chat_room();
  events.back().content = R"({"owner":7})";
  CHECK_FALSE(restore_room(of(events), bot));
}

TEST_CASE("facts: markers that contradict the room or each other restore nothing", "[facts]") {
  auto both = chat_room();
  both.push_back(state("io.patchbay.space", "", compose_space_marker(space)));
  CHECK_FALSE(restore_room(of(both), bot));
  auto chat_in_space = space_room();
  chat_in_space.back() = state("io.patchbay.chat", "", compose_chat_marker(chat));
  CHECK_FALSE(restore_room(of(chat_in_space), bot));
  auto space_in_chat = chat_room();
  space_in_chat.back() = state("io.patchbay.space", "", compose_space_marker(space));
  CHECK_FALSE(restore_room(of(space_in_chat), bot));
  CHECK_FALSE(restore_room(of({}), bot));
}

TEST_CASE("facts: later events replace earlier ones, encryption stays", "[facts]") {
  auto events = chat_room();
  events.push_back(state("m.room.encryption", "", R"({"algorithm":"x"})"));
  events.push_back(state("m.room.encryption", "", "{}"));
  events.push_back(state("m.room.name", "", R"({"name":7})"));
  events.push_back(state("m.space.parent", "!space:hs", "{}"));
  events.push_back(state("m.room.tombstone", "", R"({"replacement_room":"!next"})", alice));
  chat_marker archived = chat;
  archived.state = "archived";
  events.push_back(state("io.patchbay.chat", "", compose_chat_marker(archived)));
  const room_facts f = of(events);
  CHECK(f.encrypted);
  CHECK(f.name.empty());
  CHECK(f.upgraded);
  CHECK(f.upgraded_by == alice);
  CHECK(f.replacement->value == "!next");
  const auto row = restore_room(f, bot);
  REQUIRE(row);
  CHECK(row->state == room_state::archived);
  CHECK(row->space.empty());
  CHECK(row->encrypted);
  events.push_back(state("m.room.member", bot.value, R"({"membership":"ban"})", alice));
  CHECK(restore_room(of(events), bot)->state == room_state::left);
}

TEST_CASE("facts: of several parents the creator's canonical one with the lowest id counts",
          "[facts]") {
  const std::string canonical = R"({"via":["hs"],"canonical":true})";
  auto events = chat_room();
  events.push_back(state("m.space.parent", "!a:hs", canonical, alice));
  events.push_back(state("m.space.parent", "!b:hs", R"({"via":["hs"]})"));
  CHECK(canonical_parent(of(events))->value == "!space:hs");
  events.push_back(state("m.space.parent", "!c:hs", canonical));
  CHECK(canonical_parent(of(events))->value == "!c:hs");
  events.push_back(state("m.space.parent", "not a room", canonical));
  CHECK(of(events).parents.size() == 4);
}

TEST_CASE("facts: the only other member is one person or nobody", "[facts]") {
  auto events = chat_room();
  CHECK(sole_other_member(of(events), bot) == alice);
  events.push_back(state("m.room.member", "@carol:hs", R"({"membership":"leave"})"));
  CHECK(sole_other_member(of(events), bot) == alice);
  events.push_back(state("m.room.member", "@carol:hs", R"({"membership":"join"})"));
  CHECK_FALSE(sole_other_member(of(events), bot));
  CHECK(of(events).is(user_id("@carol:hs"), "join"));
}

TEST_CASE("facts: messages and state of wrong types change nothing", "[facts]") {
  auto events = chat_room();
  matrix_event message = state("io.patchbay.chat", "", "{}", alice);
  message.state_key.reset();
  events.push_back(message);
  for (const char* type : {"m.room.member", "m.space.child", "m.space.parent"})
    events.push_back(state(type, "", R"([7])"));
  for (const char* content : {"7", "[]", "{\"via\":7}", "{\"via\":[7]}"})
    events.push_back(state("m.space.child", "!x:hs", content));
  const room_facts f = of(events);
  CHECK(f.chat == chat);
  CHECK(f.members.size() == 2);
  CHECK(f.children.empty());
}

TEST_CASE("facts: a recorded room of ours is restored", "[facts]") {
  const user_id me("@bot_2:localhost");
  const room_id room("!pfBpyswSeAtaroHnVA:localhost");
  const auto list = read::state(committed("room_state").response, room, 0);
  REQUIRE(list);
  const room_facts f = gather_facts(room, me, list->events);
  CHECK(f.bot_created);
  CHECK(f.version == "9");
  CHECK(sole_other_member(f, me)->value == "@alice_2:localhost");
  const auto row = restore_room(f, me);
  REQUIRE(row);
  CHECK(row->chat == "C1");
  CHECK(row->space.value == "!zpobsAMhYdCbaWQjWB:localhost");
  CHECK(row->title == "Чат 1");
}
