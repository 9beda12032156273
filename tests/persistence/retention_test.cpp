// What ended long ago goes; what anybody may still ask for stays.

#include "support.hpp"

#include <set>

using namespace pb;
using namespace pb::test;
using namespace std::chrono_literals;

namespace {

constexpr unix_ms day = 86'400'000;
constexpr auto month = std::chrono::milliseconds{30 * 24h};

/// A store whose clock the test sets.
struct world {
  unix_ms now = 1'700'000'000'000;
  temp_dir dir;
  std::unique_ptr<store> s =
      need(open_store({dir.file(), synchronous_mode::normal, [this] { return now; }}));

  void admit(std::vector<inbox_row> events) {
    need(alone(*s, [&] { return s->admit(batch("s", events)); }));
  }
  void settle(const settlement& what) {
    need(alone(*s, [&] { return s->settle(what); }));
  }
  void settle(std::int64_t seq) {
    settlement what;
    what.inbox = {{seq, inbox_outcome::answered}};
    settle(what);
  }
  void end(const std::string& name, std::int64_t seq, turn_state state) {
    settlement what;
    what.turn = turn(name, seq);
    what.turn->state = state;
    what.inbox = {{seq, inbox_outcome::told}};
    settle(what);
  }
  pruned once(std::chrono::milliseconds keep = month, std::size_t limit = 500) {
    return need(alone(*s, [&] { return s->prune(keep, limit); }));
  }
  /// A whole sweep; rows that it took.
  std::size_t sweep(std::chrono::milliseconds keep = month, std::size_t limit = 500) {
    std::size_t rows = 0;
    for (int calls = 0; calls < 10'000; ++calls) {
      const auto p = once(keep, limit);
      rows += p.rows;
      if (!p.more)
        return rows;
    }
    throw std::runtime_error("the sweep has no end");
  }
  std::set<std::string> left(const std::string& table, const std::string& column = "event_id") {
    std::set<std::string> out;
    auto db = raw(dir.file());
    auto ask = db.prepare("left", ("SELECT " + column + " FROM " + table).c_str());
    need(ask.each([&](sqlite::row& r) {
      std::string x;
      r >> x;
      out.insert(x);
    }));
    return out;
  }
  bool knows(const std::string& id) {
    return need(s->known(room_id{"!r:x"}, {event_id{id}})).known.at(0);
  }
};

using names = std::set<std::string>;

} // namespace

TEST_CASE("Settled messages go after their time, but their events stay known",
          "[store][retention]") {
  world w;
  w.admit({event("$1"), event("$2"), event("$pending"), event("$newest")});
  w.settle(1);
  w.now += 10 * day;
  w.settle(2);
  w.settle(4);
  w.now += 25 * day;
  CHECK(w.sweep() == 1 + 1); // $1: settled 35 days ago ($2: 25), and the memory of it
  CHECK(w.left("inbox") == names{"$2", "$pending", "$newest"});
  w.now += 6 * day;
  CHECK(w.sweep() == 1 + 1);
  CHECK(w.left("inbox") == names{"$pending", "$newest"});
}

TEST_CASE("A pruned event is refused as a duplicate as long as its memory lasts",
          "[store][retention]") {
  world w;
  w.admit({event("$1"), event("$2")});
  w.settle(1);
  w.settle(2);
  w.now += 2 * day;
  CHECK(w.sweep(24h) == 1);
  CHECK(w.left("inbox") == names{"$2"});
  CHECK(w.knows("$1"));
  w.admit({event("$1")});
  CHECK(w.left("inbox") == names{"$2"});
  CHECK(need(w.s->known(room_id{"!r:x"}, {})).baseline);
  w.now += 28 * day; // day 30: still
  w.sweep(24h);
  CHECK(w.knows("$1"));
  w.now += 2 * day;
  w.sweep(24h);
  CHECK_FALSE(w.knows("$1"));
  CHECK(w.knows("$2")); // the newest of its room: whole
}

TEST_CASE("The newest message of every room stays, moved ones do not count for it",
          "[store][retention]") {
  world w;
  add_room(*w.s, chat("!old:x", 7));
  w.admit({event("$a1", "!a:x"), event("$b1", "!b:x"), event("$a2", "!a:x"), event("$n1", "!new:x"),
           event("$o1", "!old:x")});
  settlement move;
  move.room = chat("!new:x", 7);
  move.moved_from = room_id{"!old:x"};
  w.settle(move); // $o1 is in !new:x now
  for (int seq = 1; seq <= 5; ++seq)
    w.settle(seq);
  w.now += 31 * day;
  w.sweep();
  // $n1 is what a gap of !new:x is walked back to; $o1 is the newest row there and stays as well.
  CHECK(w.left("inbox") == names{"$a2", "$b1", "$n1", "$o1"});
}

