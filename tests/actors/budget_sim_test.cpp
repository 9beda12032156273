// What a homeserver that limits, refuses or rests does to what we have to say: it comes later, in
// order, once.

#include "actors/matrix/sender.hpp"
#include "actors/phrases.hpp"
#include "bridges/matrix/compose.hpp"
#include "tests/support/check_replies.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

rate_limits synapse(bool hints = true) {
  rate_limits l;
  l.message = call_rate{0.2, 10};
  l.hints = hints;
  return l;
}

device_id scope_of(const sim_world& w) {
  session_ref s;
  s.access_token = w.process.homeserver.access_token->show();
  s.device = device_id{"BOT"};
  return s.scope();
}

outbox_row final_row(const sim_world& w, const std::string& room, const std::string& text) {
  static int made = 0;
  outbox_row r;
  r.id = outbox_id{"row" + std::to_string(++made)};
  r.room = room_id{room};
  r.txn = "pb-" + r.id.value;
  r.device = scope_of(w);
  r.made_at = w.wall();
  matrix::message_draft m;
  m.text = text;
  m.row = r.id;
  m.kind = matrix::delivery::final_answer;
  r.body = matrix::compose_message(m);
  return r;
}

/// As if an earlier life had decided to say this.
void decided_before(sim_world& w, std::vector<outbox_row> rows) {
  settlement s;
  s.outbox = std::move(rows);
  REQUIRE(w.disk->begin());
  REQUIRE(w.disk->settle(s));
  REQUIRE(w.disk->commit());
}

double number_of(const sim_world& w, const std::string& line) {
  const auto text = w.numbers();
  const auto at = text.find("\n" + line + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
}

fault_rule refuse_sends(int status, const std::string& code, std::uint32_t times) {
  fault_rule f;
  f.method = "PUT";
  f.path_regex = "/send/";
  f.times = times;
  f.answer = http_response{status, {}, json{{"errcode", code}, {"error", "no"}}.dump()};
  return f;
}

} // namespace

TEST_CASE("fifty rooms that ask at once all get their answer within Synapse's default limits") {
  const bool hints = GENERATE(true, false);
  sim_world w;
  w.start();
  std::vector<std::string> chats, asked;
  for (int i = 0; i < 50; ++i)
    chats.push_back(w.onboard("p" + std::to_string(i)));
  w.run_for(1min);
  w.server.set_limits(synapse(hints));
  const auto began = w.clock.now();
  for (int i = 0; i < 50; ++i)
    asked.push_back(w.say("p" + std::to_string(i), chats[static_cast<std::size_t>(i)], "hello"));
  const auto all = [&] {
    for (std::size_t i = 0; i < chats.size(); ++i)
      if (w.replies_to(chats[i], asked[i]).empty())
        return false;
    return true;
  };
  INFO("hints " << hints);
  const auto ideal = std::chrono::seconds(static_cast<int>((50 - 10) / 0.2));
  while (!all() && w.clock.now() - began < 2 * ideal)
    w.run_for(1s);
  CHECK(w.clock.now() - began <= ideal * 5 / 4);
  w.run_for(1min);
  for (std::size_t i = 0; i < chats.size(); ++i)
    CHECK(w.replies_to(chats[i], asked[i]) == std::vector<std::string>{"hello"});
  // The first ones did not wait, the last ones did, and the metric shows it.
  CHECK(number_of(w, "patchbay_send_budget_wait_seconds_count{class=\"final\"}") >= 50);
  CHECK(number_of(w, "patchbay_send_budget_wait_seconds_sum{class=\"final\"}") > 40 * 50);
  CHECK(number_of(w, "patchbay_send_budget_rate") == Approx(0.2).epsilon(0.3));
  CHECK(number_of(w, "patchbay_rate_limited_total") < 25);
}

