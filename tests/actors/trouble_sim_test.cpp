// What goes wrong outside and what is lost or said twice because of it: nothing.

#include "actors/phrases.hpp"
#include "tests/support/check_replies.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

TEST_CASE("an outage in the middle loses nothing and says nothing twice") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.agent.use([](const heard& h) {
      return std::vector<step>{wait(500ms), chunk(h.frame.value("text", "")), end()};
    });
    w.start();
    const auto chat = w.onboard("alice");
    std::vector<std::string> asked;
    for (int i = 0; i < 5; ++i) {
      asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
      w.run_for(std::chrono::milliseconds(100 * seed));
    }
    w.http->down = true;
    w.dial.break_all();
    asked.push_back(w.say("alice", chat, "while down"));
    w.run_for(10min);
    CHECK_FALSE(w.health->read().ready);
    w.http->down = false;
    w.run_for(5min);
    INFO("seed " << seed);
    CHECK(w.health->read().ready);
    check_each_once(w, chat, asked);
  }
}

TEST_CASE("lost requests and lost answers: each message is answered exactly once, in order") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.start();
    const auto chat = w.onboard("alice");
    w.http->lose_request = 0.2;
    w.http->lose_answer = 0.2;
    std::vector<std::string> asked, wanted;
    for (int i = 0; i < 10; ++i) {
      asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
      wanted.push_back("m" + std::to_string(i));
      w.run_for(200ms);
    }
    w.run_for(10min);
    w.http->lose_request = w.http->lose_answer = 0;
    w.run_for(3min);
    INFO("seed " << seed);
    check_each_once(w, chat, asked);
    CHECK(w.answer_texts(chat) == wanted);
  }
}

TEST_CASE("killed at any step and started again: each message is answered once or reported") {
  std::size_t reported = 0;
  for (std::uint64_t kill_at = 1; kill_at <= 240; kill_at += 2) {
    sim_options o;
    o.seed = kill_at;
    sim_world w{o};
    w.agent.use([](const heard& h) {
      return std::vector<step>{chunk("re: "), wait(20ms), chunk(h.frame.value("text", "")), end()};
    });
    w.start();
    const auto chat = w.onboard("alice");
    std::vector<std::string> asked;
    for (int i = 0; i < 3; ++i)
      asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
    const auto from = w.steps;
    w.run_until([&] { return w.steps - from >= kill_at; }, 10s);
    w.crash();
    w.start();
    w.run_for(2min);
    INFO("killed after " << kill_at << " messages");
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const auto replies = w.replies_to(chat, asked[i]);
      REQUIRE(replies.size() == 1);
      const bool told = replies[0] == say(language::en, phrase::router_interrupted);
      reported += told ? 1 : 0;
      if (!told)
        CHECK(replies[0] == "re: m" + std::to_string(i));
    }
    // The agent is not idempotent: it never hears a message twice.
    std::map<std::string, int> heard_of;
    for (const auto& m : w.agent.user_messages())
      CHECK(++heard_of[m.frame.value("text", "")] == 1);
  }
  CHECK(reported > 0); // some of the kills hit a running turn
}

TEST_CASE("an idempotent agent is asked again after a kill, with the same message_id") {
  agent_spec spec;
  spec.id = agent_id{"a"};
  spec.label = "A";
  spec.base_url = "http://x";
  spec.idempotent = true;
  sim_options o;
  o.agent = spec;
  sim_world w{o};
  w.agent.use(always({wait(60s), chunk("never"), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "question");
  w.run_for(2s);
  w.crash();
  w.agent.use(echo());
  w.start();
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  w.run_for(10s);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"question"});
  const auto turns = w.agent.user_messages();
  REQUIRE(turns.size() == 2);
  CHECK(turns[0].frame.at("message_id") == turns[1].frame.at("message_id"));
}

TEST_CASE("a full disk takes nothing in, says so, and does not end the router") {
  sim_options o;
  o.max_pages = 400;
  sim_world w{o};
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> asked;
  for (int i = 0; i < 100 && w.health->read().ready; ++i) {
    asked.push_back(w.say("alice", chat, std::string(30'000, 'a')));
    w.run_for(2s);
  }
  CHECK_FALSE(w.health->read().database_writable);
  CHECK_FALSE(w.health->read().ready);
  CHECK_FALSE(w.ended); // it waits for room
  CHECK(asked.size() > 5);
}

TEST_CASE("a room without a record says so once a minute and invents nothing") {
  sim_world w;
  w.start();
  w.onboard("alice");
  const auto made =
      w.call("alice", "POST", "/createRoom", {{"preset", "private_chat"}, {"name", "odd"}});
  const std::string room = made.at("room_id");
  w.call("alice", "POST", "/rooms/" + room + "/invite", {{"user_id", "@bot:localhost"}});
  // Joined behind the router's back, as another program with this account would.
  REQUIRE(w.server.send("@bot:localhost", room, "m.room.member", {{"membership", "join"}},
                        "@bot:localhost"));
  std::vector<std::string> asked;
  for (int i = 0; i < 4; ++i) {
    asked.push_back(w.say("alice", room, "hello?"));
    w.run_for(10s);
  }
  std::size_t told = 0;
  for (const auto& e : asked)
    told += w.replies_to(room, e).size();
  CHECK(told == 1);
  w.run_for(1min); // the others were held, and are told together
  told = 0;
  for (const auto& e : asked)
    told += w.replies_to(room, e).size();
  CHECK(told == 2);
  CHECK(w.replies_to(room, asked.back()).size() == 1);
  CHECK(w.agent.user_messages().empty());
}

TEST_CASE("an event whose every field has a wrong type stops nothing") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.server.inject_event("@alice:localhost", chat, "m.room.message", {{"body", "x"}},
                        {{"type", 7},
                         {"sender", nullptr},
                         {"content", "text"},
                         {"event_id", json::array()},
                         {"origin_server_ts", "yesterday"}});
  w.server.inject_event("@alice:localhost", chat, "m.room.message",
                        {{"msgtype", 7}, {"body", json::object()}, {"m.relates_to", 3}});
  const auto asked = w.say("alice", chat, "hello");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.log->count("event_poisoned") == 1);
}

TEST_CASE("a text of 60 KB is refused in words, and nothing of it reaches the agent") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, std::string(60'000, 'x'));
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.replies_to(chat, asked)[0].find("60000") != std::string::npos);
  CHECK(w.agent.user_messages().empty());
}