TEST_CASE("A message with an open turn stays, and so does the one that can be sent again",
          "[store][retention]") {
  world w;
  add_room(*w.s, chat("!r:x", 7));
  w.admit({event("$1"), event("$2"), event("$3"), event("$4"), event("$newest")});
  w.end("t1", 1, turn_state::interrupted); // a newer turn hides it
  w.end("t2", 2, turn_state::answered);
  need(alone(*w.s, [&] { return w.s->dispatch(turn("t3", 3)); }));
  settlement told;
  told.inbox = {{3, inbox_outcome::told}}; // though the turn is open
  w.settle(told);
  w.settle(4);
  w.settle(5);
  w.now += 31 * day;
  CHECK(w.sweep() == 5 + 3); // $1, $2, $4 with t1 and t2, and the memory of them
  CHECK(w.left("inbox") == names{"$3", "$newest"});
  CHECK(w.left("turn", "id") == names{"t3"});
  w.end("t3", 3, turn_state::failed);
  CHECK(need(w.s->interrupted(room_id{"!r:x"}))->event.id.value == "$3");
  w.now += 31 * day;
  w.sweep();
  CHECK(w.left("inbox") == names{"$3", "$newest"});
  CHECK(need(w.s->interrupted(room_id{"!r:x"}))->event.id.value == "$3");
}

TEST_CASE("What was said goes after its time, what waits does not", "[store][retention]") {
  world w;
  settlement what;
  what.outbox = {message("sent"), message("dead"), message("dropped"), message("waits"),
                 message("late")};
  for (auto& m : what.outbox)
    m.made_at = w.now;
  w.settle(what);
  need(alone(*w.s, [&] {
    return w.s->record({{outbox_id{"sent"}, outbox_state::sent, event_id{"$s"}, ""},
                        {outbox_id{"dead"}, outbox_state::dead, {}, "M_FORBIDDEN"},
                        {outbox_id{"dropped"}, outbox_state::dropped, {}, ""}});
  }));
  w.now += 31 * day;
  need(alone(*w.s, [&] {
    return w.s->record({{outbox_id{"late"}, outbox_state::dead, {}, "given up"}});
  }));
  CHECK(w.sweep() == 3);
  CHECK(w.left("outbox", "id") == names{"waits", "late"}); // the operator has time to see it
  w.now += 31 * day;
  CHECK(w.sweep() == 1);
  CHECK(w.left("outbox", "id") == names{"waits"});
}

TEST_CASE("Things set aside go after their time", "[store][retention]") {
  world w;
  admission a = batch("s1", {});
  poison_row p;
  p.event = event_id{"$bad"};
  p.reason = "no sender";
  a.poison = {p};
  need(alone(*w.s, [&] { return w.s->admit(a); }));
  CHECK(need(w.s->poison(0, 1)).at(0).at == w.now); // stamped by the store
  w.now += 31 * day;
  CHECK(w.sweep() == 1 + 1); // and the memory of it
  CHECK(need(w.s->poison(0, 1)).empty());
}

