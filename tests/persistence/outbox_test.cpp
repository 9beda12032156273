#include "support.hpp"

using namespace pb;
using namespace pb::test;

namespace {

std::vector<outbox_row> say(store& s, std::vector<outbox_row> rows) {
  settlement what;
  what.outbox = std::move(rows);
  return need(alone(s, [&] { return s.settle(what); }));
}

result<void> record(store& s, std::vector<send_outcome> outcomes) {
  return alone(s, [&] { return s.record(outcomes); });
}

} // namespace

TEST_CASE("An outbox row comes back with the very bytes that were decided", "[store][I3]") {
  auto s = memory();
  using namespace std::string_literals;
  auto m = message("m1");
  m.body = "{\"body\":\"\xf0\x9f\x98\x80 \0\xff\"}"s;
  m.priority = send_class::progress;
  const auto seq = say(*s, {m, marker("m2")}).at(0).seq;
  const auto rows = need(s->outbox(0, 10));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].seq == seq);
  CHECK(rows[0].id == m.id);
  CHECK(rows[0].room == m.room);
  CHECK(rows[0].kind == outbox_kind::message);
  CHECK(rows[0].priority == send_class::progress);
  CHECK(rows[0].type == "m.room.message");
  CHECK(rows[0].state_key.empty());
  CHECK(rows[0].txn == "pb-m1");
  CHECK(rows[0].device == m.device);
  CHECK(rows[0].body == m.body);
  CHECK(rows[0].turn == m.turn);
  CHECK(rows[0].made_at == 2'000);
  CHECK(rows[0].notify);
  CHECK(rows[0].tr.ref == "trace");
  CHECK(rows[1].kind == outbox_kind::state);
  CHECK(rows[1].txn.empty());
}

TEST_CASE("Outbox rows are numbered in the order of their decision", "[store][I5]") {
  auto s = memory();
  const auto first = say(*s, {message("z"), message("a")});
  const auto second = say(*s, {message("m", "!unknown:x")});
  CHECK(first[0].seq < first[1].seq);
  CHECK(first[1].seq < second[0].seq);
  const auto page = need(s->outbox(first[0].seq, 1));
  REQUIRE(page.size() == 1);
  CHECK(page[0].id.value == "a");
}

TEST_CASE("An id is used once, also after it was sent", "[store][I3]") {
  auto s = memory();
  say(*s, {message("m1")});
  need(record(*s, {{outbox_id{"m1"}, outbox_state::sent, event_id{"$e"}, ""}}));
  auto again = message("m1");
  again.body = "{}";
  settlement what;
  what.outbox = {again};
  CHECK(refused(alone(*s, [&] { return s->settle(what); })).code == fault_code::conflict);
}

TEST_CASE("A transaction id that is not made of the row's id is refused", "[store][I3]") {
  auto s = memory();
  for (const char* txn : {"", "pb-other", "m1"}) {
    auto m = message("m1");
    m.txn = txn;
    settlement what;
    what.outbox = {m};
    CHECK(refused(alone(*s, [&] { return s->settle(what); })).code == fault_code::bug);
  }
}

TEST_CASE("A sent row waits no more, and neither does a dead one", "[store][4c.9]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  say(*s, {message("m1"), message("m2"), message("m3")});
  need(record(*s, {{outbox_id{"m1"}, outbox_state::sent, event_id{"$sent"}, ""},
                   {outbox_id{"m2"}, outbox_state::dead, {}, "M_TOO_LARGE"},
                   {outbox_id{"m3"}, outbox_state::waiting, {}, "timed out"}}));
  const auto rows = need(s->outbox(0, 10));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].id.value == "m3");
  auto db = raw(dir.file());
  CHECK(need(db.ask("SELECT event_id FROM outbox WHERE id = 'm1'")) == "$sent");
  CHECK(need(db.ask("SELECT reason FROM outbox WHERE id = 'm2'")) == "M_TOO_LARGE");
}

TEST_CASE("What became of a row is recorded once", "[store]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  say(*s, {message("m1")});
  need(record(*s, {{outbox_id{"m1"}, outbox_state::sent, event_id{"$first"}, ""}}));
  need(record(*s, {{outbox_id{"m1"}, outbox_state::dead, {}, "late"}}));
  need(record(*s, {{outbox_id{"m1"}, outbox_state::waiting, {}, ""}}));
  CHECK(need(raw(dir.file()).ask("SELECT state || event_id FROM outbox")) == "1$first");
}

TEST_CASE("Outcomes with an unknown row are refused together", "[store]") {
  auto s = memory();
  say(*s, {message("m1")});
  need(s->begin());
  const auto why =
      refused(s->record({{outbox_id{"m1"}, outbox_state::sent, event_id{"$e"}, ""},
                         {outbox_id{"nobody"}, outbox_state::sent, event_id{"$f"}, ""}}));
  CHECK(why.code == fault_code::not_found);
  CHECK(refused(s->record({{outbox_id{"nobody"}, outbox_state::waiting, {}, ""}})).code ==
        fault_code::not_found);
  need(s->commit());
  CHECK(need(s->outbox(0, 10)).size() == 1);
}

TEST_CASE("A room knows whether its marker is still to be sent", "[store]") {
  auto s = memory();
  const auto waits = [&](const char* room) {
    return need(s->open_room(room_id{room}, 1)).marker_waits;
  };
  say(*s, {message("m1")});
  CHECK_FALSE(waits("!r:x"));
  say(*s, {marker("m2")});
  CHECK(waits("!r:x"));
  CHECK_FALSE(waits("!q:x"));
  need(record(*s, {{outbox_id{"m2"}, outbox_state::sent, event_id{"$e"}, ""}}));
  CHECK_FALSE(waits("!r:x"));
}
