// The answer as it grows: drafts, edits, finals, and what becomes of them.

#include "actors/phrases.hpp"
#include "actors/room/guard_logic.hpp"
#include "actors/room/stream_logic.hpp"
#include "tests/support/sim_world.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<step> drip(int chunks, std::chrono::milliseconds gap) {
  std::vector<step> out;
  for (int i = 0; i < chunks; ++i) {
    out.push_back(chunk("w" + std::to_string(i) + " "));
    out.push_back(scripted::wait(gap));
  }
  out.push_back(end());
  return out;
}

/// kind, relation, text of every event of the bot since `from`.
std::vector<std::string> trace_of(const sim_world& w, const std::string& room, std::size_t from) {
  std::vector<std::string> out;
  const auto all = w.said_by_bot(room);
  for (std::size_t i = from; i < all.size(); ++i) {
    const auto& c = all[i].at("content");
    const auto relation = c.contains("m.new_content")                                     ? "edit"
                          : c.contains(json::json_pointer("/m.relates_to/m.in_reply_to")) ? "reply"
                                                                                          : "-";
    out.push_back(c.value(json::json_pointer("/io.patchbay.delivery/kind"), "") + " " + relation +
                  " " +
                  (c.contains("m.new_content") ? c.at("m.new_content") : c).value("body", ""));
  }
  return out;
}

} // namespace

TEST_CASE("the plan: a draft soon, then edits at a slowing pace, so many and no more") {
  stream_rules rules;
  stream_plan plan{rules};
  CHECK_FALSE(plan.due());
  std::vector<std::int64_t> shown;
  for (std::int64_t t = 0; t <= 60'000; t += 30) { // 2,000 chunks in a minute
    const std::chrono::milliseconds at{t};
    plan.changed(at);
    if (const auto due = plan.due(); due && *due <= at) {
      shown.push_back(t);
      plan.shown(at);
    }
  }
  REQUIRE(shown.size() > 10);
  CHECK(shown.size() <= rules.max_edits + 1);
  CHECK(shown[0] <= 130);
  for (std::size_t i = 2; i < shown.size(); ++i) {
    CHECK(shown[i] - shown[i - 1] >= shown[i - 1] - shown[i - 2]);
    CHECK(shown[i] - shown[i - 1] <= rules.max_interval.count() + 30);
  }
  rules.max_edits = 2;
  stream_plan few{rules};
  for (int i = 0; i < 3; ++i) {
    few.changed(100s * i);
    REQUIRE(few.due());
    few.shown(100s * i + 1s);
  }
  few.changed(1000s);
  CHECK_FALSE(few.due());
  rules.mode = streaming_mode::final_only;
  stream_plan silent{rules};
  silent.changed(1s);
  CHECK_FALSE(silent.due());
}

TEST_CASE("the guard stops listening to who answers like a bot, for a while, and says so once") {
  loop_guard g;
  const user_id bot{"@other:s"}, person{"@bob:s"};
  std::chrono::milliseconds t{1'000};
  for (unsigned i = 1; i < loop_guard::bounces; ++i) {
    g.answered(bot, t);
    CHECK(g.wrote(bot, t + 100ms) == loop_guard::verdict::listen);
    t += 1s;
  }
  g.answered(bot, t);
  CHECK(g.wrote(bot, t + 100ms) == loop_guard::verdict::tell);
  CHECK(g.wrote(bot, t + 5s) == loop_guard::verdict::ignore);
  CHECK(g.wrote(bot, t + 11min) == loop_guard::verdict::listen);
  for (int i = 0; i < 20; ++i) { // who takes time to read is no bot
    g.answered(person, t);
    CHECK(g.wrote(person, t + 3s) == loop_guard::verdict::listen);
    t += 4s;
  }
  for (std::size_t i = 0; i <= loop_guard::cap; ++i) // more than the cap: not remembered
    g.answered(user_id{"@u" + std::to_string(i) + ":s"}, t);
  CHECK(g.wrote(user_id{"@u200:s"}, t) == loop_guard::verdict::listen);
}

TEST_CASE("a slow answer is one message: silent draft, edits, one loud final edit") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.agent.use(always(drip(12, 500ms)));
  const auto before = w.said_by_bot(chat).size();
  const auto asked = w.say("alice", chat, "go");
  w.run_for(20s);
  const auto trace = trace_of(w, chat, before);
  REQUIRE(trace.size() >= 4);
  CHECK(trace.front() == "draft reply w0 ");
  for (std::size_t i = 1; i + 1 < trace.size(); ++i)
    CHECK(trace[i].starts_with("draft edit w0 w1"));
  CHECK(trace.back() == "final edit w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11");
  CHECK(trace.size() <= 8);
  const auto events = w.said_by_bot(chat);
  for (std::size_t i = before; i < events.size(); ++i) {
    const auto& c = events[i].at("content");
    const bool last = i + 1 == events.size();
    CHECK(c.at("msgtype") == (last ? "m.text" : "m.notice"));
    CHECK(c.at("m.mentions") == (last ? json{{"user_ids", {"@alice:localhost"}}} : json::object()));
  }
  CHECK(w.replies_to(chat, asked).size() == 1);
  CHECK(w.stop() == 0);
}

TEST_CASE("a quick answer has no draft, and a room may choose finals alone") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.agent.use(always({chunk("quick"), scripted::wait(40ms), chunk(" one"), end()}));
  auto before = w.said_by_bot(chat).size();
  w.say("alice", chat, "go");
  w.run_for(5s);
  CHECK(trace_of(w, chat, before) == std::vector<std::string>{"final reply quick one"});
  w.say("alice", chat, "!set streaming final");
  w.run_for(2s);
  w.agent.use(always(drip(10, 1s)));
  before = w.said_by_bot(chat).size();
  w.say("alice", chat, "slowly");
  w.run_for(20s);
  CHECK(trace_of(w, chat, before).size() == 1);
}

