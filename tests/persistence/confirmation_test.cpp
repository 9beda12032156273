// Questions of agents: on disk from the prompt to the answer, and a while after.

#include "support.hpp"

using namespace pb;
using namespace pb::test;

namespace {

using state = confirmation_state;

void settle(store& s, const settlement& what) {
  need(alone(s, [&] { return s.settle(what); }));
}

void put(store& s, std::vector<confirmation_row> rows) {
  settlement what;
  what.confirmations = std::move(rows);
  settle(s, what);
}

std::vector<confirmation_row> of(store& s, const char* room = "!r:x") {
  return need(s.open_room(room_id{room}, 1)).confirmations;
}

std::string ids(const std::vector<confirmation_row>& rows) {
  std::string all;
  for (const auto& c : rows)
    all += (all.empty() ? "" : " ") + c.id.value;
  return all;
}

} // namespace

TEST_CASE("A confirmation comes back field by field, before and after its answer",
          "[store][confirmation]") {
  auto s = memory();
  const auto asked = confirmation("q1", 3);
  put(*s, {asked});
  auto back = of(*s).at(0);
  CHECK(back.seq == 1);
  CHECK(back.id == asked.id);
  CHECK(back.room == asked.room);
  CHECK(back.turn == asked.turn);
  CHECK(back.agent == asked.agent);
  CHECK(back.chat == asked.chat);
  CHECK(back.name == asked.name);
  CHECK(back.number == 3);
  CHECK(back.prompt == asked.prompt);
  CHECK(back.asker == asked.asker);
  CHECK(back.inbox_seq == 11);
  CHECK(back.prompt_event.empty());
  CHECK(back.made_at == 1'000);
  CHECK(back.shown_at == 0);
  CHECK(back.expires_at == 9'000);
  CHECK(back.state == state::open);
  CHECK(back.answered_by.empty());
  CHECK(back.answer_seq == 0);
  CHECK_FALSE(back.delivered);

  auto answered = asked;
  answered.prompt_event = event_id{"$prompt"};
  answered.shown_at = 1'500;
  answered.expires_at = 8'000;
  answered.state = state::yes;
  answered.answered_by = user_id{"@bob:x"};
  answered.answer_seq = 12;
  answered.delivered = true;
  answered.prompt = "something else"; // what it is about never changes
  answered.number = 4;
  put(*s, {answered});
  back = of(*s).at(0);
  CHECK(back.seq == 1);
  CHECK(back.prompt_event.value == "$prompt");
  CHECK(back.shown_at == 1'500);
  CHECK(back.expires_at == 8'000);
  CHECK(back.state == state::yes);
  CHECK(back.answered_by.value == "@bob:x");
  CHECK(back.answer_seq == 12);
  CHECK(back.delivered);
  CHECK(back.prompt == asked.prompt);
  CHECK(back.number == 3);
}

TEST_CASE("The end of a confirmation is never taken back, but may turn out otherwise",
          "[store][confirmation]") {
  auto s = memory();
  auto c = confirmation("q1", 1);
  c.state = state::yes;
  put(*s, {c});
  put(*s, {confirmation("q1", 1)}); // nobody heard the answer: the question is open again
  CHECK(of(*s).at(0).state == state::open);
  c.answered_by = user_id{"@alice:x"};
  c.delivered = true;
  put(*s, {c});
  put(*s, {confirmation("q1", 1)}); // a writer that does not know of the answer
  CHECK(of(*s).at(0).state == state::yes);
  CHECK(of(*s).at(0).answered_by.value == "@alice:x");
  c.state = state::orphaned; // the agent knew nothing of it
  put(*s, {c});
  CHECK(of(*s).at(0).state == state::orphaned);
  c.delivered = false;
  put(*s, {c});
  CHECK(of(*s).at(0).delivered);
}

TEST_CASE("Every way to end is kept", "[store][confirmation]") {
  auto s = memory();
  std::int64_t n = 0;
  for (const auto end :
       {state::open, state::yes, state::no, state::expired, state::orphaned, state::dropped}) {
    ++n;
    auto c = confirmation("q" + std::to_string(n), n);
    c.state = end;
    put(*s, {c});
    CHECK(of(*s).back().state == end);
  }
  CHECK(need(s->counts()).confirmations_open == 1);
}

TEST_CASE("A room is born with all its open confirmations and the newest of the others",
          "[store][confirmation]") {
  auto s = memory();
  std::vector<confirmation_row> rows;
  for (int n = 1; n <= 200; ++n) {
    auto c = confirmation("q" + std::to_string(n), n);
    c.state = n % 2 ? state::open : state::no;
    rows.push_back(c);
  }
  rows.push_back(confirmation("other", 1, "!other:x"));
  put(*s, rows);
  const auto known = of(*s);
  REQUIRE(known.size() == 100 + 64);
  CHECK(known.front().number == 1);
  CHECK(known.back().number == 200);
  std::int64_t before = 0, oldest_ended = 0;
  for (const auto& c : known) {
    CHECK(c.number > before);
    before = c.number;
    if (c.state != state::open && oldest_ended == 0)
      oldest_ended = c.number;
  }
  CHECK(oldest_ended == 200 - 2 * 63);
  CHECK(ids(of(*s, "!other:x")) == "other");
  CHECK(of(*s, "!none:x").empty());
}

TEST_CASE("Confirmations of all rooms are paged from the newest", "[store][confirmation]") {
  auto s = memory();
  for (int n = 1; n <= 5; ++n)
    put(*s, {confirmation("q" + std::to_string(n), n, n % 2 ? "!b:x" : "!a:x")});
  auto ended = confirmation("q4", 4, "!a:x");
  ended.state = state::dropped;
  put(*s, {ended});
  auto page = need(s->confirmations(false, 0, 2));
  CHECK(ids(page) == "q5 q4");
  page = need(s->confirmations(false, page.back().seq, 2));
  CHECK(ids(page) == "q3 q2");
  page = need(s->confirmations(false, page.back().seq, 2));
  CHECK(ids(page) == "q1");
  CHECK(need(s->confirmations(false, page.back().seq, 2)).empty());
  page = need(s->confirmations(true, 0, 2));
  CHECK(ids(page) == "q5 q3");
  CHECK(ids(need(s->confirmations(true, page.back().seq, 9))) == "q2 q1");
}

TEST_CASE("A room whose question is open is woken after a start", "[store][confirmation]") {
  auto s = memory();
  auto c = confirmation("q1", 1);
  put(*s, {c});
  CHECK(need(s->rooms_with_work()) == std::vector{room_id{"!r:x"}});
  CHECK(need(s->counts()).confirmations_open == 1);
  c.state = state::expired;
  put(*s, {c});
  CHECK(need(s->rooms_with_work()).empty());
  CHECK(need(s->counts()).confirmations_open == 0);
}

TEST_CASE("The prompt and its confirmation become true together or not at all",
          "[store][confirmation][I3]") {
  auto s = memory();
  settlement what;
  what.outbox = {message("q1")};
  what.confirmations = {confirmation("q1", 1)};
  settle(*s, what);
  what.confirmations = {confirmation("q2", 2)};
  what.outbox[0].body = "{}"; // its id was used
  need(s->begin());
  CHECK(refused(s->settle(what)).code == fault_code::conflict);
  need(s->commit()); // the rest of the group stands
  CHECK(ids(of(*s)) == "q1");

  settlement bad; // the room of its turn does not exist: a fault of ours, after the confirmation
  bad.confirmations = {confirmation("q3", 3)};
  bad.turn = turn("t1", 1, "!unknown:x");
  need(s->begin());
  CHECK(refused(s->settle(bad)).code == fault_code::bug);
  need(s->commit());
  CHECK(ids(of(*s)) == "q1");
}

TEST_CASE("A replaced room hands on its confirmations, but not those of its open turn",
          "[store][confirmation]") {
  auto s = memory();
  add_room(*s, chat("!old:x", 7));
  need(alone(*s, [&] { return s->admit(batch("s1", {event("$1", "!old:x")})); }));
  need(alone(*s, [&] { return s->dispatch(turn("t-open", 1, "!old:x")); }));
  auto ended = confirmation("ended", 1, "!old:x"), waits = confirmation("waits", 2, "!old:x"),
       running = confirmation("running", 3, "!old:x");
  ended.state = state::yes;
  running.turn = turn_id{"t-open"};
  put(*s, {ended, waits, running});
  settlement move;
  move.room = chat("!new:x", 7);
  move.moved_from = room_id{"!old:x"};
  settle(*s, move);
  CHECK(ids(of(*s, "!new:x")) == "ended waits");
  CHECK(ids(of(*s, "!old:x")) == "running");
  waits.state = state::expired; // whoever still knows the old room does not take it back there
  put(*s, {waits});
  CHECK(of(*s, "!new:x").back().state == state::expired);
}

TEST_CASE("A confirmation survives the process", "[store][confirmation]") {
  const temp_dir dir;
  put(*open_at(dir.file()), {confirmation("q1", 1)});
  auto s = open_at(dir.file());
  CHECK(of(*s).at(0).prompt == "Delete \xf0\x9f\x98\x80?\n`rm -rf`");
  put(*s, {confirmation("q2", 2)});
  CHECK(of(*s).at(1).seq == 2);
  s.reset();
  need(raw(dir.file()).exec("UPDATE confirmation SET state = 5"));
  s = open_at(dir.file());
  CHECK(of(*s).at(0).state == state::dropped);
}
