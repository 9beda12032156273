#include "support.hpp"

using namespace pb;
using namespace pb::test;

namespace {

struct one_event {
  std::unique_ptr<store> s = memory();
  std::int64_t seq = 0;

  one_event() {
    add_room(*s, chat("!r:x", 7));
    seq = need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); })).fresh.at(0).seq;
  }
  std::vector<turn_row> open() { return need(s->open_room(room_id{"!r:x"}, 10)).open_turns; }
  void dispatch(const turn_row& t) {
    need(alone(*s, [&] { return s->dispatch(t); }));
  }
};

settlement answer(std::int64_t seq, const turn_row& t, const outbox_row& m) {
  settlement what;
  what.inbox = {{seq, inbox_outcome::answered}};
  what.turn = t;
  what.turn->state = turn_state::answered;
  what.outbox = {m};
  return what;
}

} // namespace

TEST_CASE("A dispatched turn is open and names what it asked", "[store]") {
  one_event f;
  auto t = turn("t1", f.seq);
  t.state = turn_state::failed; // whatever the row says: it is dispatched now
  f.dispatch(t);
  const auto open = f.open();
  REQUIRE(open.size() == 1);
  CHECK(open[0].id == t.id);
  CHECK(open[0].room == t.room);
  CHECK(open[0].agent == t.agent);
  CHECK(open[0].chat == t.chat);
  CHECK(open[0].inbox_seq == f.seq);
  CHECK(open[0].state == turn_state::dispatched);
  CHECK(open[0].attempts == 1);
  CHECK(open[0].at == 1'000);
}

TEST_CASE("A second dispatch of a turn counts one more attempt", "[store]") {
  one_event f;
  auto t = turn("t1", f.seq);
  f.dispatch(t);
  t.at = 5'000;
  f.dispatch(t);
  const auto open = f.open();
  REQUIRE(open.size() == 1);
  CHECK(open[0].attempts == 2);
  CHECK(open[0].at == 5'000);
}

TEST_CASE("A turn that has ended cannot be dispatched again", "[store][I2]") {
  one_event f;
  const auto t = turn("t1", f.seq);
  f.dispatch(t);
  need(alone(*f.s, [&] { return f.s->settle(answer(f.seq, t, message("m1"))); }));
  need(f.s->begin());
  CHECK(refused(f.s->dispatch(t)).code == fault_code::conflict);
  need(f.s->commit());
  CHECK(f.open().empty());
}

TEST_CASE("A turn of a room that is not on disk is refused", "[store]") {
  one_event f;
  need(f.s->begin());
  CHECK(refused(f.s->dispatch(turn("t1", f.seq, "!unknown:x"))).code == fault_code::bug);
  need(f.s->dispatch(turn("t2", f.seq)));
  need(f.s->commit());
  CHECK(f.open().size() == 1);
}

TEST_CASE("An answer settles event, turn and outbox at once", "[store][4c.6]") {
  one_event f;
  const auto t = turn("t1", f.seq);
  f.dispatch(t);
  const auto out = need(alone(*f.s, [&] { return f.s->settle(answer(f.seq, t, message("m1"))); }));
  REQUIRE(out.size() == 1);
  CHECK(out[0].seq > 0);
  CHECK(out[0].id.value == "m1");
  const auto room = need(f.s->open_room(room_id{"!r:x"}, 10));
  CHECK(room.pending.empty());
  CHECK(room.open_turns.empty());
  CHECK(need(f.s->outbox(0, 10)).size() == 1);
  CHECK(need(f.s->rooms_with_work()).empty());
}

TEST_CASE("A settlement that is refused changes nothing, and its group goes on", "[store]") {
  one_event f;
  const auto t = turn("t1", f.seq);
  f.dispatch(t);
  settlement earlier;
  earlier.outbox = {message("m1")};
  need(alone(*f.s, [&] { return f.s->settle(earlier); }));

  auto what = answer(f.seq, t, message("m1")); // the id was used
  const bool several = GENERATE(false, true);
  if (several) { // refused at its third row
    what.outbox = {message("m2"), message("m3"), message("m1")};
    what.room = chat("!r:x", 9);
  }
  need(f.s->begin());
  need(f.s->admit(batch("s2", {event("$before", "!q:x")})));
  CHECK(refused(f.s->settle(what)).code == fault_code::conflict);
  need(f.s->admit(batch("s3", {event("$after", "!q:x")})));
  need(f.s->commit());

  const auto room = need(f.s->open_room(room_id{"!r:x"}, 10));
  CHECK(room.pending.size() == 1);
  CHECK(room.open_turns.size() == 1);
  CHECK(room.room->platform.value == 7);
  CHECK(need(f.s->outbox(0, 10)).size() == 1);
  CHECK(need(f.s->pending(room_id{"!q:x"}, 0, 10)).size() == 2);
}

TEST_CASE("The first outcome of an event stays", "[store][I2]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  const auto seq =
      need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); })).fresh.at(0).seq;
  for (auto outcome : {inbox_outcome::cancelled, inbox_outcome::answered}) {
    settlement what;
    what.inbox = {{seq, outcome}};
    need(alone(*s, [&] { return s->settle(what); }));
  }
  CHECK(need(raw(dir.file()).ask("SELECT outcome FROM inbox")) == "3");
}

