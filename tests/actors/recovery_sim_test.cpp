// What was missed, lost or moved: holes in timelines, positions, databases, rooms.

#include "actors/phrases.hpp"
#include "tests/support/check_replies.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

const std::string bot = "@bot:localhost";

/// The newest state event of that type and key; null: there is none.
json state(const sim_world& w, const std::string& room, const std::string& type,
           const std::string& key = {}) {
  json found;
  for (auto& e : w.server.events(room))
    if (e.at("type") == type && e.value("state_key", "-") == key)
      found = std::move(e);
  return found;
}

std::string space_of(const sim_world& w, const std::string& owner) {
  for (const auto& room : w.server.rooms())
    if (const auto m = state(w, room, "io.patchbay.space");
        m.is_object() && m.at("content").at("owner") == owner)
      return room;
  return {};
}

void lose_database(sim_world& w) {
  w.crash();
  store_options fresh;
  fresh.path = ":memory:";
  fresh.now = [&w] { return w.wall(); };
  w.disk = std::move(*open_store(fresh));
}

fault_rule on(const std::string& method, const std::string& path, http_response answer,
              std::uint32_t times = 1'000'000) {
  fault_rule f;
  f.method = method;
  f.path_regex = path;
  f.times = times;
  f.answer = std::move(answer);
  return f;
}

std::string text_of(const heard& h) { return h.frame.value("text", ""); }

/// Alice may do everything in the room.
void may_replace(sim_world& w, const std::string& room) {
  REQUIRE(w.server.send(bot, room, "m.room.power_levels",
                        {{"users", {{"@alice:localhost", 100}, {bot, 100}}}}, ""));
}

std::size_t count_of(const std::vector<std::string>& texts, const std::string& text) {
  return static_cast<std::size_t>(std::count(texts.begin(), texts.end(), text));
}

} // namespace

TEST_CASE("a hole that the server does not admit is found by the event before it") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> asked{w.say("alice", chat, "before")};
  w.run_for(5s);
  w.http->down = true;
  w.run_for(2min);
  for (int i = 0; i < 120; ++i)
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
  fault_rule f;
  f.path_regex = "/sync";
  f.times = 1'000'000;
  f.deny_limited = true;
  w.server.add_fault(f);
  w.http->down = false;
  w.run_for(10min);
  check_each_once(w, chat, asked);
  CHECK(w.answer_texts(chat).size() == asked.size());
  CHECK(w.log->count("hole_found") == 1);
}

TEST_CASE(
    "a gap that cannot be read is named in log and room, and what came after it is answered") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "before");
  w.run_for(5s);
  w.http->down = true;
  w.run_for(2min);
  std::vector<std::string> asked;
  for (int i = 0; i < 120; ++i)
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
  w.server.add_fault(on("GET", "/messages", {403, {}, R"({"errcode":"M_FORBIDDEN"})"}));
  w.http->down = false;
  w.run_for(10min);
  CHECK(w.log->count("gap_abandoned") == 1);
  CHECK(count_of(w.answer_texts(chat),
                 say(language::en, phrase::messages_missing, {"fetch_failed"})) == 1);
  CHECK(w.replies_to(chat, asked.front()).empty());
  CHECK(w.replies_to(chat, asked.back()).size() == 1);
}

TEST_CASE("one room's hole does not stop another room's turn") {
  sim_options luck;
  luck.seed = GENERATE(1U, 11U, 12U);
  sim_world w(luck);
  w.start();
  const auto a = w.onboard("alice"), b = w.onboard("bob");
  w.say("alice", a, "x");
  w.run_for(5s);
  w.http->down = true;
  w.run_for(2min);
  std::vector<std::string> asked;
  for (int i = 0; i < 120; ++i)
    asked.push_back(w.say("alice", a, "m" + std::to_string(i)));
  const auto quick = w.say("bob", b, "quick");
  fault_rule slow;
  slow.path_regex = a.substr(1, a.find(':') - 1) + ".*/messages";
  slow.delay = 25s;
  w.server.add_fault(slow);
  w.http->down = false;
  REQUIRE(w.run_until([&] { return !w.replies_to(b, quick).empty(); }, 2min));
  CHECK(w.replies_to(a, asked.front()).empty());
  w.run_for(5min);
  check_each_once(w, a, asked);
}

TEST_CASE("a position that the server has forgotten costs nothing and repeats nothing") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> asked;
  for (int i = 0; i < 3; ++i)
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
  w.run_for(10s);
  w.http->down = true;
  w.run_for(1min);
  for (int i = 3; i < 6; ++i)
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
  w.server.add_fault(on("GET", "/sync", {400, {}, R"({"errcode":"M_UNKNOWN"})"}, 1));
  w.http->down = false;
  w.run_for(5min);
  CHECK(w.log->count("sync_position_lost") == 1);
  check_each_once(w, chat, asked);
  CHECK(w.agent.user_messages().size() == asked.size());
}

