// What recovery asks of the store: known events, things set aside, moves, the last interrupted
// message, the facts of the whole database.

#include "support.hpp"

using namespace pb;
using namespace pb::test;

namespace {

const room_id room{"!r:x"};

poison_row bad(const std::string& id, const std::string& reason = "no sender") {
  poison_row p;
  p.room = room;
  p.event = event_id{id};
  p.reason = reason;
  p.raw = "{}";
  p.at = 5'000;
  return p;
}

admitted take(store& s, const admission& a) {
  return need(alone(s, [&] { return s.admit(a); }));
}

std::vector<outbox_row> put(store& s, const settlement& what) {
  return need(alone(s, [&] { return s.settle(what); }));
}

/// A message that was dispatched and ended so.
void asked(store& s, const std::string& turn_name, std::int64_t seq, turn_state state,
           const std::string& where = "!r:x") {
  need(alone(s, [&] { return s.dispatch(turn(turn_name, seq, where)); }));
  settlement what;
  what.turn = turn(turn_name, seq, where);
  what.turn->state = state;
  what.inbox = {
      {seq, state == turn_state::answered ? inbox_outcome::answered : inbox_outcome::told}};
  put(s, what);
}

bool knows(store& s, const std::string& id) {
  return need(s.known(room, {event_id{id}})).known.at(0);
}

} // namespace