TEST_CASE("The first end of a turn stays", "[store]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  add_room(*s, chat("!r:x", 7));
  auto t = turn("t1", 1);
  need(alone(*s, [&] { return s->dispatch(t); }));
  for (auto state : {turn_state::cancelled, turn_state::answered}) {
    settlement what;
    what.turn = t;
    what.turn->state = state;
    need(alone(*s, [&] { return s->settle(what); }));
  }
  CHECK(need(raw(dir.file()).ask("SELECT state FROM turn")) == "4");
}

TEST_CASE("A turn that ended before it was dispatched is kept as ended", "[store]") {
  one_event f;
  auto what = answer(f.seq, turn("t1", f.seq), message("m1"));
  what.turn->state = turn_state::failed;
  need(alone(*f.s, [&] { return f.s->settle(what); }));
  CHECK(f.open().empty());
  CHECK(refused(alone(*f.s, [&] { return f.s->dispatch(turn("t1", f.seq)); })).code ==
        fault_code::conflict);
}

TEST_CASE("A room is born with its unfinished work, up to a limit", "[store][I8]") {
  auto s = memory();
  auto snapshot = need(s->open_room(room_id{"!r:x"}, 2));
  CHECK_FALSE(snapshot.room.has_value());
  CHECK(snapshot.pending.empty());
  CHECK_FALSE(snapshot.more);

  add_room(*s, chat("!r:x", 7));
  need(alone(*s, [&] {
    return s->admit(batch("s1", {event("$a"), event("$b"), event("$c"), event("$d", "!q:x")}));
  }));
  snapshot = need(s->open_room(room_id{"!r:x"}, 3));
  CHECK(snapshot.room.has_value());
  CHECK(snapshot.pending.size() == 3);
  CHECK_FALSE(snapshot.more);
  snapshot = need(s->open_room(room_id{"!r:x"}, 2));
  CHECK(snapshot.pending.size() == 2);
  CHECK(snapshot.more);
  snapshot = need(s->open_room(room_id{"!r:x"}, 0));
  CHECK(snapshot.pending.empty());
  CHECK(snapshot.more);
}

TEST_CASE("Rooms with pending events or open turns have work, each once", "[store][4c.3]") {
  auto s = memory();
  CHECK(need(s->rooms_with_work()).empty());
  for (int i = 1; i <= 3; ++i)
    add_room(*s, chat("!r" + std::to_string(i) + ":x", i));
  need(alone(*s, [&] {
    return s->admit(batch("s1", {event("$a", "!r1:x"), event("$b", "!r1:x"), event("$c", "!u:x")}));
  }));
  need(alone(*s, [&] { return s->dispatch(turn("t1", 1, "!r1:x")); }));
  need(alone(*s, [&] { return s->dispatch(turn("t2", 9, "!r2:x")); }));
  const auto work = need(s->rooms_with_work());
  CHECK(work == std::vector<room_id>{room_id{"!r1:x"}, room_id{"!r2:x"}, room_id{"!u:x"}});
}

TEST_CASE("The counts tell what is unfinished", "[store]") {
  one_event f;
  f.dispatch(turn("t1", f.seq));
  settlement what;
  what.outbox = {message("m1"), message("m2"), message("m3")};
  need(alone(*f.s, [&] { return f.s->settle(what); }));
  need(alone(*f.s, [&] {
    return f.s->record({{outbox_id{"m1"}, outbox_state::sent, event_id{"$s"}, ""},
                        {outbox_id{"m2"}, outbox_state::dead, {}, "M_FORBIDDEN"}});
  }));
  const auto c = need(f.s->counts());
  CHECK(c.inbox_pending == 1);
  CHECK(c.turns_open == 1);
  CHECK(c.outbox_waiting == 1);
  CHECK(c.outbox_dead == 1);
  CHECK(c.rooms == 1);
}
