// One whole turn and what can become of it: router, homeserver and agent in one thread, seeded.

#include "actors/phrases.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

std::string text_of(const heard& h) { return h.frame.value("text", ""); }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a person's message reaches the agent, and the answer comes back as a reply") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "hello there");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  w.run_for(5s);
  CHECK(w.replies_to(chat, asked) == std::vector<std::string>{"hello there"});
  const auto turns = w.agent.user_messages();
  REQUIRE(turns.size() == 1);
  CHECK(has(turns[0].url, "/agent_1/v1/agent_ws/1/"));
  CHECK(turns[0].frame.at("user_id") == "@alice:localhost");
  CHECK(turns[0].frame.at("chat_id") == 1);
  CHECK(turns[0].frame.at("attachments") == json::array());
  const auto answer = w.answers(chat).back().at("content");
  CHECK(answer.at("io.patchbay.delivery").at("kind") == "final");
  CHECK(answer.at("io.patchbay.delivery").at("turn") == turns[0].frame.at("message_id"));
  CHECK(answer.at("m.mentions").at("user_ids") == json::array({"@alice:localhost"}));
  CHECK(w.stop() == 0);
}

TEST_CASE("the same seed gives the same run, another one another order") {
  const auto run = [](std::uint64_t seed) {
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    w.start();
    const auto chat = w.onboard("alice");
    for (int i = 0; i < 5; ++i)
      w.say("alice", chat, "m" + std::to_string(i));
    w.run_until([&] { return w.answers(chat).size() >= 5; });
    std::string trace = std::to_string(w.steps);
    for (const auto& r : w.http->seen)
      trace += r.method + r.target.substr(0, 60) + "\n";
    return trace;
  };
  CHECK(run(11) == run(11));
  CHECK(run(11) != run(12));
}

TEST_CASE("messages of a room are answered one at a time and in order, under many seeds") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim_options o;
    o.seed = seed;
    sim_world w{o};
    std::size_t open = 0, most = 0;
    w.agent.use([&](const heard& h) {
      return std::vector<step>{wait(20ms), chunk("re: "), wait(10ms), chunk(text_of(h)), end()};
    });
    w.start();
    const auto chat = w.onboard("alice");
    std::vector<std::string> wanted;
    for (int i = 0; i < 8; ++i) {
      w.say("alice", chat, "m" + std::to_string(i));
      wanted.push_back("re: m" + std::to_string(i));
    }
    w.run_until([&] {
      open = w.agent.open();
      most = std::max(most, open);
      return w.answers(chat).size() >= wanted.size();
    });
    w.run_for(10s);
    INFO("seed " << seed);
    CHECK(w.answer_texts(chat) == wanted);
    CHECK(w.agent.user_messages().size() == wanted.size());
  }
}

TEST_CASE("rooms do not wait for one another") {
  sim_world w;
  w.agent.use([](const heard& h) {
    return text_of(h) == "slow" ? std::vector<step>{wait(60s), chunk("slow"), end()}
                                : std::vector<step>{chunk("fast"), end()};
  });
  w.start();
  const auto a = w.onboard("alice"), b = w.onboard("bob");
  w.say("alice", a, "slow");
  w.run_for(1s);
  w.say("bob", b, "quick");
  CHECK(w.run_until([&] { return !w.answers(b).empty(); }, 2s));
  CHECK(w.answers(a).empty());
  CHECK(w.run_until([&] { return !w.answers(a).empty(); }, 70s));
}

TEST_CASE(
    "a queue that is full refuses the next message with a reply, and answers all the others") {
  sim_options o;
  o.queue_limit = 3;
  sim_world w{o};
  w.agent.use([](const heard& h) { return std::vector<step>{wait(5s), chunk(text_of(h)), end()}; });
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> events;
  for (int i = 0; i < 6; ++i) { // one runs, three wait, two are too many
    events.push_back(w.say("alice", chat, "m" + std::to_string(i)));
    w.run_for(300ms);
  }
  w.run_until([&] { return w.answers(chat).size() >= 6; });
  w.run_for(10s);
  for (int i = 0; i < 6; ++i) {
    const auto replies = w.replies_to(chat, events[static_cast<std::size_t>(i)]);
    REQUIRE(replies.size() == 1);
    if (i < 4)
      CHECK(replies[0] == "m" + std::to_string(i));
    else
      CHECK(replies[0] == say(language::en, phrase::queue_full, {"3"}));
  }
}

