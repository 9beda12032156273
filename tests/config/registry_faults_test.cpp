#include "config/workspaces.hpp"
#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;

namespace {

std::string told(const std::string& text) { return lines(agents(text).problems); }

/// Of an agent with this one line more, which is line 4 and begins in column 5.
std::string of_agent(const std::string& line) {
  return told("agents:\n  a:\n    base_url: http://h\n    " + line + "\n");
}

std::size_t overlaps(const std::vector<std::string>& paths) { return overlapping(paths).size(); }

} // namespace

TEST_CASE("all faults of a registry are reported at once, with place and what to write instead") {
  CHECK(
      told("agents:\n"
           "  - id: agent-1\n"
           "    base_url: ftp://h\n"
           "    workspace: /agents/1\n"
           "  - id: agent-1\n"
           "    base_url: http://h\n"
           "  - label: X\n"
           "  - id: -x\n"
           "  - id: agent-2\n"
           "    limits: {turn: 1y, conect: 1s}\n"
           "    path: /ws/\n"
           "    protocol: a2\n"
           "  - agent-3\n"
           "default_agent: agent-9\n"
           "user_agents:\n"
           "  alice: agent-1\n"
           "  \"@bob:example.org\": agnet-2\n"
           "  \"@carol:example.org\": []\n") ==
      "a.yaml:3:15: agents.agent-1.base_url: the address has a scheme that is not spoken here; "
      "write an address like http://127.0.0.1:7000/agent_1 (http, https, ws, wss)\n"
      "a.yaml:4:5: warning: agents.agent-1: unknown key 'workspace', ignored; did you mean "
      "'workspace_path'?\n"
      "a.yaml:5:9: the agent 'agent-1' is defined a second time; give it another id; the first is "
      "in line 2\n"
      "a.yaml:7:5: an agent without an id; write id: agent-1 as its first key\n"
      "a.yaml:8:9: agents: '-x' is not an agent's id; write letters, digits, '.', '_' and '-', "
      "first a letter or a digit\n"
      "a.yaml:10:20: agents.agent-2.limits.turn: '1y' is not a duration; write a duration from "
      "10ms to 7d, like 10s\n"
      "a.yaml:10:24: warning: agents.agent-2: unknown key 'limits.conect', ignored; did you mean "
      "'connect'?\n"
      "a.yaml:12:15: agents.agent-2.protocol: 'a2' is not known here; did you mean 'a2a'?\n"
      "a.yaml:13:5: agents: expected a mapping, found a single value; write - id: agent-1 and "
      "other keys below it\n"
      "a.yaml:16:3: user_agents: 'alice' is not a user id; write it in quotes like "
      "\"@alice:example.org\"\n"
      "a.yaml:18:25: user_agents.@carol:example.org: expected an agent's id or a list of ids, "
      "found "
      "a list; write agent-1 or [agent-1, agent-2]\n"
      "a.yaml:9:9: agents.agent-2.base_url is missing; write base_url: http://127.0.0.1:7000, the "
      "agent's address\n"
      "a.yaml:14:16: default_agent: no agent is named 'agent-9'; did you mean 'agent-1'?\n"
      "a.yaml:17:23: user_agents.@bob:example.org: no agent is named 'agnet-2'; did you mean "
      "'agent-2'?\n");
}

TEST_CASE("an unknown key of a registry is a warning and changes nothing") {
  const auto o = agents("agents: {a: {base_url: http://h, colour: red}}\nextra: 1\n");
  CHECK(o.ok());
  CHECK(o.value.agents.size() == 1);
  REQUIRE(o.problems.size() == 2);
  CHECK(o.problems[0].warning);
  CHECK(to_string(o.problems[1])
            .find("a.yaml:2:1: warning: unknown key 'extra', ignored; known here: "
                  "agents, defaults, default_agent, user_agents, users") == 0);
}

TEST_CASE("an empty registry is a fault, a list of no agents is not") {
  CHECK(told("").starts_with("a.yaml:1:1: the registry is empty; write agents: "));
  CHECK(told("agents:\n").starts_with("a.yaml:1:1: agents: expected a list or a mapping, nothing"));
  CHECK(told("user_agents: {}\n").starts_with("a.yaml:1:1: agents is missing; "));
  CHECK(told("text\n").starts_with("a.yaml:1:1: expected a mapping, found a single value; "));
  CHECK(told("agents: []\n") == "");
  CHECK(told("agents: {}\ndefaults:\nuser_agents:\ndefault_agent:\n") == "");
}

TEST_CASE("a mapping's agent that is defined twice is a fault") {
  CHECK(told("agents:\n  a: {base_url: http://h}\n  a: {base_url: http://i}\n") ==
        "a.yaml:3:3: the key 'a' stands here a second time; keep this one or the one in line 2\n");
  CHECK(of_agent("base_url: http://i") == "a.yaml:4:5: agents.a: the key 'base_url' stands here a "
                                          "second time; keep this one or the one in line 3\n");
}

TEST_CASE("a person who stands twice, under either name, is a fault") {
  CHECK(told("agents: {a: {base_url: http://h}}\nuser_agents: {'@a:b': a}\nusers: {'@a:b': a}\n") ==
        "a.yaml:3:9: users: '@a:b' stands here a second time; put all of this person's agents into "
        "one list\n");
}

TEST_CASE("a pattern of user_agents is a whole server, once") {
  const auto with = [](const std::string& key) {
    return told("agents: {a: {base_url: http://h}}\nuser_agents: {\"*:b\": a, \"" + key +
                "\": a}\n");
  };
  CHECK(with("@*:c") == "");
  CHECK(with("@*:b").starts_with("a.yaml:2:25: user_agents: '@*:b' stands here a second time"));
  for (const auto* key : {"@a*:b", "*", "@*:", "@*:b*", "@a:*", "*:a b"})
    CHECK(with(key).find("is no pattern; write \"@*:example.org\"") != std::string::npos);
}

