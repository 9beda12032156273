// Rooms while the registry changes, and rooms that an operator binds to another agent.

#include "tests/actors/chat_sim.hpp"

using namespace pb;
using namespace pb::test;

namespace {

agent_spec second() {
  agent_spec s;
  s.id = agent_id{"second"};
  s.label = "Second";
  s.base_url = "http://127.0.0.1:7001";
  return s;
}

const user_id alice{"@alice:localhost"};

json marker(const sim_world& w, const std::string& room) {
  json out;
  for (const auto& e : w.server.events(room))
    if (e.at("type") == "io.patchbay.chat")
      out = e.at("content");
  return out;
}

/// Alice has the agents "echo" and "second" and a chat with the first.
struct two_agents : sim_world {
  explicit two_agents(sim_options o = {}) : sim_world(std::move(o)) {
    agents.agents.emplace(second().id, second());
    agents.users[alice] = {agent_id{"echo"}, agent_id{"second"}};
    start();
    chat = onboard("alice");
    REQUIRE(answer_to(*this, chat, "hello") == "hello");
  }
  std::string chat;
};

} // namespace

TEST_CASE("a room whose agent leaves the registry says so, and goes on when it is back") {
  two_agents w;
  const auto all = w.agents;
  w.agents.agents.erase(agent_id{"echo"});
  w.agents.users[alice] = {agent_id{"second"}};
  w.apply_agents();
  CHECK(answer_to(w, w.chat, "there?") == en(phrase::agent_gone, {"echo"}));
  w.agents = all;
  w.apply_agents();
  CHECK(answer_to(w, w.chat, "there!") == "there!");
}

TEST_CASE("an agent that is taken from a person blocks their rooms, also after a restart") {
  two_agents w;
  w.agents.users[alice] = {agent_id{"second"}};
  w.apply_agents();
  const auto before = w.agent.user_messages().size();
  CHECK(answer_to(w, w.chat, "mine?") == en(phrase::agent_taken, {"Echo"}));
  w.crash();
  w.start();
  w.run_for(2s);
  CHECK(answer_to(w, w.chat, "mine now?") == en(phrase::agent_taken, {"Echo"}));
  CHECK(w.agent.user_messages().size() == before);
  w.agents.users[alice].push_back(agent_id{"echo"});
  w.apply_agents();
  CHECK(answer_to(w, w.chat, "mine again") == "mine again");
}

TEST_CASE(
    "who is admitted without being listed keeps the agent of a room; who must be listed not") {
  for (const auto policy : {invite_policy::anyone, invite_policy::registered}) {
    sim_options o;
    o.invites = policy;
    two_agents w{o};
    w.agents.users.clear();
    w.agents.default_agent = agent_id{"second"};
    w.apply_agents();
    CHECK(answer_to(w, w.chat, "still") ==
          (policy == invite_policy::anyone ? "still" : en(phrase::agent_taken, {"Echo"})));
  }
}

TEST_CASE("an operator's own rooms are not blocked") {
  sim_world w;
  w.process.access.operators = {alice};
  w.agents.agents.emplace(second().id, second());
  w.agents.users[alice] = {agent_id{"echo"}};
  w.start();
  const auto chat = w.onboard("alice");
  w.agents.users[alice] = {agent_id{"second"}};
  w.apply_agents();
  CHECK(answer_to(w, chat, "hello") == "hello");
}

TEST_CASE("people who come into the registry while it changes may invite the bot") {
  sim_options o;
  o.invites = invite_policy::registered;
  sim_world w{o};
  w.agents.users[alice] = {agent_id{"echo"}};
  w.start();
  w.onboard("alice");
  w.person("bob");
  const auto lobby = w.invite_bot("bob");
  w.run_for(10s);
  CHECK(w.joined("bob").size() == 1);
  w.agents.servers["localhost"] = {agent_id{"echo"}};
  w.apply_agents();
  CHECK(answer_to(w, w.onboard("carol"), "hi", "carol") == "hi");
}