TEST_CASE("200 messages at once in one room: each is answered or told, none twice") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  std::vector<std::string> events;
  for (int i = 0; i < 200; ++i)
    events.push_back(w.say("alice", chat, "m" + std::to_string(i)));
  w.run_for(2min);
  std::size_t answered = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto replies = w.replies_to(chat, events[i]);
    INFO("message " << i);
    REQUIRE(replies.size() == 1);
    answered += replies[0] == "m" + std::to_string(i) ? 1 : 0;
  }
  CHECK(answered >= 32);
}

TEST_CASE("every way in which a turn can fail has words, and the next one works") {
  struct failure {
    const char* name;
    std::vector<step> steps;
    std::string part;
  };
  const std::vector<failure> failures{
      {"error", {chunk("half"), error("quota", "secret details")}, "quota"},
      {"closed without END", {chunk("half"), hang_up()}, "half"},
      {"broken", {break_off()}, "connection to Echo ended"},
      {"not JSON", {raw("{nonsense")}, "do not understand"},
      {"empty", {end()}, "without a word"},
  };
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  for (const auto& f : failures) {
    INFO(f.name);
    w.agent.use(always(f.steps));
    const auto asked = w.say("alice", chat, f.name);
    REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
    CHECK(has(w.replies_to(chat, asked)[0], f.part));
    CHECK_FALSE(has(w.replies_to(chat, asked)[0], "secret details"));
    w.agent.use(echo());
    const auto next = w.say("alice", chat, "and now?");
    REQUIRE(w.run_until([&] { return !w.replies_to(chat, next).empty(); }));
    CHECK(w.replies_to(chat, next)[0] == "and now?");
  }
}

TEST_CASE("an agent that refuses, rejects or never answers the door is told at once, in words") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  const auto ask = [&](dial_plan plan) {
    w.dial.plan(plan);
    const auto began = w.clock.now();
    const auto asked = w.say("alice", chat, "x");
    REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
    return std::pair{w.replies_to(chat, asked)[0], w.clock.now() - began};
  };
  const auto refused = ask({dial_plan::how::refuse, 0, 0ms});
  CHECK(has(refused.first, "cannot reach Echo"));
  CHECK(refused.second < 3s);
  const auto rejected = ask({dial_plan::how::reject, 403, 0ms});
  CHECK(has(rejected.first, "HTTP 403"));
  const auto silent = ask({dial_plan::how::never_open, 0, 0ms});
  CHECK(has(silent.first, "cannot reach Echo"));
  CHECK(silent.second < 12s);
  CHECK(w.agent.user_messages().empty());
}

TEST_CASE("an agent that comes back within a moment is not reported") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  int dials = 0;
  w.dial.plan([&](const link_request&) {
    return ++dials < 3 ? dial_plan{dial_plan::how::refuse, 0, 0ms} : dial_plan{};
  });
  const auto asked = w.say("alice", chat, "x");
  REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
  CHECK(w.replies_to(chat, asked)[0] == "x");
  CHECK(dials == 3);
}

TEST_CASE("a second END, unknown types and late words belong to no turn") {
  sim_world w;
  w.agent.use([](const heard& h) {
    return std::vector<step>{raw(R"({"type":"AGENT_EVENT_WEATHER","text":"no"})"),
                             raw(R"({"type":"STATUS","text":"thinking"})"),
                             raw(R"({"type":"AGENT_EVENT_CUSTOM_UPDATE","payload":{"a":[1]}})"),
                             chunk(text_of(h)),
                             end(),
                             end(),
                             chunk("late")};
  });
  w.start();
  const auto chat = w.onboard("alice");
  const auto one = w.say("alice", chat, "one"), two = w.say("alice", chat, "two");
  w.run_for(10s);
  CHECK(w.replies_to(chat, one) == std::vector<std::string>{"one"});
  CHECK(w.replies_to(chat, two) == std::vector<std::string>{"two"});
  CHECK(w.log->count("agent_unknown_event") == 1); // once a kind
}

