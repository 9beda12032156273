#include "actors/matrix/send_queue_logic.hpp"

#include <catch2/catch.hpp>

namespace {
using namespace pb;

outbox_row row(const std::string& room, std::int64_t seq, send_class c = send_class::final_answer) {
  outbox_row r;
  r.room = room_id{room};
  r.seq = seq;
  r.priority = c;
  return r;
}

outbox_row of_turn(const std::string& room, std::int64_t seq, const std::string& turn,
                   send_class c) {
  auto r = row(room, seq, c);
  r.turn = turn_id{turn};
  return r;
}
} // namespace

TEST_CASE("a room's rows leave in order and one at a time") {
  send_queue q;
  q.push(row("a", 1));
  q.push(row("a", 2));
  CHECK(q.pop()->row->seq == 1);
  CHECK_FALSE(q.pop());
  q.retry(room_id{"a"});
  CHECK(q.pop()->row->seq == 1);
  q.done(room_id{"a"});
  CHECK(q.pop()->row->seq == 2);
  q.done(room_id{"a"});
  CHECK(q.size() == 0);
  CHECK(q.idle());
}

TEST_CASE("rooms take turns however much one of them has to say") {
  send_queue q;
  for (int i = 0; i < 3; ++i)
    q.push(row("loud", i));
  q.push(row("quiet", 9));
  CHECK(q.pop()->row->room.value == "loud");
  CHECK(q.pop()->row->room.value == "quiet");
}

TEST_CASE(
    "finals go before state and state before progress, but never past their own room's order") {
  send_queue q;
  q.push(row("a", 1, send_class::progress));
  q.push(row("b", 2, send_class::state));
  q.push(row("c", 3, send_class::final_answer));
  q.push(row("b", 4, send_class::final_answer)); // behind its room's state event
  CHECK(q.pop()->row->seq == 3);
  CHECK(q.pop()->row->seq == 2);
  CHECK(q.pop()->row->seq == 1);
  q.done(room_id{"b"});
  CHECK(q.pop()->row->seq == 4);
}

TEST_CASE("a final is not held up by the class of what its room has to say before it") {
  send_queue q;
  q.push(row("a", 1, send_class::state));
  q.push(row("b", 2, send_class::progress));
  q.push(row("b", 3, send_class::final_answer));
  CHECK(q.pop()->row->seq == 2); // before a's state: a final waits behind it
  q.done(room_id{"b"});
  CHECK(q.pop()->row->seq == 3);
  CHECK(q.pop()->row->seq == 1);
}

TEST_CASE("state gets one place in eight while finals wait") {
  send_queue q;
  for (int i = 0; i < 40; ++i) {
    q.push(row("f" + std::to_string(i), i));
    q.push(row("s" + std::to_string(i), 100 + i, send_class::state));
  }
  int state = 0;
  for (int i = 0; i < 40; ++i)
    state += q.pop()->priority == send_class::state ? 1 : 0;
  CHECK(state == 5);
}

TEST_CASE("progress is overtaken by newer progress and by the final of its turn") {
  send_queue q;
  const auto progress = send_class::progress, last = send_class::final_answer;
  CHECK(q.push(of_turn("a", 1, "t1", progress)).empty());
  CHECK(q.push(of_turn("a", 2, "other", progress)).empty());
  auto dropped = q.push(of_turn("a", 3, "t1", progress));
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0].seq == 1);
  dropped = q.push(of_turn("a", 4, "t1", last));
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0].seq == 3);
  CHECK(q.size() == 2);
  CHECK(q.pop()->row->seq == 2);
  q.done(room_id{"a"});
  CHECK(q.pop()->row->seq == 4);
}

TEST_CASE("progress that was tried, or may have been before a restart, is never dropped") {
  send_queue q;
  q.push(of_turn("a", 1, "t", send_class::progress));
  CHECK(q.pop()->row->seq == 1);
  CHECK(q.push(of_turn("a", 2, "t", send_class::final_answer)).empty());
  q.retry(room_id{"a"});
  CHECK(q.push(of_turn("a", 3, "t", send_class::final_answer)).empty());
  CHECK(q.pop()->row->seq == 1);
  q.push(of_turn("b", 4, "u", send_class::progress), {}, false);
  CHECK(q.push(of_turn("b", 5, "u", send_class::final_answer)).empty());
}

TEST_CASE("finals are never dropped, whatever comes after them") {
  send_queue q;
  for (int i = 0; i < 10; ++i)
    CHECK(q.push(of_turn("a", i, "t", send_class::final_answer)).empty());
  CHECK(q.size() == 10);
  CHECK(q.finals() == 10);
}

TEST_CASE("held progress stays, and goes when nothing holds it any more") {
  send_queue q;
  q.push(row("a", 1, send_class::progress));
  CHECK_FALSE(q.peek(true));
  CHECK_FALSE(q.pop(true));
  REQUIRE(q.peek(false));
  CHECK(q.pop(false)->row->seq == 1);
}

TEST_CASE("requests of others stand in the line of their class and take turns with rooms") {
  send_queue q;
  q.push(row("f", 1));
  q.push(row("s", 2, send_class::state));
  q.push(row("s2", 3, send_class::state));
  q.ask(7, 2.0, send_class::state, {});
  q.ask(8, 1.0, send_class::state, {});
  CHECK(q.asked() == 2);
  CHECK(q.pop()->row->seq == 1);
  CHECK(q.pop()->row->seq == 2);
  REQUIRE(q.peek(false));
  CHECK(q.peek(false)->second == 2.0);
  CHECK(q.pop()->request == 7);
  CHECK(q.pop()->row->seq == 3);
  CHECK(q.pop()->request == 8);
  CHECK(q.idle());
}

TEST_CASE("who was refused for the rate is first in its line again") {
  send_queue q;
  q.push(row("a", 1));
  q.push(row("b", 2));
  CHECK(q.pop()->row->seq == 1);
  q.retry(room_id{"a"}, {}, true);
  CHECK(q.pop()->row->seq == 1);
}

TEST_CASE(
    "progress that nobody tried to send can be taken back, and a head that is uploaded goes on") {
  send_queue q;
  q.push(of_turn("a", 0, "t", send_class::progress));
  q.push(of_turn("a", 0, "u", send_class::progress));
  CHECK(q.drop_progress(room_id{"b"}, turn_id{"t"}).empty());
  CHECK(q.drop_progress(room_id{"a"}, turn_id{"t"}).size() == 1);
  CHECK(q.pop()->row->turn.value == "u");
  CHECK(q.drop_progress(room_id{"a"}, turn_id{"u"}).empty()); // on its way
  q.done(room_id{"a"});
  CHECK(q.idle());
  q.push(of_turn("a", 0, "v", send_class::progress));
  CHECK(q.drop_progress(room_id{"a"}, turn_id{"v"}).size() == 1);
  CHECK(q.idle()); // the room stands in no line any more
  auto file = row("a", 5);
  file.kind = outbox_kind::file;
  q.push(file);
  CHECK(q.pop()->row->kind == outbox_kind::file);
  q.freeze(room_id{"a"}, "{}");
  q.retry(room_id{"a"});
  const auto message = q.pop();
  CHECK(message->row->kind == outbox_kind::message);
  CHECK(message->row->body == "{}");
}