TEST_CASE("values of an agent are checked for type and range") {
  CHECK(of_agent("label: [x]").starts_with("a.yaml:4:12: agents.a.label: expected a single value"));
  CHECK(
      of_agent("connection: room").starts_with("a.yaml:4:17: agents.a.connection: 'room' is not"));
  CHECK(of_agent("send: [user_id, chatid]") ==
        "a.yaml:4:21: agents.a.send: 'chatid' is not known here; did you mean 'chat_id'?\n");
  CHECK(
      of_agent("features: cancel").starts_with("a.yaml:4:15: agents.a.features: expected a list"));
  CHECK(of_agent("features: [file]").find("did you mean 'files'?") != std::string::npos);
  CHECK(of_agent("idempotent: maybe").starts_with("a.yaml:4:17: agents.a.idempotent: 'maybe' is"));
  CHECK(of_agent("aliases: {a: [b]}").starts_with("a.yaml:4:18: agents.a.aliases.a: expected a"));
  CHECK(of_agent("limits: {concurrent_turns: 0}").find("'0' is out of range") != std::string::npos);
  CHECK(of_agent("limits: {queue: 10001}").find("'10001' is out of range") != std::string::npos);
  CHECK(of_agent("path: /ws/") ==
        "a.yaml:4:11: agents.a.path: '/ws/' has no {chat_id}: every chat would be the same one; "
        "write a path with {chat_id} in it, like /v1/agent_ws/{chat_id}/\n");
  CHECK(of_agent("limits: {frame: 65MiB}").find("'65MiB' is out of range") != std::string::npos);
  CHECK(of_agent("limits: 5").starts_with("a.yaml:4:13: agents.a.limits: expected a mapping"));
  CHECK(of_agent("path: /a b/{chat_id}").find("is not a path") != std::string::npos);
  CHECK(of_agent("path: /{chat_id}#x").find("is not a path") != std::string::npos);
  CHECK(of_agent("auth: {header: Host, secret: {file: x}}").find("a header of the handshake") !=
        std::string::npos);
  CHECK(of_agent("workspace_path: /").find("a folder of its own") == std::string::npos);
}

TEST_CASE("faults of defaults are told once, not for each agent") {
  const auto text = told("agents: {a: {base_url: http://h}, b: {base_url: http://i}}\n"
                         "defaults: {connection: x, base_url: http://j, id: c,\n"
                         "           process: {command: [x]}}\n");
  CHECK(text == "a.yaml:2:24: defaults.connection: 'x' is not known here; write turn or chat\n"
                "a.yaml:2:27: warning: defaults.base_url has no effect: each agent has its own; "
                "write it below the agent\n"
                "a.yaml:2:47: warning: defaults.id has no effect: each agent has its own; write it "
                "below the agent\n"
                "a.yaml:3:31: warning: defaults.process.command has no effect: each agent has its "
                "own; write it below the agent\n");
}

TEST_CASE("a workspace inside or equal to another agent's is a fault") {
  const auto with = [](const std::string& a, const std::string& b) {
    return told("agents:\n  x: {base_url: http://h, workspace_path: " + a +
                "}\n  a: {base_url: http://i, workspace_path: " + b + "}\n");
  };
  CHECK(with("/agents/1", "/agents/2") == "");
  CHECK(with("/agents/1", "/agents/10") == "");
  CHECK(with("/agents/1", "/agents/1/") ==
        "a.yaml:3:43: agents.a.workspace_path '/agents/1/' is the workspace of x or lies within it "
        "('/agents/1'); give each agent a folder of its own\n");
  CHECK(with("/agents/1/sub", "/agents/1").starts_with("a.yaml:2:43: agents.x.workspace_path "));
  CHECK(with("/agents/1", "/agents/2/../1/x").starts_with("a.yaml:3:43: "));
  CHECK(with("ws", "./ws/../ws").starts_with("a.yaml:3:43: "));
  CHECK(with("\"/agents/{user}\"", "/agents/2").starts_with("a.yaml:3:43: "));
}

TEST_CASE("overlapping workspaces are found with any number of them and with {user} in them") {
  CHECK(overlaps({"/a", "/b", "/c"}) == 0);
  CHECK(overlaps({"/a", "/a", "/a"}) == 2);
  CHECK(overlaps({"/", "/a"}) == 1);
  CHECK(overlaps({"/a/{user}", "/b/{user}"}) == 0);
  CHECK(overlaps({"/a/{user}", "/a"}) == 1);
  CHECK(overlaps({"/a/{user}", "/a/{user}"}) == 1);
  CHECK(overlaps({"/a/{user}/x", "/a/{user}/y"}) == 0);
  CHECK(overlaps({"/a/{user}/x", "/a/b/x"}) == 1);
  CHECK(overlaps({"/a/{user}/x", "/a/b/y"}) == 0);
  CHECK(overlaps({"/a/one-{user}", "/a/two-{user}"}) == 0);
  CHECK(overlaps({"/a/{user}-one", "/a/{user}-two"}) == 0);
  CHECK(overlaps({"/a/one-{user}", "/a/one-1/x"}) == 1);
  std::vector<std::string> many;
  for (int i = 0; i < 3'000; ++i)
    many.push_back("/agents/" + std::to_string(i));
  CHECK(overlaps(many) == 0);
  many.push_back("/agents/17/x");
  CHECK(overlaps(many) == 1);
}