TEST_CASE("a slow agent is announced once, an idle or endless one is ended") {
  agent_spec spec;
  spec.id = agent_id{"a"};
  spec.label = "Slow";
  spec.base_url = "http://x";
  spec.limits.first_event = 10s;
  spec.limits.event_idle = 60s;
  spec.limits.turn = 300s;
  sim_options o;
  o.agent = spec;
  sim_world w{o};
  w.start();
  const auto chat = w.onboard("alice");

  w.agent.use(always({wait(30s), chunk("at last"), end()}));
  const auto late = w.say("alice", chat, "late");
  w.run_for(40s);
  REQUIRE(w.replies_to(chat, late).size() == 2);
  CHECK(w.replies_to(chat, late)[0] == say(language::en, phrase::agent_slow, {"Slow"}));
  CHECK(w.replies_to(chat, late)[1] == "at last");

  w.agent.use(always({chunk("word"), wait(3600s)}));
  const auto idle = w.say("alice", chat, "idle");
  w.run_for(70s);
  REQUIRE(w.replies_to(chat, idle).size() == 1);
  CHECK(has(w.replies_to(chat, idle)[0], "word"));
  CHECK(has(w.replies_to(chat, idle)[0], "said nothing for too long"));

  std::vector<step> endless;
  for (int i = 0; i < 40; ++i) {
    endless.push_back(chunk("."));
    endless.push_back(wait(20s));
  }
  w.agent.use(always(endless));
  const auto forever = w.say("alice", chat, "forever");
  w.run_for(320s);
  REQUIRE(w.replies_to(chat, forever).size() == 1);
  CHECK(has(w.replies_to(chat, forever)[0], "longer than a turn may take"));
}

TEST_CASE("!stop ends the running turn within a second, also if the agent does not listen") {
  for (const bool obeys : {true, false}) {
    sim_world w;
    w.agent.obey_cancel(obeys);
    w.agent.use(always({chunk("part"), wait(600s), chunk("never"), end()}));
    w.start();
    const auto chat = w.onboard("alice");
    const auto asked = w.say("alice", chat, "long one");
    w.run_for(2s);
    const auto waits = w.say("alice", chat, "waits");
    w.run_for(1s);
    const auto stop = w.say("alice", chat, "!stop");
    w.agent.use(echo());
    REQUIRE(w.run_until([&] { return !w.replies_to(chat, stop).empty(); }, 2s));
    CHECK(w.agent.of_type("CANCEL").size() == 1);
    w.run_for(5s);
    REQUIRE(w.replies_to(chat, asked).size() == 1);
    CHECK(has(w.replies_to(chat, asked)[0], "part"));
    CHECK(w.replies_to(chat, waits) == std::vector<std::string>{"waits"});
    const auto nothing = w.say("alice", chat, "!stop");
    w.run_for(2s);
    CHECK(w.replies_to(chat, nothing) ==
          std::vector<std::string>{say(language::en, phrase::nothing_runs)});
  }
}

TEST_CASE("a connection is kept between turns only for an agent that echoes message_id") {
  for (const bool echoes : {true, false}) {
    agent_spec spec;
    spec.id = agent_id{"a"};
    spec.label = "A";
    spec.base_url = "http://x";
    spec.connection = connection_mode::chat;
    spec.limits.connection_idle = 60s;
    sim_options o;
    o.agent = spec;
    sim_world w{o};
    w.agent.echo_message_id(echoes);
    w.start();
    const auto chat = w.onboard("alice");
    for (int i = 0; i < 3; ++i) {
      const auto asked = w.say("alice", chat, "m");
      REQUIRE(w.run_until([&] { return !w.replies_to(chat, asked).empty(); }));
      w.run_for(5s);
    }
    CHECK(w.agent.connections() == (echoes ? 1 : 3));
    CHECK(w.agent.open() == (echoes ? 1 : 0));
    w.run_for(70s);
    CHECK(w.agent.open() == 0);
    const auto again = w.say("alice", chat, "m");
    REQUIRE(w.run_until([&] { return !w.replies_to(chat, again).empty(); }));
  }
}

TEST_CASE("an answer of several pages comes in parts, one that is too large is cut with words") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  std::string text;
  for (int i = 0; i < 700; ++i)
    text += "Paragraph " + std::to_string(i) + " " + std::string(80, 'x') + "\n\n";
  w.agent.use(always({chunk(text), end()}));
  const auto asked = w.say("alice", chat, "go");
  w.run_for(10s);
  const auto parts = w.replies_to(chat, asked);
  REQUIRE(parts.size() == 2); // past three parts: the beginning, and a file
  CHECK(has(parts[0], "Paragraph 0 "));
  CHECK(has(parts[0], say(language::en, phrase::answer_as_file)));
  const auto file = w.answers(chat).back().at("content");
  CHECK(file.at("msgtype") == "m.file");
  CHECK(file.at("io.patchbay.delivery").at("kind") == "file");
  CHECK(file.at("info").at("size") == text.size());

  std::vector<step> flood;
  for (int i = 0; i < 40; ++i)
    flood.push_back(chunk(std::string(50'000, 'y')));
  flood.push_back(end());
  w.agent.use(always(flood));
  const auto big = w.say("alice", chat, "more");
  w.run_for(10s);
  const auto cut = w.replies_to(chat, big);
  REQUIRE(cut.size() == 2);
  CHECK(has(cut[0], "too large"));
}