TEST_CASE("a room with forty answers delays another room's one answer by its fair share only") {
  sim_world w;
  w.start();
  const auto noisy = w.onboard("alice"), quiet = w.onboard("bob");
  w.crash();
  std::vector<outbox_row> rows;
  for (int i = 0; i < 40; ++i)
    rows.push_back(final_row(w, noisy, "n" + std::to_string(i)));
  rows.push_back(final_row(w, quiet, "q"));
  decided_before(w, std::move(rows));
  w.server.set_limits(synapse());
  w.start();
  REQUIRE(w.run_until([&] { return !w.answers(quiet).empty(); }, 1h));
  CHECK(w.answers(noisy).size() <= 2);
  REQUIRE(w.run_until([&] { return w.answers(noisy).size() == 40; }, 1h));
  for (int i = 0; i < 40; ++i)
    CHECK(w.answer_texts(noisy)[static_cast<std::size_t>(i)] == "n" + std::to_string(i));
}

TEST_CASE("a new room is made while the limit presses") {
  sim_world w;
  w.start();
  const auto noisy = w.onboard("alice"), chat = w.onboard("bob");
  w.crash();
  std::vector<outbox_row> rows;
  for (int i = 0; i < 30; ++i)
    rows.push_back(final_row(w, noisy, "n" + std::to_string(i)));
  decided_before(w, std::move(rows));
  w.server.set_limits(synapse());
  w.start();
  w.run_for(20s);
  const auto asked = w.say("bob", chat, "!new garden");
  CHECK(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }, 15min));
  CHECK(w.run_until([&] { return w.answers(noisy).size() == 30; }, 15min));
  CHECK(w.replies_to(chat, asked).size() == 1);
}

TEST_CASE("a homeserver that takes nothing for an hour gets everything afterwards, in order") {
  sim_world w;
  w.start();
  std::vector<std::string> chats;
  for (const auto* who : {"alice", "bob", "carol"})
    chats.push_back(w.onboard(who));
  w.crash();
  // One more than the sender keeps in memory.
  constexpr int count = static_cast<int>(matrix_sender_state::memory_cap) + 1;
  std::vector<outbox_row> rows;
  for (int i = 0; i < count; ++i)
    rows.push_back(final_row(w, chats[static_cast<std::size_t>(i % 3)], std::to_string(i)));
  decided_before(w, std::move(rows));
  const auto rule = w.server.add_fault(refuse_sends(503, "M_UNKNOWN", 1'000'000));
  w.start();
  w.run_for(1h);
  CHECK(number_of(w, "patchbay_outbox_waiting") == matrix_sender_state::memory_cap);
  // An hour at the cap of a minute: it looks in between once and twice a minute.
  CHECK(w.server.fault_hits(rule) > 50);
  CHECK(w.server.fault_hits(rule) < 300);
  CHECK_FALSE(w.ended);
  w.server.clear_faults();
  const auto began = w.clock.now();
  REQUIRE(w.run_until([&] { return !w.answers(chats[0]).empty(); }, 1h));
  CHECK(w.clock.now() - began <= 120s);
  w.run_for(5min);
  for (int c = 0; c < 3; ++c) {
    std::vector<std::string> wanted;
    for (int i = c; i < count; i += 3)
      wanted.push_back(std::to_string(i));
    CHECK(w.answer_texts(chats[static_cast<std::size_t>(c)]) == wanted);
  }
}

TEST_CASE("an answer that the homeserver refuses for good is told in its room, exactly once") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.server.add_fault(refuse_sends(413, "M_TOO_LARGE", 1));
  w.say("alice", chat, "question");
  w.run_for(1min);
  const auto told =
      say(language::en, phrase::undelivered, {say(language::en, phrase::why_too_large)});
  CHECK(w.answer_texts(chat) == std::vector<std::string>{told});
  CHECK(w.answers(chat)[0].at("content").at("msgtype") == "m.notice");
  CHECK(w.log->count("outbox_dead") == 1);
  CHECK(number_of(w, "patchbay_outbox_dead_total") == 1);
  // The room goes on.
  const auto next = w.say("alice", chat, "next");
  w.run_for(1min);
  CHECK(w.replies_to(chat, next) == std::vector<std::string>{"next"});
}