TEST_CASE("What was set aside is kept with its reason and stops nothing", "[store][recovery]") {
  auto s = memory();
  admission a = batch("s1", {event("$good")});
  a.poison = {bad("$bad"), bad("", "no id"), bad("", "no id")};
  a.poison[0].raw = std::string(4'095, 'x') + "\xd0\x96" + "tail"; // cut between two characters
  CHECK(take(*s, a).fresh.size() == 1);
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
  const auto rows = need(s->poison(0, 10));
  REQUIRE(rows.size() == 3);
  CHECK(rows[2].event.value == "$bad"); // newest first
  CHECK(rows[2].room == room);
  CHECK(rows[2].reason == "no sender");
  CHECK(rows[2].raw == std::string(4'095, 'x'));
  CHECK(rows[2].at == 5'000);
  CHECK(need(s->poison(rows[1].seq, 10)).size() == 1);
  CHECK(need(s->poison(0, 1)).at(0).seq == rows[0].seq);
  CHECK(need(s->counts()).poison == 3);

  a.cursor = "s2"; // the same response once more: a poisoned event is not set aside twice
  a.poison = {bad("$bad"), bad("$good")};
  take(*s, a);
  CHECK(need(s->counts()).poison == 3);
  CHECK(knows(*s, "$bad"));
}

TEST_CASE("The newest 1,000 things set aside stay and the others are counted",
          "[store][recovery]") {
  auto s = memory();
  for (int block = 0; block < 3; ++block) {
    admission a = batch("s" + std::to_string(block), {});
    for (int i = 0; i < 500; ++i)
      a.poison.push_back(bad("$" + std::to_string(block * 500 + i)));
    take(*s, a);
  }
  const auto counts = need(s->counts());
  CHECK(counts.poison == 1'000);
  CHECK(counts.poison_dropped == 500);
  const auto rows = need(s->poison(0, 2'000));
  CHECK(rows.front().event.value == "$1499");
  CHECK(rows.back().event.value == "$500");
  CHECK(knows(*s, "$0")); // its row is gone, it is not
}

TEST_CASE("What a batch says to a room comes back with seq and scope, also without fresh events",
          "[store][recovery]") {
  auto s = memory();
  s->set_scope(device_id{"SCOPE"});
  take(*s, batch("s1", {event("$1")}));
  admission a = batch("s2", {event("$1")});
  a.outbox = {message("o1"), message("o2")};
  a.outbox[0].device = device_id{};
  a.outbox[0].about = outbox_id{"dead"};
  const auto out = take(*s, a);
  CHECK(out.fresh.empty());
  REQUIRE(out.outbox.size() == 2);
  CHECK(out.outbox[0].device.value == "SCOPE");
  CHECK(out.outbox[1].device.value == "DEV");
  CHECK(out.outbox[0].seq > 0);
  CHECK(out.outbox[1].seq == out.outbox[0].seq + 1);
  const auto waiting = need(s->outbox(0, 10));
  REQUIRE(waiting.size() == 2);
  CHECK(waiting[0].about.value == "dead");
  CHECK(waiting[0].device.value == "SCOPE");

  a = batch("s3", {event("$2")}); // a row that cannot be takes the whole batch back, and only it
  a.outbox = {message("o2")};
  CHECK(refused(alone(*s, [&] { return s->admit(a); })).code == fault_code::conflict);
  CHECK_FALSE(knows(*s, "$2"));
  CHECK(need(s->cursor()) == std::optional<std::string>{"s2"});
}

TEST_CASE("An event is known once it was admitted, and a room has a baseline from its first one",
          "[store][recovery]") {
  auto s = memory();
  CHECK_FALSE(need(s->known(room, {})).baseline);
  take(*s, batch("s1", {event("$1"), event("$2", "!other:x")}));
  const auto answer = need(s->known(room, {event_id{"$0"}, event_id{"$1"}, event_id{""}}));
  CHECK(answer.known == std::vector<bool>{false, true, false});
  CHECK(answer.baseline);
  CHECK_FALSE(need(s->known(room_id{"!new:x"}, {event_id{"$1"}})).baseline);
}

TEST_CASE("A room that replaces another takes its number and what waits in it",
          "[store][recovery]") {
  auto s = memory();
  add_room(*s, chat("!old:x", 7));
  take(*s, batch("s1", {event("$done", "!old:x"), event("$asked", "!old:x"),
                        event("$waits1", "!old:x"), event("$waits2", "!old:x")}));
  asked(*s, "t1", 1, turn_state::answered, "!old:x");
  need(alone(*s, [&] { return s->dispatch(turn("t2", 2, "!old:x")); }));

  settlement what;
  what.room = chat("!new:x", 7);
  what.moved_from = room_id{"!old:x"};
  what.outbox = {marker("m1", "!new:x")};
  put(*s, what);

  const auto old = need(s->room(room_id{"!old:x"})).value();
  CHECK(old.state == room_state::left);
  CHECK(old.platform.value == 0);
  CHECK(need(s->room(room_id{"!new:x"})).value().platform.value == 7);
  const auto moved = need(s->open_room(room_id{"!new:x"}, 10));
  REQUIRE(moved.pending.size() == 2);
  CHECK(moved.pending[0].event.id.value == "$waits1");
  CHECK(moved.pending[0].event.room.value == "!new:x");
  CHECK(moved.pending[1].event.id.value == "$waits2");
  CHECK(moved.open_turns.empty());
  CHECK(moved.marker_waits);
  const auto stays = need(s->open_room(room_id{"!old:x"}, 10));
  REQUIRE(stays.pending.size() == 1);
  CHECK(stays.pending[0].event.id.value == "$asked");
  CHECK(stays.open_turns.size() == 1);
  // What came along is no event of the new room's timeline: a gap cannot be walked back to it.
  CHECK_FALSE(need(s->known(room_id{"!new:x"}, {})).baseline);

  put(*s, what = settlement{}); // nothing
  what.room = chat("!new:x", 7);
  what.moved_from = room_id{"!old:x"};
  put(*s, what); // once more changes nothing
  CHECK(need(s->open_room(room_id{"!new:x"}, 10)).pending.size() == 2);

  what.moved_from = room_id{"!new:x"};
  CHECK(refused(alone(*s, [&] { return s->settle(what); })).code == fault_code::bug);
  what.room.reset();
  CHECK(refused(alone(*s, [&] { return s->settle(what); })).code == fault_code::bug);
}

TEST_CASE("A move that cannot be made moves nothing", "[store][recovery]") {
  auto s = memory();
  add_room(*s, chat("!old:x", 7));
  add_room(*s, chat("!third:x", 8));
  take(*s, batch("s1", {event("$1", "!old:x")}));
  settlement what;
  what.room = chat("!new:x", 8); // somebody else's number
  what.moved_from = room_id{"!old:x"};
  need(s->begin());
  CHECK(refused(s->settle(what)).code == fault_code::conflict);
  need(s->commit());
  CHECK(need(s->room(room_id{"!old:x"})).value().platform.value == 7);
  CHECK(need(s->room(room_id{"!old:x"})).value().state == room_state::active);
  CHECK(need(s->open_room(room_id{"!old:x"}, 10)).pending.size() == 1);
}

TEST_CASE("The interrupted message is that of the room's newest turn and no other",
          "[store][recovery]") {
  auto s = memory();
  add_room(*s, chat("!r:x", 7));
  add_room(*s, chat("!other:x", 8));
  take(*s, batch("s1", {event("$1"), event("$2"), event("$3"), event("$4", "!other:x")}));
  CHECK_FALSE(need(s->interrupted(room)));
  const auto ended = GENERATE(turn_state::interrupted, turn_state::failed);
  asked(*s, "t1", 1, ended);
  REQUIRE(need(s->interrupted(room)));
  CHECK(need(s->interrupted(room))->event.id.value == "$1");
  CHECK(need(s->interrupted(room))->seq == 1);
  CHECK_FALSE(need(s->interrupted(room_id{"!other:x"})));
  need(alone(*s, [&] { return s->dispatch(turn("t2", 2)); }));
  CHECK_FALSE(need(s->interrupted(room))); // a newer one is on its way
  settlement end;
  end.turn = turn("t2", 2);
  end.turn->state = turn_state::interrupted;
  put(*s, end);
  CHECK_FALSE(need(s->interrupted(room))); // its person was not told yet
  end.inbox = {{2, inbox_outcome::told}};
  put(*s, end);
  CHECK(need(s->interrupted(room))->event.id.value == "$2");
  asked(*s, "t3", 3, turn_state::answered);
  CHECK_FALSE(need(s->interrupted(room)));
}

TEST_CASE("The retry of a message that is answered at last is what counts", "[store][recovery]") {
  auto s = memory();
  add_room(*s, chat("!r:x", 7));
  take(*s, batch("s1", {event("$1")}));
  asked(*s, "t1", 1, turn_state::interrupted);
  settlement what;
  what.turn = turn("t2", 1); // of the same message, later
  what.turn->state = turn_state::answered;
  what.turn->at = 9'000;
  put(*s, what);
  CHECK_FALSE(need(s->interrupted(room)));
}

TEST_CASE("The whole database's facts: users, topology, the highest number, saved contexts",
          "[store][recovery]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  CHECK_FALSE(need(s->topology_known()));
  CHECK(need(s->last_platform_chat_id()).value == 0);
  settlement what;
  what.topology_known = true;
  user_row user;
  user.id = user_id{"@b:x"};
  user.next_chat = 4;
  what.user = user;
  what.saved = {{user_id{"@b:x"}, agent_id{"writer"}, room, "plan", "notes/plan.md", 1'000},
                {user_id{"@b:x"}, agent_id{"writer"}, room, "idea", "notes/idea.md", 1'000}};
  put(*s, what);
  what = settlement{};
  what.saved = {{user_id{"@b:x"}, agent_id{"writer"}, room_id{"!z:x"}, "plan", "new.md", 2'000}};
  put(*s, what);
  need(alone(*s, [&] { return s->raise_platform_chat_id({41}); }));
  need(alone(*s, [&] { return s->raise_platform_chat_id({7}); })); // never back
  CHECK(refused(alone(*s, [&] {
          return s->raise_platform_chat_id({std::int64_t{1} << 53});
        })).code == fault_code::conflict);
  s = open_at(dir.file());
  CHECK(need(s->topology_known()));
  CHECK(need(s->users()).at(0).next_chat == 4);
  CHECK(need(s->last_platform_chat_id()).value == 41);
  CHECK(need(alone(*s, [&] { return s->draw_platform_chat_id(); })).value == 42);
  const auto saved = need(s->saved_contexts());
  REQUIRE(saved.size() == 2);
  CHECK(saved[0].name == "idea");
  CHECK(saved[1].path == "new.md");
  CHECK(saved[1].room.value == "!z:x");
  CHECK(saved[1].at == 2'000);
}

TEST_CASE("A refresh token is kept beside its access token", "[store][recovery]") {
  auto s = memory();
  need(alone(*s, [&] {
    return s->save_account({user_id{"@b:x"}, device_id{"D"}, "access1", "refresh1"});
  }));
  need(alone(*s, [&] {
    return s->save_account({user_id{"@b:x"}, device_id{"D"}, "access2", "refresh2"});
  }));
  const auto account = need(s->account()).value();
  CHECK(account.access_token == "access2");
  CHECK(account.refresh_token == "refresh2");
}

TEST_CASE("Dead rows can be read page by page, and dropped ones are no longer waiting",
          "[store][recovery]") {
  auto s = memory();
  settlement what;
  what.outbox = {message("o1"), message("o2"), message("o3"), message("o4")};
  put(*s, what);
  need(alone(*s, [&] {
    return s->record({{outbox_id{"o1"}, outbox_state::dead, {}, "M_FORBIDDEN"},
                      {outbox_id{"o2"}, outbox_state::dropped, {}, ""},
                      {outbox_id{"o3"}, outbox_state::dead, {}, "M_TOO_LARGE"}});
  }));
  CHECK(need(s->counts()).outbox_waiting == 1);
  CHECK(need(s->counts()).outbox_dead == 2);
  CHECK(need(s->outbox(0, 10)).at(0).id.value == "o4");
  const auto dead = need(s->dead(0, 10));
  REQUIRE(dead.size() == 2);
  CHECK(dead[0].id.value == "o3");
  CHECK(need(s->dead(dead[0].seq, 10)).at(0).id.value == "o1");
}