TEST_CASE("an encrypted room gets one fixed notice and never anything else") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  REQUIRE(w.server.send("@alice:localhost", chat, "m.room.encrypted",
                        {{"algorithm", "m.megolm.v1.aes-sha2"}}));
  w.run_for(5s);
  REQUIRE(w.server.send("@alice:localhost", chat, "m.room.encrypted",
                        {{"algorithm", "m.megolm.v1.aes-sha2"}}));
  w.run_for(5s);
  CHECK(w.answer_texts(chat) ==
        std::vector<std::string>{say(language::en, phrase::encrypted_room)});
}

TEST_CASE("a limited timeline is walked back, and every message in it is answered in order") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.http->down = true;
  w.run_for(1min);
  std::vector<std::string> asked, wanted;
  for (int i = 0; i < 150; ++i) {
    asked.push_back(w.say("alice", chat, "m" + std::to_string(i)));
    wanted.push_back("m" + std::to_string(i));
  }
  w.run_for(5min);
  w.http->down = false;
  w.run_for(5min);
  check_each_once(w, chat, asked);
  CHECK(w.answer_texts(chat) == wanted); // an absence: the queue's limit does not count
}

TEST_CASE("edits of waiting messages count, redacted ones are dropped, late edits are told") {
  sim_world w;
  w.agent.use([](const heard& h) {
    return std::vector<step>{wait(5s), chunk(h.frame.value("text", "")), end()};
  });
  w.start();
  const auto chat = w.onboard("alice");
  const auto runs = w.say("alice", chat, "first");
  w.run_for(1s);
  const auto waits = w.say("alice", chat, "secnod"), gone = w.say("alice", chat, "third");
  w.run_for(1s);
  const auto edit = [&](const std::string& target, const std::string& text) {
    return *w.server.send("@alice:localhost", chat, "m.room.message",
                          {{"msgtype", "m.text"},
                           {"body", "* " + text},
                           {"m.new_content", {{"msgtype", "m.text"}, {"body", text}}},
                           {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", target}}}});
  };
  edit(waits, "!new is not a command here");
  const auto late = edit(runs, "fisrt");
  w.call("alice", "PUT", "/rooms/" + chat + "/redact/" + gone + "/t1", json::object());
  w.run_for(30s);
  auto replies = w.replies_to(chat, runs);
  std::sort(replies.begin(), replies.end());
  CHECK(replies == std::vector<std::string>{say(language::en, phrase::edit_too_late), "first"});
  CHECK(w.replies_to(chat, waits) == std::vector<std::string>{"!new is not a command here"});
  CHECK(w.replies_to(chat, gone).empty());
  CHECK(w.replies_to(chat, late).empty());
}

TEST_CASE("a stop drains: what runs may finish, what waits is found again at the next start") {
  sim_world w;
  w.agent.use([](const heard& h) {
    return std::vector<step>{wait(3s), chunk(h.frame.value("text", "")), end()};
  });
  w.start();
  const auto chat = w.onboard("alice");
  const auto one = w.say("alice", chat, "one"), two = w.say("alice", chat, "two");
  w.run_for(1s);
  CHECK(w.stop() == 0);
  CHECK(w.replies_to(chat, one) == std::vector<std::string>{"one"});
  CHECK(w.replies_to(chat, two).empty());
  w.crash();
  w.start();
  w.run_for(1min);
  CHECK(w.replies_to(chat, two) == std::vector<std::string>{"two"});
}

TEST_CASE("a stop does not wait for ever: the room of an endless turn is told at the next start") {
  sim_world w;
  w.process.drain = 5s;
  w.agent.use(always({wait(3600s), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "endless");
  w.run_for(1s);
  const auto began = w.clock.now();
  CHECK(w.stop() == 0);
  CHECK(w.clock.now() - began < 8s);
  w.crash();
  w.start();
  w.run_for(1min);
  CHECK(w.replies_to(chat, asked) ==
        std::vector<std::string>{say(language::en, phrase::router_interrupted)});
}