TEST_CASE("2,000 chunks in a minute cost at most max_edits + 2 requests") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.agent.use(always(drip(2'000, 30ms)));
  w.say("alice", chat, "go");
  w.run_until([&] { return !w.agent.user_messages().empty(); });
  const auto before = w.http->seen.size();
  w.run_for(90s);
  std::size_t sends = 0;
  for (std::size_t i = before; i < w.http->seen.size(); ++i)
    sends += has(w.http->seen[i].target, "/send/") ? 1 : 0;
  CHECK(sends <= w.process.streaming.max_edits + 2);
  CHECK(sends >= 10);
  CHECK(has(w.answer_texts(chat).back(), "w1999"));
}

TEST_CASE("tool calls are lines of the draft and no part of the final") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.agent.use(
      always({tool_call("1", "search", "{}"), scripted::wait(3s), tool_result("1", "search", "[]"),
              chunk("Found it."), scripted::wait(3s), end()}));
  const auto before = w.said_by_bot(chat).size();
  w.say("alice", chat, "go");
  w.run_for(20s);
  const auto trace = trace_of(w, chat, before);
  REQUIRE(trace.size() == 3);
  CHECK(trace[0] == "draft reply ⚙ search …");
  CHECK(trace[1] == "draft edit Found it.\n\n⚙ search ✓");
  CHECK(trace[2] == "final edit Found it.");
}

TEST_CASE("an interrupted answer keeps its text and says what to do; so does a stopped one") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.agent.use(always({chunk("half of it"), scripted::wait(2s), break_off()}));
  const auto asked = w.say("alice", chat, "go");
  w.run_for(10s);
  auto replies = w.replies_to(chat, asked);
  REQUIRE(replies.size() == 1);
  CHECK(has(replies[0], "half of it\n\n"));
  CHECK(has(replies[0], "!retry"));
  w.agent.use(always({chunk("more"), scripted::wait(600s), end()}));
  const auto again = w.say("alice", chat, "again");
  w.run_for(3s);
  const auto stop = w.say("alice", chat, "!stop");
  w.run_for(1500ms);
  replies = w.replies_to(chat, again);
  REQUIRE(replies.size() == 1);
  CHECK(replies[0] == "more\n\n" + say(language::en, phrase::stopped));
  CHECK(w.replies_to(chat, stop).size() == 1);
}

TEST_CASE("killed while it streams: the draft stays, the interruption is told beside it, once") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.start();
    const auto chat = w.onboard("alice");
    w.agent.use(always(drip(20, 400ms)));
    const auto asked = w.say("alice", chat, "go");
    w.run_for(std::chrono::milliseconds(300 + 700 * seed));
    w.crash();
    w.start();
    w.run_for(30s);
    const auto replies = w.replies_to(chat, asked);
    REQUIRE(replies.size() == 1);
    CHECK((replies[0] == say(language::en, phrase::router_interrupted) || has(replies[0], "w19")));
    std::set<std::string> rows;
    for (const auto& e : w.said_by_bot(chat))
      CHECK(rows.insert(e.at("content").at("io.patchbay.delivery").at("id")).second);
  }
}

TEST_CASE("the final waits for its draft, and is a message of its own when that takes too long") {
  sim_world w;
  std::string draft;
  w.http->fate = [&](http_request& r) {
    http_fate f;
    // The draft's request hangs; what it carries is in its body.
    if (has(r.target, "/send/m.room.message/") && has(r.body, "\"kind\":\"draft\""))
      f.there = draft == "slow" ? 8s : 700ms;
    return f;
  };
  w.start();
  const auto chat = w.onboard("alice");
  w.agent.use(always({chunk("word"), scripted::wait(300ms), end()}));
  auto before = w.said_by_bot(chat).size();
  auto asked = w.say("alice", chat, "go");
  w.run_for(20s);
  CHECK(trace_of(w, chat, before) ==
        std::vector<std::string>{"draft reply word", "final edit word"});
  draft = "slow";
  before = w.said_by_bot(chat).size();
  asked = w.say("alice", chat, "go");
  w.run_for(30s);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"word"});
  const auto events = w.said_by_bot(chat);
  REQUIRE(events.size() == before + 2);
  CHECK_FALSE(events[before].at("content").contains("body")); // the late draft was taken back
  CHECK_FALSE(events[before + 1].at("content").contains("m.new_content"));
}

TEST_CASE("while finals wait for the budget no progress leaves") {
  sim_options o;
  o.limits.message = call_rate{1, 3};
  sim_world w{o};
  w.start();
  const auto streams = w.onboard("alice"), asks = w.onboard("bob");
  w.run_for(60s);
  w.agent.use(always(drip(120, 500ms)));
  w.say("alice", streams, "go");
  w.run_for(1s);
  for (int i = 0; i < 30; ++i)
    w.say("bob", asks, "!help");
  w.run_for(150s);
  std::vector<std::pair<std::int64_t, char>> all;
  for (const auto& room : {streams, asks})
    for (const auto& e : w.said_by_bot(room))
      all.emplace_back(e.at("origin_server_ts").get<std::int64_t>(),
                       e.at("content").at("io.patchbay.delivery").at("kind") == "draft" ? 'd'
                                                                                        : 'f');
  std::stable_sort(all.begin(), all.end());
  std::string order; // in which the homeserver took them
  for (const auto& [at, kind] : all)
    order.push_back(kind);
  // The first refusals teach the limit; from then on the thirty replies come in one row.
  CHECK(order.find(std::string(25, 'f')) != std::string::npos);
  CHECK(has(w.answer_texts(streams).back(), "w119"));
}
