// Limits of an agent's connection actor, seen through the whole router.

#include "actors/phrases.hpp"
#include "tests/support/sim_world.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace pb;
using namespace pb::test;
using namespace pb::scripted;

namespace {

sim_options with(const std::function<void(agent_spec&)>& change) {
  agent_spec spec;
  spec.id = agent_id{"a"};
  spec.label = "A";
  spec.base_url = "https://agents.example/a/";
  change(spec);
  sim_options o;
  o.agent = spec;
  return o;
}

} // namespace

TEST_CASE("an agent has no more turns at a time than its limit, and the next one waits its turn") {
  sim_world w{with([](agent_spec& s) { s.limits.concurrent_turns = 2; })};
  w.agent.use(always({wait(10s), chunk("x"), end()}));
  w.start();
  std::vector<std::pair<std::string, std::string>> asked;
  for (const auto* who : {"ann", "bob", "cid"}) {
    const auto chat = w.onboard(who);
    asked.emplace_back(chat, w.say(who, chat, "go"));
    w.run_for(200ms);
  }
  w.run_for(3s);
  CHECK(w.agent.open() == 2);
  CHECK(w.agent.user_messages().size() == 2);
  w.run_for(30s);
  for (const auto& [chat, event] : asked)
    CHECK(w.replies_to(chat, event) == std::vector<std::string>{"x"});
}

TEST_CASE("address, token and fields of USER_MESSAGE are as the registry says") {
  sim_world w{with([](agent_spec& s) {
    s.path = "/talk?chat={chat_id}";
    s.auth = agent_auth{"Authorization", secret{"s3cret"}};
    s.send = {"message_id"};
  })};
  w.start();
  const auto chat = w.onboard("alice");
  w.say("alice", chat, "hi");
  w.run_for(3s);
  REQUIRE(w.dial.dialled().size() == 1);
  const auto& dialled = w.dial.dialled()[0];
  CHECK(dialled.url == "wss://agents.example/a/talk?chat=1");
  const auto* token = find_header(dialled.headers, "authorization");
  REQUIRE(token);
  CHECK(*token == "Bearer s3cret");
  const auto frame = w.agent.user_messages().at(0).frame;
  CHECK(frame.contains("message_id"));
  CHECK_FALSE(frame.contains("user_id"));
  CHECK_FALSE(frame.contains("chat_id"));
}

TEST_CASE("a frame beyond limits.frame ends the turn in words") {
  sim_world w{with([](agent_spec& s) { s.limits.frame = 1000; })};
  w.agent.use(always({chunk("before"), chunk(std::string(2000, 'x')), end()}));
  w.start();
  const auto chat = w.onboard("alice");
  const auto asked = w.say("alice", chat, "hi");
  w.run_for(5s);
  REQUIRE(w.replies_to(chat, asked).size() == 1);
  CHECK(w.replies_to(chat, asked)[0].find("before") == 0);
  CHECK(w.replies_to(chat, asked)[0].find("do not understand") != std::string::npos);
}

TEST_CASE("a person for whom there is no agent is told, and no room is made") {
  sim_world w;
  w.agents.default_agent.reset();
  w.start();
  w.person("alice");
  const auto lobby = w.invite_bot("alice");
  w.run_for(10s);
  CHECK(w.answer_texts(lobby) == std::vector<std::string>{say(language::en, phrase::no_agent)});
  CHECK(w.server.rooms().size() == 1);
}

TEST_CASE("a room whose agent has left the registry says so") {
  sim_world w;
  w.start();
  const auto chat = w.onboard("alice");
  w.stop();
  w.crash();
  w.agents = {};
  w.start();
  const auto asked = w.say("alice", chat, "hi");
  w.run_for(5s);
  CHECK(w.replies_to(chat, asked) ==
        std::vector<std::string>{say(language::en, phrase::agent_gone, {"echo"})});
}
