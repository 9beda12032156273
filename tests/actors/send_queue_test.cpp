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
} // namespace

TEST_CASE("a room's rows leave in order and one at a time") {
  send_queue q;
  q.push(row("a", 1));
  q.push(row("a", 2));
  CHECK(q.pop()->seq == 1);
  CHECK_FALSE(q.pop());
  q.retry(room_id{"a"});
  CHECK(q.pop()->seq == 1);
  q.done(room_id{"a"});
  CHECK(q.pop()->seq == 2);
  q.done(room_id{"a"});
  CHECK(q.size() == 0);
  CHECK(q.idle());
}

TEST_CASE("rooms take turns however much one of them has to say") {
  send_queue q;
  for (int i = 0; i < 3; ++i)
    q.push(row("loud", i));
  q.push(row("quiet", 9));
  CHECK(q.pop()->room.value == "loud");
  CHECK(q.pop()->room.value == "quiet");
}

TEST_CASE(
    "finals go before state and state before progress, but never past their own room's order") {
  send_queue q;
  q.push(row("a", 1, send_class::progress));
  q.push(row("b", 2, send_class::state));
  q.push(row("c", 3, send_class::final_answer));
  q.push(row("b", 4, send_class::final_answer)); // behind its room's state event
  CHECK(q.pop()->seq == 3);
  CHECK(q.pop()->seq == 2);
  CHECK(q.pop()->seq == 1);
  q.done(room_id{"b"});
  CHECK(q.pop()->seq == 4);
}