TEST_CASE("a notice about a dead letter that dies itself is told by nobody") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.server.add_fault(refuse_sends(400, "M_BAD_JSON", 2));
  w.say("alice", chat, "question");
  w.run_for(5min);
  CHECK(w.answer_texts(chat).empty());
  CHECK(w.log->count("outbox_dead") == 2);
}

TEST_CASE("who may not speak in a room is not told there that he may not") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto rule = w.server.add_fault(refuse_sends(403, "M_FORBIDDEN", 10));
  w.say("alice", chat, "question");
  w.run_for(5min);
  CHECK(w.server.fault_hits(rule) == 1);
  CHECK(w.log->count("outbox_dead") == 1);
}

TEST_CASE("killed at any step, the death of a row and its notice are never apart") {
  for (std::uint64_t kill_at = 0; kill_at <= 60; kill_at += 2) {
    sim_options o;
    o.seed = kill_at + 1;
    sim_world w{o};
    w.start();
    const auto chat = w.onboard("alice");
    const auto rule = w.server.add_fault(refuse_sends(400, "M_BAD_JSON", 1));
    w.say("alice", chat, "question");
    REQUIRE(w.run_until([&] { return w.server.fault_hits(rule) == 1; }, 1min));
    const auto from = w.steps;
    w.run_until([&] { return w.steps - from >= kill_at; }, 10s);
    w.crash();
    w.start();
    w.run_for(2min);
    INFO("killed " << kill_at << " steps after the refusal");
    // Either the refusal was never heard of and the answer went out, or it was, and is told.
    const auto told = say(language::en, phrase::undelivered,
                          {say(language::en, phrase::why_refused, {"M_BAD_JSON"})});
    const auto texts = w.answer_texts(chat);
    REQUIRE(texts.size() == 1);
    CHECK((texts[0] == told || texts[0] == "question"));
  }
}

TEST_CASE("an old row is looked for in its room, and what is there is not said again") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.crash();
  auto there = final_row(w, chat, "there"), missing = final_row(w, chat, "missing");
  there.made_at -= 21 * 3'600'000;
  missing.made_at -= 21 * 3'600'000;
  // Sent in an earlier life; the homeserver has forgotten the transaction since.
  REQUIRE(w.server.send("@bot:localhost", chat, "m.room.message", json::parse(there.body)));
  for (int i = 0; i < 250; ++i) // three pages back
    REQUIRE(w.server.send("@bot:localhost", chat, "m.room.message",
                          {{"msgtype", "m.text"}, {"body", "later"}}));
  decided_before(w, {there, missing});
  w.start();
  w.run_for(1min);
  const auto texts = w.answer_texts(chat);
  CHECK(std::count(texts.begin(), texts.end(), "there") == 1);
  CHECK(std::count(texts.begin(), texts.end(), "missing") == 1);
  CHECK(w.log->count("outbox_reconciled") == 1);
}

TEST_CASE("where the room is too long to tell, nothing is said twice and the room is told") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.crash();
  auto row = final_row(w, chat, "perhaps");
  row.made_at -= 21 * 3'600'000;
  REQUIRE(w.server.send("@bot:localhost", chat, "m.room.message", json::parse(row.body)));
  for (int i = 0; i < 5'100; ++i)
    w.server.inject_event("@bot:localhost", chat, "m.room.message",
                          {{"msgtype", "m.text"}, {"body", "later"}});
  decided_before(w, {row});
  w.start();
  w.run_for(5min);
  const auto texts = w.answer_texts(chat);
  CHECK(std::count(texts.begin(), texts.end(), "perhaps") == 1);
  CHECK(texts.back() == say(language::en, phrase::perhaps_delivered));
}
