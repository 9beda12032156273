#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;
using namespace std::chrono_literals;

namespace {

const agent_id one{"agent-1"}, two{"agent-2"};
const user_id alice{"@alice:example.org"}, bob{"@bob:example.org"};

} // namespace

TEST_CASE("a registry in use today as a list loads unchanged, with every default") {
  const auto o = agents(R"(agents:
  - id: agent-1
    base_url: http://127.0.0.1:7000/agent_1
    workspace_path: /agents/1
  - id: agent-2
    base_url: http://127.0.0.1:7000/agent_2/
    workspace_path: /agents/2/
user_agents:
  "@alice:example.org": agent-1
  "@bob:example.org": agent-2
)");
  REQUIRE(lines(o.problems) == "");
  REQUIRE(o.value.agents.size() == 2);
  const auto& a = o.value.agents.at(one);
  CHECK(a.label == "agent-1");
  CHECK(a.base_url == "http://127.0.0.1:7000/agent_1");
  CHECK(a.workspace == "/agents/1");
  CHECK(a.protocol == "agent-ws");
  CHECK(a.path == "/v1/agent_ws/{chat_id}/");
  CHECK(a.connection == connection_mode::turn);
  CHECK(a.send == std::set<std::string>{"user_id", "chat_id", "message_id"});
  CHECK(a.features.size() == 3);
  CHECK_FALSE(a.idempotent);
  CHECK_FALSE(a.auth);
  CHECK_FALSE(a.events_token);
  CHECK(a.aliases.empty());
  CHECK(a.limits == agent_limits{});
  CHECK(a.limits.connect == 10s);
  CHECK(a.limits.first_event == 60s);
  CHECK(a.limits.event_idle == 10min);
  CHECK(a.limits.connection_idle == 5min);
  CHECK(a.limits.turn == 1h);
  CHECK(a.limits.concurrent_turns == 8);
  CHECK(a.limits.frame == std::size_t{8} << 20);
  CHECK(a.enabled);
  CHECK(o.value.agent_for(alice) == one);
  CHECK(o.value.agent_for(bob) == two);
  CHECK_FALSE(o.value.agent_for(user_id{"@carol:example.org"}));
}

TEST_CASE("a registry in use today as two mappings loads unchanged") {
  for (const auto* users : {"users", "user_agents"}) {
    const auto o =
        agents(std::string{"agents:\n"
                           "  agent-1:\n"
                           "    base_url: ws://127.0.0.1:7000\n"
                           "    workspace_path: /agents/1\n"
                           "  agent-2: {base_url: 'https://h/x', workspace_path: /agents/2}\n"} +
               users + ":\n  \"@alice:example.org\": agent-2\n");
    REQUIRE(lines(o.problems) == "");
    CHECK(o.value.agents.at(two).base_url == "https://h/x");
    CHECK(o.value.agent_for(alice) == two);
  }
}

TEST_CASE("a registry that is only a list of agents loads") {
  const auto o = agents("- {id: agent-1, base_url: http://h}\n");
  CHECK(lines(o.problems) == "");
  CHECK(o.value.agents.size() == 1);
}

TEST_CASE("a person may have several agents, the first is the default") {
  const auto o = agents("agents: {agent-1: {base_url: http://h}, agent-2: {base_url: http://i}}\n"
                        "default_agent: agent-1\n"
                        "user_agents: {'@alice:example.org': [agent-2, agent-1, agent-2]}\n");
  CHECK(lines(o.problems) == "");
  CHECK(o.value.users.at(alice) == std::vector{two, one});
  CHECK(o.value.agent_for(alice) == two);
  CHECK(o.value.agent_for(bob) == one);
}

TEST_CASE("users may stand before the agents that they name") {
  const auto o = agents("user_agents: {'@alice:example.org': agent-1}\ndefault_agent: agent-1\n"
                        "agents: {agent-1: {base_url: http://h}}\n");
  CHECK(lines(o.problems) == "");
  CHECK(o.value.agent_for(alice) == one);
}

