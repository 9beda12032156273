#include "support.hpp"

using namespace pb;
using namespace pb::test;

TEST_CASE("An admitted event comes back field by field", "[store]") {
  auto s = memory();
  auto plain = event("$a");
  auto state = event("$b");
  state.event.state_key = "";
  state.event.type = "m.room.name";
  state.backlog = true;
  const auto out = need(alone(*s, [&] { return s->admit(batch("s1", {plain, state})); }));
  REQUIRE(out.fresh.size() == 2);
  CHECK(out.fresh[0].seq < out.fresh[1].seq);

  const auto rows = need(s->pending(room_id{"!r:x"}, 0, 10));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].seq == out.fresh[0].seq);
  CHECK(rows[0].event.id == plain.event.id);
  CHECK(rows[0].event.room == plain.event.room);
  CHECK(rows[0].event.sender == plain.event.sender);
  CHECK(rows[0].event.type == "m.room.message");
  CHECK_FALSE(rows[0].event.state_key.has_value());
  CHECK(rows[0].event.sent_at == 1'700'000'000'000);
  CHECK(rows[0].event.content == plain.event.content);
  CHECK(rows[0].tr.ref == "trace-$a");
  CHECK_FALSE(rows[0].backlog);
  CHECK(rows[1].event.state_key == std::optional<std::string>{""});
  CHECK(rows[1].backlog);
}

TEST_CASE("The same batch twice yields no fresh event the second time", "[store][I2]") {
  auto s = memory();
  const auto b = batch("s1", {event("$a"), event("$b")});
  CHECK(need(alone(*s, [&] { return s->admit(b); })).fresh.size() == 2);
  CHECK(need(alone(*s, [&] { return s->admit(b); })).fresh.empty());
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 10)).size() == 2);
}

TEST_CASE("An event that comes twice in one batch is admitted once", "[store][I2]") {
  auto s = memory();
  const auto out = need(alone(*s, [&] {
    return s->admit(batch("s1", {event("$a"), event("$a"), event("$b")}));
  }));
  REQUIRE(out.fresh.size() == 2);
  CHECK(out.fresh[1].event.id.value == "$b");
}

TEST_CASE("A settled event that comes again is not pending again", "[store][I2]") {
  auto s = memory();
  const auto first = need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); }));
  settlement done;
  done.inbox = {{first.fresh[0].seq, inbox_outcome::answered}};
  need(alone(*s, [&] { return s->settle(done); }));
  CHECK(need(alone(*s, [&] { return s->admit(batch("s2", {event("$a")})); })).fresh.empty());
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 10)).empty());
}

TEST_CASE("Cursor and events are undone together", "[store][I1]") {
  auto s = memory();
  CHECK_FALSE(need(s->cursor()).has_value());
  need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); }));
  need(s->begin());
  need(s->admit(batch("s2", {event("$b")})));
  CHECK(need(s->cursor()) == std::optional<std::string>{"s2"});
  s->rollback();
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 10)).size() == 1);
  // The homeserver sends it again, as it would after a crash.
  CHECK(need(alone(*s, [&] { return s->admit(batch("s2", {event("$b")})); })).fresh.size() == 1);
}

TEST_CASE("A batch without a cursor leaves the position as it is", "[store][I1]") {
  auto s = memory();
  need(alone(*s, [&] { return s->admit(batch("s1", {})); }));
  admission walk;
  walk.restored = {chat("!r:x", 3)};
  need(alone(*s, [&] { return s->admit(walk); }));
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
}

TEST_CASE("Text survives with NUL bytes, broken UTF-8 and at any size", "[store]") {
  auto s = memory();
  using namespace std::string_literals;
  const auto odd = "a\0b\xff\xfe\xc3"s;
  const auto big = std::string(200'000, 'x') + odd;
  need(alone(*s, [&] {
    return s->admit(batch("c\0d"s, {event("$a"s + odd, "!r:x", big), event("$a\0"s), event("$a"s),
                                    event("$e", "!r:x", "")}));
  }));
  const auto rows = need(s->pending(room_id{"!r:x"}, 0, 10));
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].event.id.value == "$a"s + odd);
  CHECK(rows[0].event.content == big);
  CHECK(rows[3].event.content.empty());
  CHECK(need(s->cursor()) == std::optional<std::string>{"c\0d"s});
}

TEST_CASE("An event past every limit is refused and its batch leaves nothing", "[store][I7]") {
  auto s = memory();
  need(s->begin());
  const auto why = refused(
      s->admit(batch("s1", {event("$a"), event("$b", "!r:x", std::string(9u << 20, 'x'))})));
  CHECK(why.code == fault_code::too_large);
  need(s->admit(batch("s2", {event("$c")})));
  need(s->commit());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s2"});
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 10)).size() == 1);
}

TEST_CASE("Pending events of a room come in order, in pages", "[store]") {
  auto s = memory();
  std::vector<inbox_row> events;
  for (int i = 0; i < 10; ++i)
    events.push_back(event("$" + std::to_string(i), i % 2 == 0 ? "!even:x" : "!odd:x"));
  need(alone(*s, [&] { return s->admit(batch("s1", events)); }));
  const auto first = need(s->pending(room_id{"!even:x"}, 0, 3));
  REQUIRE(first.size() == 3);
  const auto rest = need(s->pending(room_id{"!even:x"}, first[2].seq, 3));
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].event.id.value == "$6");
  CHECK(rest[1].event.id.value == "$8");
  CHECK(need(s->pending(room_id{"!other:x"}, 0, 3)).empty());
}

TEST_CASE("An invitation replaces an older one of its room and waits until it is done", "[store]") {
  auto s = memory();
  admission a;
  a.cursor = "s1";
  a.invites = {{room_id{"!l:x"}, user_id{"@alice:x"}, false, {"t1"}}};
  need(alone(*s, [&] { return s->admit(a); }));
  a.invites = {{room_id{"!l:x"}, user_id{"@bob:x"}, true, {"t2"}}};
  CHECK(need(alone(*s, [&] { return s->admit(a); })).invites.size() == 1);
  const auto rows = need(s->invites());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].room.value == "!l:x");
  CHECK(rows[0].inviter.value == "@bob:x");
  CHECK(rows[0].direct);
  CHECK(rows[0].tr.ref == "t2");
  settlement done;
  done.invite_done = room_id{"!l:x"};
  need(alone(*s, [&] { return s->settle(done); }));
  CHECK(need(s->invites()).empty());
}