TEST_CASE("after a lost database the unanswered text is told once, and no id is used again") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "one");
  w.run_for(5s);
  const auto cleared = w.say("alice", chat, "!clear");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, cleared).empty(); }));
  lose_database(w);
  const auto missed = w.say("alice", chat, "while we were away");
  w.start();
  w.run_for(20s);
  CHECK(w.replies_to(chat, missed) ==
        std::vector<std::string>{say(language::en, phrase::records_lost)});
  w.crash();
  w.start();
  w.run_for(20s);
  CHECK(w.replies_to(chat, missed).size() == 1);
  CHECK(w.agent.user_messages().size() == 1);
  // The room that used id 2 lives on under it; every new id is behind what was ever given out.
  const auto again = w.say("alice", chat, "!clear");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, again).empty(); }));
  w.run_for(5s);
  const auto mark = state(w, chat, "io.patchbay.chat").at("content");
  CHECK(mark.at("platform_chat_id").get<int>() > 2);
  CHECK(mark.at("epoch") == 2);
}

TEST_CASE("nothing is acted on before a lost database knows its rooms again") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.run_for(5s);
  lose_database(w);
  const auto slow = w.server.add_fault(on("GET", "/joined_rooms", {503, {}, "{}"}, 6));
  w.start();
  REQUIRE(w.run_until([&] { return w.ready; }, 1min));
  const auto asked = w.say("alice", chat, "after ready");
  w.run_for(2s);
  CHECK(w.agent.user_messages().empty());
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }, 5min));
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"after ready"});
  CHECK(w.server.fault_hits(slow) == 6);
  CHECK(w.log->count("matrix_reconcile_complete") >= 2);
}

TEST_CASE("a link and a marker that vanished while we were away are repaired at the next start") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.run_for(5s);
  const auto space = space_of(w, "@alice:localhost");
  REQUIRE(w.stop() == 0);
  w.crash();
  REQUIRE(w.server.send(bot, space, "m.space.child", json::object(), chat));
  w.start();
  w.run_for(10s);
  CHECK(state(w, space, "m.space.child", chat).at("content").contains("via"));
  const auto rooms = w.server.rooms().size();
  CHECK(rooms == 3); // lobby, Space, chat: none was made
}

TEST_CASE(
    "a replaced room is followed when it points back: number, context and what waits go along") {
  sim_world w;
  w.agent.use([](const heard& h) {
    return text_of(h) == "slow" ? std::vector<step>{wait(20s), chunk("slow"), end()}
                                : std::vector<step>{chunk(text_of(h)), end()};
  });
  w.start();
  const auto old = w.onboard("alice");
  const auto slow = w.say("alice", old, "slow");
  w.run_for(3s);
  const auto waits = w.say("alice", old, "waits");
  w.run_for(1s);
  const auto made = w.call(
      "alice", "POST", "/createRoom",
      {{"preset", "public_chat"},
       {"creation_content", {{"predecessor", {{"room_id", old}}}}},
       {"power_level_content_override", {{"users", {{"@alice:localhost", 100}, {bot, 100}}}}}});
  const std::string next = made.at("room_id");
  may_replace(w, old);
  REQUIRE(w.server.send("@alice:localhost", old, "m.room.tombstone",
                        {{"body", "moved"}, {"replacement_room", next}}, ""));
  REQUIRE(w.run_until([&] { return !w.answers(next).empty(); }, 3min));
  w.run_for(30s);
  CHECK(w.replies_to(old, slow) == std::vector<std::string>{"slow"}); // where it was asked
  CHECK(w.replies_to(next, waits) == std::vector<std::string>{"waits"});
  CHECK(w.replies_to(old, waits).empty());
  const auto asked = w.say("alice", next, "here");
  REQUIRE(w.run_until([&] { return !w.replies_to(next, asked).empty(); }));
  CHECK(w.agent.user_messages().back().frame.at("chat_id") == 1);
  const auto mark = state(w, next, "io.patchbay.chat");
  REQUIRE(mark.is_object());
  CHECK(mark.at("content").at("chat") == "C1");
  const auto space = space_of(w, "@alice:localhost");
  CHECK(state(w, space, "m.space.child", next).at("content").contains("via"));
  CHECK_FALSE(state(w, space, "m.space.child", old).at("content").contains("via"));
  w.crash();
  w.start(); // and the next start finds nothing to repair
  w.run_for(20s);
  const auto more = w.say("alice", next, "still here");
  REQUIRE(w.run_until([&] { return !w.replies_to(next, more).empty(); }));
  CHECK(w.answers(next).size() == 4); // the notice and three answers
}