TEST_CASE("A call takes no more than it may, and the sweep comes to its end",
          "[store][retention]") {
  world w;
  std::vector<inbox_row> events;
  for (int room = 0; room < 300; ++room) // many newest rows in front that stay
    events.push_back(event("$keep" + std::to_string(room), "!keep" + std::to_string(room) + ":x"));
  for (int i = 0; i < 2'001; ++i)
    events.push_back(event("$" + std::to_string(i)));
  w.admit(events);
  need(raw(w.dir.file()).exec("UPDATE inbox SET outcome = 0"));
  w.now += 31 * day;
  std::size_t rows = 0;
  int calls = 0;
  for (bool more = true; more; ++calls) {
    const auto p = w.once(month, 50);
    CHECK(p.rows <= 50);
    rows += p.rows;
    more = p.more;
    REQUIRE(calls < 200);
  }
  CHECK(rows == 2 * 2'000); // each with the memory of it, which is as old
  CHECK(calls >= 80);
  CHECK(need(raw(w.dir.file()).ask("SELECT count(*) FROM inbox")) == "301");
  CHECK(w.sweep() == 0);
}

TEST_CASE("Rows that were stamped while the clock was wrong hold up nothing",
          "[store][retention]") {
  world w;
  w.now += 3'650 * day;
  w.admit({event("$future")});
  w.settle(1);
  w.now -= 3'650 * day;
  w.admit({event("$1"), event("$2")});
  w.settle(2);
  w.settle(3);
  w.now += 31 * day;
  CHECK(w.sweep() == 1 + 1);
  CHECK(w.left("inbox") == names{"$future", "$2"});
}

TEST_CASE("What a push said is known for 30 days, however short its row is kept",
          "[store][retention]") {
  world w;
  settlement push;
  push.outbox = {message("push"), message("answer")};
  push.outbox[0].turn = turn_id{};
  push.outbox[0].made_at = push.outbox[1].made_at = w.now;
  w.settle(push);
  need(alone(*w.s, [&] {
    return w.s->record({{outbox_id{"push"}, outbox_state::sent, event_id{"$p"}, ""},
                        {outbox_id{"answer"}, outbox_state::sent, event_id{"$a"}, ""}});
  }));
  push.outbox.pop_back();
  w.now += 2 * day;
  CHECK(w.sweep(24h) == 2);
  CHECK(w.left("outbox", "id").empty());
  CHECK(w.left("seen", "hex(id)").size() == 1); // an answer is never decided twice
  const auto again = [&] { return alone(*w.s, [&] { return w.s->settle(push); }); };
  CHECK(refused(again()).code == fault_code::conflict);
  w.now += 28 * day; // day 30: still
  w.sweep(24h);
  CHECK(refused(again()).code == fault_code::conflict);
  w.now += 2 * day;
  w.sweep(24h);
  CHECK(again().has_value());
}

TEST_CASE("Confirmations go after their end's time, open ones never", "[store][retention]") {
  world w;
  w.admit({event("$yes"), event("$newest")});
  settlement what;
  what.confirmations = {confirmation("open", 1), confirmation("ended", 2),
                        confirmation("answered", 3)};
  for (auto& c : what.confirmations)
    c.made_at = w.now;
  w.settle(what);
  w.now += 20 * day;
  what.confirmations.erase(what.confirmations.begin());
  what.confirmations[0].state = confirmation_state::no;
  what.confirmations[1].state = confirmation_state::yes;
  what.confirmations[1].answer_seq = 1; // it waits for its turn
  w.settle(what);
  w.now += 20 * day;
  what.confirmations[0].delivered = true; // a later change is no later end
  w.settle(what);
  CHECK(w.sweep() == 0);
  w.now += 11 * day;
  CHECK(w.sweep() == 1);
  CHECK(w.left("confirmation", "id") == names{"open", "answered"});
  w.settle(1);
  CHECK(w.sweep() == 1);
  CHECK(w.left("confirmation", "id") == names{"open"});
}

TEST_CASE("What sessions remember goes when no room has the chat's number, after its time",
          "[store][retention]") {
  world w;
  add_room(*w.s, chat("!r:x", 7));
  auto left = chat("!left:x", 9);
  left.state = room_state::left;
  add_room(*w.s, left);
  const auto remember = [&](std::int64_t chat, const char* what) {
    need(alone(*w.s, [&] { return w.s->remember(agent_id{"writer"}, {chat}, what); }));
  };
  remember(7, "goes on");
  remember(8, "was cleared");
  remember(9, "may come back");
  remember(10, "written again");
  w.now += 20 * day;
  remember(10, "later");
  remember(11, "young");
  w.now += 10 * day - 1;
  CHECK(w.sweep() == 0);
  w.now += 1;
  CHECK(w.sweep() == 1);
  CHECK(w.left("session_memory", "memory") == names{"goes on", "may come back", "later", "young"});
  w.now += 20 * day;
  CHECK(w.sweep() == 2);
  CHECK(w.left("session_memory", "memory") == names{"goes on", "may come back"});
  add_room(*w.s, chat("!r:x", 12)); // a clear: nobody has 7 any more
  CHECK(w.sweep() == 1);
  CHECK(w.left("session_memory", "memory") == names{"may come back"});
}

TEST_CASE("A number of a chat stays known for good", "[store][retention]") {
  world w;
  add_room(*w.s, chat("!r:x", 7));
  auto cleared = chat("!r:x", 8);
  add_room(*w.s, cleared);
  w.now += 3'650 * day;
  w.sweep();
  CHECK(need(w.s->room_of_chat({7}))->id.value == "!r:x");
}
