#include "support.hpp"

using namespace pb;
using namespace pb::test;

TEST_CASE("A write outside of a transaction is refused", "[store]") {
  auto s = memory();
  CHECK(refused(s->admit(batch("s1", {event("$a")}))).code == fault_code::bug);
  CHECK(refused(s->dispatch(turn("t1", 1))).code == fault_code::bug);
  CHECK(refused(s->settle({})).code == fault_code::bug);
  CHECK(refused(s->record({})).code == fault_code::bug);
  CHECK(refused(s->draw_platform_chat_id()).code == fault_code::bug);
  CHECK(refused(s->save_account({})).code == fault_code::bug);
  CHECK_FALSE(need(s->cursor()).has_value());
}

TEST_CASE("Transactions do not nest, and commit needs one", "[store]") {
  auto s = memory();
  CHECK(refused(s->commit()).code == fault_code::bug);
  need(s->begin());
  CHECK(refused(s->begin()).code == fault_code::bug);
  need(s->commit());
  s->rollback(); // harmless without a transaction
  need(s->begin());
  need(s->commit());
}

TEST_CASE("Several writes share a transaction and are undone together", "[store]") {
  auto s = memory();
  need(s->begin());
  need(s->admit(batch("s1", {event("$a")})));
  need(s->admit(batch("s2", {event("$b")})));
  settlement what;
  what.room = chat("!r:x", 1);
  what.outbox = {message("m1")};
  need(s->settle(what));
  s->rollback();
  CHECK_FALSE(need(s->cursor()).has_value());
  CHECK(need(s->rooms()).empty());
  CHECK(need(s->outbox(0, 9)).empty());
  CHECK(need(s->counts()).inbox_pending == 0);
}

TEST_CASE("What is written is read back before its commit", "[store]") {
  auto s = memory();
  need(s->begin());
  need(s->admit(batch("s1", {event("$a")})));
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 10)).size() == 1);
  need(s->commit());
}

TEST_CASE("A refusal in the middle of a cheap settlement gives up the whole group", "[store]") {
  auto s = memory();
  need(s->begin());
  need(s->admit(batch("s1", {event("$a")})));
  settlement what; // the outbox row fits, the turn's room does not exist: a fault of ours
  what.outbox = {message("m1")};
  what.turn = turn("t1", 1, "!unknown:x");
  CHECK(refused(s->settle(what)).code == fault_code::bug);
  CHECK(refused(s->admit(batch("s2", {}))).code == fault_code::bug);
  CHECK(refused(s->commit()).code == fault_code::bug);
  CHECK_FALSE(need(s->cursor()).has_value());
  CHECK(need(s->outbox(0, 9)).empty());
  need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); }));
}

TEST_CASE("Another program that is writing makes begin fail in time and plainly", "[store]") {
  const temp_dir dir;
  auto s = open_at(dir.file());
  auto other = raw(dir.file());
  need(other.exec("BEGIN IMMEDIATE"));
  const auto why = refused(s->begin());
  CHECK(why.code == fault_code::busy);
  CHECK_FALSE(why.sentence.empty());
  need(other.exec("ROLLBACK"));
  need(alone(*s, [&] { return s->admit(batch("s1", {})); }));
}