TEST_CASE("a tombstone whose room does not point back is not followed, and the room is told once") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto made = w.call("alice", "POST", "/createRoom", {{"preset", "public_chat"}});
  const std::string other = made.at("room_id");
  may_replace(w, chat);
  REQUIRE(w.server.send("@alice:localhost", chat, "m.room.tombstone",
                        {{"body", "moved"}, {"replacement_room", other}}, ""));
  w.run_for(1min);
  CHECK(w.log->count("upgrade_not_followed") == 1);
  CHECK(w.answers(chat).size() == 1);
  for (const auto& member : w.server.members(other))
    CHECK(member != bot);
  const auto asked = w.say("alice", chat, "still works");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  w.crash();
  w.start();
  w.run_for(1min);
  CHECK(w.answers(chat).size() == 2); // not told again
}

TEST_CASE("!retry sends the last interrupted message again as a new turn, never by itself") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto nothing = w.say("alice", chat, "!retry");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, nothing).empty(); }));
  CHECK(w.replies_to(chat, nothing)[0] == say(language::en, phrase::nothing_to_retry));

  w.agent.use(always({chunk("half"), wait(600s), end()}));
  const auto asked = w.say("alice", chat, "important");
  w.run_for(3s);
  w.crash();
  w.agent.use(echo());
  w.start();
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.replies_to(chat, asked)[0] == say(language::en, phrase::router_interrupted));
  CHECK(w.agent.user_messages().size() == 1);

  // Killed in the middle of the second try: it is told again, not tried again.
  w.agent.use(always({wait(600s), end()}));
  const auto first = w.say("alice", chat, "!retry");
  w.run_for(3s);
  CHECK(w.agent.user_messages().size() == 2);
  w.crash();
  w.agent.use(echo());
  w.start();
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, first).empty(); }));
  CHECK(w.agent.user_messages().size() == 2);

  w.say("alice", chat, "!retry");
  REQUIRE(w.run_until([&] { return w.replies_to(chat, asked).size() == 2; }));
  CHECK(w.replies_to(chat, asked)[1] == "important");
  const auto turns = w.agent.user_messages();
  REQUIRE(turns.size() == 3);
  CHECK(turns[2].frame.at("message_id") != turns[0].frame.at("message_id"));
  const auto done = w.say("alice", chat, "!retry");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, done).empty(); }));
  CHECK(w.replies_to(chat, done)[0] == say(language::en, phrase::nothing_to_retry));
}

TEST_CASE("put out of a room in the middle of a turn: cancelled, silent; invited back, it works") {
  sim_world w;
  w.agent.use(always({chunk("part"), wait(600s), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "long");
  w.run_for(3s);
  w.say("alice", chat, "waits");
  w.run_for(1s);
  REQUIRE(w.server.send(bot, chat, "m.room.power_levels",
                        {{"users", {{"@alice:localhost", 100}, {bot, 50}}}}, ""));
  w.call("alice", "POST", "/rooms/" + chat + "/kick", {{"user_id", bot}});
  w.run_for(30s);
  CHECK(w.agent.of_type("CANCEL").size() == 1);
  const auto said = w.answers(chat).size();
  w.agent.use(echo());
  w.call("alice", "POST", "/rooms/" + chat + "/invite", {{"user_id", bot}});
  w.run_for(30s);
  const auto asked = w.say("alice", chat, "back?");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.replies_to(chat, asked)[0] == "back?");
  CHECK(w.answers(chat).size() == said + 1);
}

TEST_CASE("what cannot be understood is set aside with its reason and its text") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.server.inject_event("@alice:localhost", chat, "m.room.message", {{"body", "x"}},
                        {{"content", 7}});
  const auto asked = w.say("alice", chat, "hello");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  const auto aside = w.disk->poison(0, 10);
  REQUIRE(aside);
  REQUIRE(aside->size() == 1);
  CHECK(aside->front().room.value == chat);
  CHECK_FALSE(aside->front().reason.empty());
  CHECK(aside->front().raw.find("content") != std::string::npos);
}

TEST_CASE("a walk that is killed again and again tells an unanswered text once") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.run_for(5s);
  lose_database(w);
  const auto missed = w.say("alice", chat, "while we were away");
  for (int n = 0; n < 40; ++n) {
    w.start();
    w.run_steps(static_cast<std::uint64_t>(40 + 8 * n), 1min);
    w.crash();
  }
  w.start();
  w.run_for(1min);
  CHECK(w.replies_to(chat, missed) ==
        std::vector<std::string>{say(language::en, phrase::records_lost)});
  const auto asked = w.say("alice", chat, "and now");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"and now"});
}
