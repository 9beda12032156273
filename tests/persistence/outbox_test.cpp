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

TEST_CASE("A file becomes a message in its old place, once", "[store][I3]") {
  auto s = memory();
  auto f = message("f1");
  f.kind = outbox_kind::file;
  f.body = R"({"path":"a.png"})";
  const auto seq = say(*s, {f, message("m1")}).at(0).seq;
  CHECK(need(s->outbox(0, 10)).at(0).kind == outbox_kind::file);
  CHECK(need(s->outbox(0, 10)).at(0).body == f.body);
  const auto freeze = [&](const char* id, const char* body) {
    return alone(*s, [&] { return s->freeze(outbox_id{id}, body); });
  };
  need(freeze("f1", "the event"));
  const auto rows = need(s->outbox(0, 10));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].seq == seq);
  CHECK(rows[0].id == f.id);
  CHECK(rows[0].kind == outbox_kind::message);
  CHECK(rows[0].body == "the event");
  CHECK(rows[0].txn == "pb-f1");
  need(freeze("f1", "the event")); // after a crash between this and the sending
  CHECK(refused(freeze("f1", "another event")).code == fault_code::conflict);
  CHECK(need(s->outbox(0, 10)).at(0).body == "the event");
  CHECK(refused(freeze("m1", "x")).code == fault_code::conflict);
  CHECK(refused(freeze("nobody", "x")).code == fault_code::not_found);
  need(record(*s, {{outbox_id{"f1"}, outbox_state::sent, event_id{"$f"}, ""}}));
  need(freeze("f1", "the event"));
  CHECK(need(s->outbox(0, 10)).size() == 1); // and it waits no more
}

TEST_CASE("A file that was given up becomes nothing, and a state event no message", "[store]") {
  auto s = memory();
  auto f = message("f1");
  f.kind = outbox_kind::file;
  say(*s, {f, marker("s1")});
  need(record(*s, {{outbox_id{"f1"}, outbox_state::dead, {}, "no such file"}}));
  for (const char* id : {"f1", "s1"})
    CHECK(refused(alone(*s, [&] { return s->freeze(outbox_id{id}, "x"); })).code ==
          fault_code::conflict);
  CHECK(need(s->dead(0, 9)).at(0).kind == outbox_kind::file);
  CHECK(refused(s->freeze(outbox_id{"f1"}, "x")).code == fault_code::bug); // outside of a group
}

TEST_CASE("A redaction never comes to the disk", "[store]") {
  auto s = memory();
  settlement what;
  what.outbox = {message("m1")};
  what.outbox[0].kind = outbox_kind::redact;
  need(s->begin());
  CHECK(refused(s->settle(what)).code == fault_code::bug);
  admission a = batch("s1", {});
  a.outbox = what.outbox;
  CHECK(refused(s->admit(a)).code == fault_code::bug);
  need(s->commit());
  CHECK(need(s->outbox(0, 9)).empty());
  CHECK_FALSE(need(s->cursor()));
}

TEST_CASE("What is named after its cause is said once, and a repeat costs its group nothing",
          "[store][I2]") {
  auto s = memory();
  auto push = message("named-after-a-push");
  push.turn = turn_id{};
  say(*s, {push});
  settlement again;
  again.outbox = {push};
  need(s->begin());
  need(s->admit(batch("s1", {event("$a")})));
  CHECK(refused(s->settle(again)).code == fault_code::conflict);
  again.outbox.push_back(message("and-its-file")); // of several rows none is written
  CHECK(refused(s->settle(again)).code == fault_code::conflict);
  need(s->commit());
  CHECK(need(s->outbox(0, 9)).size() == 1);
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
}