TEST_CASE("every key of an agent can be set") {
  const auto o = agents(R"(agents:
  - id: agent-1
    label: Research
    base_url: WSS://h/p
    workspace_path: ws/{user}
    protocol: agent-ws
    path: ws?chat={chat_id}
    connection: chat
    send: [message_id]
    features: []
    idempotent: true
    auth: {header: X-Key, secret: {env: S}}
    aliases: {say: text, TEXT: AGENT_EVENT_TEXT_CHUNK}
    limits: {connect: 1s, first_event: 2s, event_idle: 3s, connection_idle: 4s, turn: 5s,
             concurrent_turns: 6, queue: 9, frame: 7KiB}
    enabled: no
)",
                        {{"S", "s"}});
  REQUIRE(lines(o.problems) == "");
  const auto& a = o.value.agents.at(one);
  CHECK(a.label == "Research");
  CHECK(a.base_url == "wss://h/p");
  CHECK(a.workspace == "ws/{user}");
  CHECK(a.path == "ws?chat={chat_id}");
  CHECK(a.connection == connection_mode::chat);
  CHECK(a.send == std::set<std::string>{"message_id"});
  CHECK(a.features.empty());
  CHECK(a.idempotent);
  CHECK(a.auth->header == "X-Key");
  CHECK(a.aliases ==
        std::map<std::string, std::string>{{"TEXT", "AGENT_EVENT_TEXT_CHUNK"}, {"say", "text"}});
  CHECK(a.limits == agent_limits{1s, 2s, 3s, 4s, 5s, 6, 9, 7 * 1'024});
  CHECK_FALSE(a.enabled);
}

TEST_CASE("defaults lie below every agent, key by key") {
  const auto o = agents("agents:\n"
                        "  agent-1: {base_url: http://h, limits: {turn: 2m}, send: [chat_id]}\n"
                        "  agent-2: {base_url: http://i, aliases: {a: z}}\n"
                        "defaults: {limits: {turn: 1m, connect: 3s}, connection: chat, label: L,\n"
                        "           aliases: {a: x, b: y}, auth: {secret: {env: S}}}\n",
                        {{"S", "s"}});
  REQUIRE(lines(o.problems) == "");
  const auto& a = o.value.agents.at(one);
  const auto& b = o.value.agents.at(two);
  CHECK(a.limits.turn == 2min);
  CHECK(a.limits.connect == 3s);
  CHECK(b.limits.turn == 1min);
  CHECK(b.limits.frame == agent_limits{}.frame);
  CHECK(a.send == std::set<std::string>{"chat_id"});
  CHECK(b.send.size() == 3);
  CHECK(a.connection == connection_mode::chat);
  CHECK(a.label == "L");
  CHECK(b.aliases == std::map<std::string, std::string>{{"a", "z"}, {"b", "y"}});
  CHECK(a.auth->value.show() == "s");
}

TEST_CASE("files in agents.d add agents and are laid over those that are there") {
  const source main{"etc/a.yaml",
                    "agents: {agent-1: {base_url: http://h, label: One, "
                    "limits: {turn: 1m}}}\nuser_agents: {'@alice:example.org': agent-2}\n"};
  const auto o = parse_registry(
      main,
      {{"etc/agents.d/agent-1.yaml", "enabled: false\n"},
       {"etc/agents.d/agent-2.yaml", "id: agent-2\nbase_url: http://i\nworkspace_path: w\n"}},
      {}, memory_disk{});
  REQUIRE(lines(o.problems) == "");
  const auto& a = o.value.agents.at(one);
  CHECK_FALSE(a.enabled);
  CHECK(a.label == "One");
  CHECK(a.limits.turn == 1min);
  CHECK(o.value.agents.at(two).workspace == "etc/agents.d/w");
  CHECK(o.value.agent_for(alice) == two);
}

TEST_CASE("faults of a file in agents.d have that file's place") {
  const source main{"etc/a.yaml", "agents: []\n"};
  const auto o = parse_registry(main,
                                {{"etc/agents.d/x.yaml", "id: -y\nbase_url: http://h\n"},
                                 {"etc/agents.d/z.yaml", "label: Z\n"},
                                 {"etc/agents.d/-.yaml", "base_url: http://h\n"},
                                 {"etc/agents.d/e.yaml", ""}},
                                {}, memory_disk{});
  CHECK(lines(o.problems) ==
        "etc/agents.d/x.yaml:1:5: the agent's id is none; write letters, digits, '.', '_' and '-', "
        "first a letter or a digit\n"
        "etc/agents.d/-.yaml:1:1: the file's name is not an agent's id; name it after its agent, "
        "like agent-1.yaml\n"
        "etc/agents.d/e.yaml:1:1: e.yaml: expected a mapping, nothing stands here; write the "
        "agent's keys at the left margin, or remove the key\n"
        "etc/agents.d/z.yaml:1:1: agents.z.base_url is missing; write base_url: "
        "http://127.0.0.1:7000, the agent's address\n");
}

TEST_CASE("a file in agents.d speaks of the agent that its id names, else its own name") {
  const source main{"a.yaml", "agents: {agent-1: {base_url: http://h}}\n"};
  const auto o = parse_registry(main,
                                {{"agents.d/10-first.yaml", "id: agent-1\nlabel: First\n"},
                                 {"agents.d/20-again.yaml", "id: agent-1\nidempotent: true\n"},
                                 {"agents.d/agent-2.yaml", "base_url: http://i\n"}},
                                {}, memory_disk{});
  REQUIRE(lines(o.problems) == "");
  CHECK(o.value.agents.size() == 2);
  CHECK(o.value.agents.at(one).label == "First");
  CHECK(o.value.agents.at(one).idempotent);
  CHECK(o.sources.at(one) ==
        std::vector<std::string>{"a.yaml", "agents.d/10-first.yaml", "agents.d/20-again.yaml"});
  CHECK(o.sources.at(two) == std::vector<std::string>{"agents.d/agent-2.yaml"});
}

TEST_CASE("an agent can be taken away by a file in agents.d, and come back by a later one") {
  const source main{"a.yaml", "agents: {agent-1: {base_url: http://h}, agent-2: {base_url: "
                              "http://i}}\ndefault_agent: agent-2\n"
                              "user_agents: {'@alice:example.org': agent-1}\n"};
  std::vector<source> beside{{"agents.d/agent-1.yaml", "removed: true\nlabel: kept\n"},
                             {"agents.d/agent-9.yaml", "removed: true\n"}};
  const auto o = parse_registry(main, beside, {}, memory_disk{});
  CHECK(o.ok());
  CHECK(lines(o.problems) ==
        "a.yaml:3:37: warning: user_agents.@alice:example.org: the agent 'agent-1' was removed; "
        "remove its name here, or 'agents.d/agent-1.yaml'\n");
  CHECK(o.value.agents.size() == 1);
  // Listed, with nothing left: the default agent is for those who are not listed.
  CHECK(o.value.lists(alice));
  CHECK_FALSE(o.value.agent_for(alice));
  CHECK(o.value.agent_for(bob) == two);

  beside.push_back({"agents.d/z.yaml", "id: agent-1\nremoved: false\nbase_url: http://j\n"});
  const auto back = parse_registry(main, beside, {}, memory_disk{});
  CHECK(lines(back.problems) == "");
  CHECK(back.value.agents.at(one).base_url == "http://j");
  CHECK(back.value.agent_for(alice) == one);

  beside.push_back({"agents.d/zz.yaml", "removed: maybe\n"});
  CHECK(lines(parse_registry(main, beside, {}, memory_disk{}).problems)
            .find("agents.d/zz.yaml:1:10: removed: neither true nor false") != std::string::npos);
}

TEST_CASE("everybody of a server may have agents; who is listed by name has their own") {
  for (const auto* key : {"@*:example.org", "*:example.org"}) {
    const auto o = agents("agents: {agent-1: {base_url: http://h}, agent-2: {base_url: http://i},\n"
                          "         agent-3: {base_url: http://j}}\ndefault_agent: agent-3\n"
                          "user_agents: {'@alice:example.org': agent-1, '" +
                          std::string{key} + "': [agent-2, agent-1]}\n");
    REQUIRE(lines(o.problems) == "");
    CHECK(o.value.agent_for(alice) == one);
    CHECK(o.value.agents_of(bob) == std::vector{two, one});
    CHECK(o.value.lists(bob));
    const user_id stranger{"@bob:example.org.evil"}, sub{"@bob:x.example.org"};
    CHECK(o.value.agent_for(stranger) == agent_id{"agent-3"});
    CHECK_FALSE(o.value.lists(stranger));
    CHECK_FALSE(o.value.lists(sub));
    CHECK_FALSE(o.value.lists(user_id{"nobody"}));
  }
}

TEST_CASE("a registry is read from the disk together with agents.d beside it") {
  const memory_disk files{{{"etc/a.yaml", "agents: {agent-1: {base_url: http://h}}\n"},
                           {"etc/agents.d/agent-2.yaml", "base_url: http://i\n"},
                           {"etc/agents.d/notes.txt", "no agent"}}};
  const auto o = read_registry("etc/a.yaml", {"p.yaml", 3, 4}, {}, files);
  CHECK(lines(o.problems) == "");
  CHECK(o.value.agents.size() == 2);
  const auto missing = read_registry("etc/b.yaml", {"p.yaml", 3, 4}, {}, files);
  CHECK(
      lines(missing.problems) ==
      "p.yaml:3:4: the registry 'etc/b.yaml' cannot be read: No such file or directory; write the "
      "path of the registry, relative to the file that names it\n");
}

TEST_CASE("AGENT_BASE_URL, else AGENT_WS_URL, is one agent for everybody") {
  const auto base =
      registry_from(variables({{"AGENT_BASE_URL", "http://h:1"}, {"AGENT_WS_URL", "ws://other"}}));
  CHECK(base.value.default_agent == agent_id{"default"});
  CHECK(base.value.agents.at(agent_id{"default"}).base_url == "http://h:1");
  CHECK(base.value.agent_for(alice) == agent_id{"default"});
  const auto ws = registry_from(variables({{"AGENT_WS_URL", "ws://h:1/v1/agent_ws/"}}));
  CHECK(ws.value.agents.at(agent_id{"default"}).base_url == "ws://h:1");
  CHECK(registry_from({}).value.agents.empty());
  CHECK(lines(registry_from(variables({{"AGENT_BASE_URL", "h:1"}})).problems) ==
        "AGENT_BASE_URL: the address has no scheme; write an address like http://127.0.0.1:7000\n");
}
