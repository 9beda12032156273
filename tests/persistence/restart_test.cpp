// What a crash leaves: the process's end is a store that goes away without a commit.

#include "support.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace pb;
using namespace pb::test;

TEST_CASE("What was committed is there after a restart, what was not is not", "[store][I1]") {
  const temp_dir dir;
  {
    auto s = open_at(dir.file());
    need(alone(*s, [&] { return s->admit(batch("s1", {event("$a")})); }));
    need(s->begin());
    need(s->admit(batch("s2", {event("$b")})));
  }
  auto s = open_at(dir.file());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s1"});
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 10)).size() == 1);
}

TEST_CASE("A killed process loses nothing that it committed", "[store][I1]") {
  const temp_dir dir;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto s = open_store({dir.file(), synchronous_mode::full});
    bool fine = s.has_value();
    for (int i = 0; fine && i < 50; ++i) {
      const auto n = std::to_string(i);
      fine = (*s)->begin() && (*s)->admit(batch("s" + n, {event("$" + n)})) && (*s)->commit();
    }
    fine = fine && (*s)->begin() && (*s)->admit(batch("lost", {event("$lost")}));
    const char sign = fine ? 'y' : 'n';
    (void)!::write(ready[1], &sign, 1);
    ::pause(); // until it is killed with its transaction open
    ::_exit(0);
  }
  ::close(ready[1]);
  char sign = '?';
  CHECK(::read(ready[0], &sign, 1) == 1);
  ::close(ready[0]);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  REQUIRE(sign == 'y');
  auto s = open_at(dir.file());
  CHECK(need(s->cursor()) == std::optional<std::string>{"s49"});
  CHECK(need(s->pending(room_id{"!r:x"}, 0, 100)).size() == 50);
}

TEST_CASE("A life of a message goes on after a restart at every step", "[store][4c]") {
  const temp_dir dir;
  const auto reopened = [&](auto step) {
    auto s = open_at(dir.file());
    return step(*s);
  };
  reopened([](store& s) { add_room(s, chat("!r:x", 7)); });
  const auto seq = reopened([](store& s) {
    return need(alone(s, [&] { return s.admit(batch("s1", {event("$a")})); })).fresh.at(0).seq;
  });
  // 3: the cursor is on disk, nothing was started
  reopened([&](store& s) {
    CHECK(need(s.rooms_with_work()) == std::vector<room_id>{room_id{"!r:x"}});
    CHECK(need(s.open_room(room_id{"!r:x"}, 5)).pending.at(0).seq == seq);
    need(alone(s, [&] { return s.dispatch(turn("t1", seq)); }));
  });
  // 4, 5: the turn's row is there, its answer is not
  reopened([&](store& s) {
    const auto room = need(s.open_room(room_id{"!r:x"}, 5));
    REQUIRE(room.open_turns.size() == 1);
    CHECK(room.pending.size() == 1);
    settlement what;
    what.inbox = {{seq, inbox_outcome::answered}};
    what.turn = room.open_turns[0];
    what.turn->state = turn_state::answered;
    what.outbox = {message("m1")};
    need(alone(s, [&] { return s.settle(what); }));
  });
  // 6, 7, 8: decided, perhaps sent, not acknowledged: the same bytes under the same id
  reopened([&](store& s) {
    CHECK(need(s.rooms_with_work()).empty());
    const auto rows = need(s.outbox(0, 5));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].txn == "pb-m1");
    CHECK(rows[0].body == message("m1").body);
    need(alone(s, [&] {
      return s.record({{outbox_id{"m1"}, outbox_state::sent, event_id{"$s"}, ""}});
    }));
  });
  // 9: acknowledged: nothing is left to do
  reopened([&](store& s) {
    CHECK(need(s.outbox(0, 5)).empty());
    CHECK(need(s.rooms_with_work()).empty());
  });
}

TEST_CASE("Order numbers go on after a restart", "[store][I5]") {
  const temp_dir dir;
  std::int64_t inbox = 0, outbox = 0;
  for (int i = 0; i < 3; ++i) {
    auto s = open_at(dir.file());
    const auto n = std::to_string(i);
    need(s->begin());
    const auto in = need(s->admit(batch("s" + n, {event("$" + n)}))).fresh.at(0).seq;
    settlement what;
    what.outbox = {message("m" + n)};
    const auto out = need(s->settle(what)).at(0).seq;
    need(s->commit());
    CHECK(in > inbox);
    CHECK(out > outbox);
    inbox = in;
    outbox = out;
  }
}
