#include "support.hpp"

#include <set>

using namespace pb;
using namespace pb::test;

namespace {

std::int64_t draw(store& s) {
  return need(alone(s, [&] { return s.draw_platform_chat_id(); })).value;
}

} // namespace

TEST_CASE("Each platform_chat_id is drawn once, restarts included", "[store]") {
  const temp_dir dir;
  std::set<std::int64_t> seen;
  for (int start = 0; start < 3; ++start) {
    auto s = open_at(dir.file());
    for (int i = 0; i < 5; ++i)
      CHECK(seen.insert(draw(*s)).second);
  }
  CHECK(*seen.begin() == 1);
  CHECK(*seen.rbegin() == 15);
}

TEST_CASE("A draw that was rolled back is not drawn again in the same life", "[store]") {
  auto s = memory();
  need(s->begin());
  CHECK(need(s->draw_platform_chat_id()).value == 1);
  CHECK(need(s->draw_platform_chat_id()).value == 2);
  s->rollback();
  CHECK(draw(*s) == 3);
}

TEST_CASE("Drawn numbers lie above all that are found in rooms", "[store]") {
  auto s = memory();
  admission a;
  a.restored = {chat("!a:x", 40), chat("!b:x", 12)};
  need(alone(*s, [&] { return s->admit(a); }));
  CHECK(draw(*s) == 41);
  add_room(*s, chat("!c:x", 50));
  CHECK(draw(*s) == 51);
  add_room(*s, chat("!d:x", 20));
  CHECK(draw(*s) == 52);
}

TEST_CASE("The sequence ends with a fault where JSON's integers end", "[store]") {
  auto s = memory();
  add_room(*s, chat("!a:x", (std::int64_t{1} << 53) - 1));
  need(s->begin());
  CHECK_FALSE(s->draw_platform_chat_id().has_value());
  need(s->save_account({user_id{"@bot:x"}, device_id{"D"}, ""}));
  need(s->commit());
  CHECK(need(s->account()).has_value());
}

TEST_CASE("The account is one row that the last writer decides", "[store]") {
  auto s = memory();
  CHECK_FALSE(need(s->account()).has_value());
  need(alone(*s, [&] { return s->save_account({user_id{"@bot:x"}, device_id{"D1"}, "secret"}); }));
  need(alone(*s, [&] { return s->save_account({user_id{"@bot:x"}, device_id{"D2"}, ""}); }));
  const auto account = need(s->account()).value();
  CHECK(account.user.value == "@bot:x");
  CHECK(account.device.value == "D2");
  CHECK(account.access_token.empty());
}

TEST_CASE("A person's next chat number never goes down", "[store]") {
  auto s = memory();
  CHECK_FALSE(need(s->user(user_id{"@alice:x"})).has_value());
  user_row u{user_id{"@alice:x"}, room_id{"!space:x"}, agent_id{"writer"}, 4, language::ru};
  settlement what;
  what.user = u;
  need(alone(*s, [&] { return s->settle(what); }));
  what.user->next_chat = 2;
  what.user->agent = agent_id{"painter"};
  what.user->lang = language::en;
  need(alone(*s, [&] { return s->settle(what); }));
  const auto back = need(s->user(u.id)).value();
  CHECK(back.space == u.space);
  CHECK(back.agent.value == "painter");
  CHECK(back.next_chat == 4);
  CHECK(back.lang == language::en);
}

TEST_CASE("A creation of rooms goes step by step and then away", "[store]") {
  auto s = memory();
  intent_row i;
  i.id = intent_id{"i1"};
  i.kind = intent_row::kind_t::onboard;
  i.step = intent_row::step_t::space_wanted;
  i.owner = user_id{"@alice:x"};
  i.origin = room_id{"!lobby:x"};
  i.origin_event = event_id{"$e"};
  i.title = "Trip";
  i.tr.ref = "trace";
  settlement what;
  what.intent = i;
  need(alone(*s, [&] { return s->settle(what); }));
  i.step = intent_row::step_t::link_wanted;
  i.chat = "C1";
  i.platform.value = 12;
  i.agent = agent_id{"writer"};
  i.space = room_id{"!space:x"};
  i.room = room_id{"!chat:x"};
  what.intent = i;
  need(alone(*s, [&] { return s->settle(what); }));

  const auto rows = need(s->intents());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].id == i.id);
  CHECK(rows[0].kind == i.kind);
  CHECK(rows[0].step == i.step);
  CHECK(rows[0].owner == i.owner);
  CHECK(rows[0].origin == i.origin);
  CHECK(rows[0].origin_event == i.origin_event);
  CHECK(rows[0].title == i.title);
  CHECK(rows[0].chat == i.chat);
  CHECK(rows[0].platform == i.platform);
  CHECK(rows[0].agent == i.agent);
  CHECK(rows[0].space == i.space);
  CHECK(rows[0].room == i.room);
  CHECK(rows[0].tr.ref == i.tr.ref);

  settlement done;
  done.intent_done = i.id;
  need(alone(*s, [&] { return s->settle(done); }));
  CHECK(need(s->intents()).empty());
}

TEST_CASE("Onboarding is one settlement: rooms, person, marker and the invitation's end",
          "[store]") {
  auto s = memory();
  admission a = batch("s1", {event("$a")});
  a.invites = {{room_id{"!l:x"}, user_id{"@alice:x"}, true, {"t"}}};
  const auto seq = need(alone(*s, [&] { return s->admit(a); })).fresh.at(0).seq;
  settlement what;
  what.inbox = {{seq, inbox_outcome::told}};
  what.room = chat("!c:x", 1);
  what.turn = turn("t1", seq, "!c:x"); // of a room that is made by this very settlement
  what.user = user_row{user_id{"@alice:x"}, room_id{"!space:x"}, agent_id{}, 2};
  what.outbox = {marker("m1", "!c:x"), message("m2", "!l:x")};
  what.invite_done = room_id{"!l:x"};
  CHECK(need(alone(*s, [&] { return s->settle(what); })).size() == 2);
  CHECK(need(s->invites()).empty());
  CHECK(need(s->open_room(room_id{"!c:x"}, 1)).marker_waits);
  CHECK(need(s->counts()).inbox_pending == 0);
}