TEST_CASE("a turn that runs while its agent is removed ends well, and what waits is told") {
  two_agents w;
  w.agent.use(always({chunk("half "), wait(5s), chunk("whole"), end()}));
  const auto running = w.say("alice", w.chat, "long");
  w.run_for(2s);
  const auto waiting = w.say("alice", w.chat, "next");
  w.run_for(500ms);
  w.agents.agents.erase(agent_id{"echo"});
  w.agents.users[alice] = {agent_id{"second"}};
  w.apply_agents();
  w.run_for(10s);
  CHECK(w.answer_texts(w.chat).at(1) == "half whole");
  CHECK(w.replies_to(w.chat, waiting) ==
        std::vector<std::string>{en(phrase::agent_gone, {"echo"})});
  CHECK_FALSE(w.replies_to(w.chat, running).empty());
}

TEST_CASE(
    "an operator binds a room to another agent: fresh context, what runs ends, what waits goes "
    "along") {
  two_agents w;
  const auto before = marker(w, w.chat);
  w.agent.use(always({chunk("half "), wait(50s), end()}));
  w.say("alice", w.chat, "long");
  w.run_for(2s);
  w.agent.use(echo());
  const auto waiting = w.say("alice", w.chat, "next");
  w.run_for(500ms);
  CHECK(w.move(w.chat, "second") == "");
  w.run_for(3s);
  const auto now = marker(w, w.chat);
  CHECK(now.at("agent_id") == "second");
  CHECK(now.at("epoch") == before.at("epoch").get<int>() + 1);
  CHECK(now.at("platform_chat_id") != before.at("platform_chat_id"));
  CHECK(w.replies_to(w.chat, waiting) == std::vector<std::string>{"next"});
  CHECK(has(w.agent.user_messages().back().url, "7001"));
  std::size_t told = 0;
  for (const auto& text : w.answer_texts(w.chat))
    told += text == en(phrase::room_moved_to, {"Second"}) ? 1 : 0;
  CHECK(told == 1);
  // The marker stands before the first answer of the new context.
  std::size_t at_marker = 0, at_answer = 0, n = 0;
  for (const auto& e : w.server.events(w.chat)) {
    ++n;
    if (e.at("type") == "io.patchbay.chat")
      at_marker = n;
    if (e.at("content").value("body", "") == "next" &&
        e.at("sender") == w.process.homeserver.user.value)
      at_answer = n;
  }
  CHECK(at_marker < at_answer);
}

TEST_CASE("moving a room twice, or where it cannot go, changes nothing") {
  two_agents w;
  CHECK(w.move(w.chat, "echo") == "already");
  CHECK(w.move(w.chat, "nobody") == "no such agent");
  CHECK(w.move("!nowhere:localhost", "second") == "no such chat");
  const auto epoch = marker(w, w.chat).at("epoch");
  CHECK(w.move(w.chat, "second") == "");
  CHECK(w.move(w.chat, "second") == "already");
  w.run_for(2s);
  CHECK(marker(w, w.chat).at("epoch") == epoch.get<int>() + 1);
  for (const auto& room : w.joined("alice"))
    if (room != w.chat)
      CHECK(w.move(room, "second") == "no such chat"); // lobby and Space
}

TEST_CASE(
    "a move is an operator's word: the person's list does not block it, also after a restart") {
  two_agents w;
  w.agents.users[alice] = {agent_id{"echo"}};
  w.apply_agents();
  CHECK(w.move(w.chat, "second") == "");
  CHECK(answer_to(w, w.chat, "granted") == "granted");
  w.crash();
  w.start();
  w.run_for(2s);
  CHECK(answer_to(w, w.chat, "granted still") == "granted still");
  CHECK(has(w.agent.user_messages().back().url, "7001"));
  // `!clear` keeps it; what the registry takes away later from others it does not concern.
  answer_to(w, w.chat, "!clear");
  CHECK(answer_to(w, w.chat, "and now") == "and now");
}

TEST_CASE("a room that an operator moves tells it in its own language") {
  two_agents w;
  answer_to(w, w.chat, "!set language ru");
  CHECK(w.move(w.chat, "second") == "");
  w.run_for(2s);
  CHECK(w.answer_texts(w.chat).back() == say(language::ru, phrase::room_moved_to, {"Second"}));
}
