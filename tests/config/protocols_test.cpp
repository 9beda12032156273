// Keys that belong to one protocol, and which keys go together.

#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;

namespace {

/// Of the agent `a` with these lines below it, which begin in line 3, column 5.
registry_outcome with(const std::vector<std::string>& keys,
                      std::map<std::string, std::string> values = {}) {
  std::string text = "agents:\n  a:\n";
  for (const auto& key : keys)
    text += "    " + key + "\n";
  return agents(text, std::move(values));
}

std::string told(const std::vector<std::string>& keys) { return lines(with(keys).problems); }

agent_spec spec(const std::vector<std::string>& keys,
                std::map<std::string, std::string> values = {}) {
  auto o = with(keys, std::move(values));
  REQUIRE(lines(o.problems) == "");
  return o.value.agents.at(agent_id{"a"});
}

} // namespace

TEST_CASE("every protocol has its name, and only agent-ws a path of its own") {
  for (const auto name : protocol_names) {
    const std::string protocol{name};
    const auto a = spec({"base_url: http://h", "protocol: " + protocol,
                         protocol == "openai" ? "model: {name: m}" : ""});
    CHECK(a.protocol == protocol);
    CHECK(a.path == (protocol == "agent-ws" ? "/v1/agent_ws/{chat_id}/" : ""));
  }
  CHECK(spec({"base_url: http://h", "protocol: acp", "path: /acp"}).path == "/acp");
}

TEST_CASE("an agent may have several endpoints, of which the first is its address") {
  const auto list = spec({"base_urls: [http://h, http://i]"});
  CHECK(list.base_url == "http://h");
  CHECK(list.base_urls == std::vector<std::string>{"http://h", "http://i"});
  const auto both = spec({"base_urls: [http://h, http://i]", "base_url: http://i"});
  CHECK(both.base_url == "http://i");
  CHECK(both.base_urls == std::vector<std::string>{"http://i", "http://h"});
  CHECK(spec({"base_url: http://h"}).base_urls.empty());
  CHECK(told({"base_urls: []"}) ==
        "a.yaml:3:16: agents.a.base_urls names no endpoint; write a list: [http://127.0.0.1:7000, "
        "http://127.0.0.1:7001]\n");
  CHECK(told({"base_urls: [http://h, http://h]"})
            .starts_with("a.yaml:3:27: agents.a.base_urls: "
                         "'http://h' stands here a second"));
  std::string many = "http://h";
  for (int i = 1; i < 64; ++i)
    many += ", http://h" + std::to_string(i);
  CHECK(told({"base_urls: [" + many + "]"}) == "");
  CHECK(told({"base_urls: [" + many + ", http://x]"}).find("more than 64 endpoints") !=
        std::string::npos);
}

TEST_CASE("a file in agents.d that names an endpoint replaces all of them") {
  const source main{"a.yaml", "agents: {a: {base_urls: [http://h, http://i]}}\n"};
  const auto one =
      parse_registry(main, {{"agents.d/a.yaml", "base_url: http://j\n"}}, {}, memory_disk{});
  CHECK(one.value.agents.at(agent_id{"a"}).base_url == "http://j");
  CHECK(one.value.agents.at(agent_id{"a"}).base_urls.empty());
  const auto list =
      parse_registry(main, {{"agents.d/a.yaml", "base_urls: [http://k]\n"}}, {}, memory_disk{});
  CHECK(list.value.agents.at(agent_id{"a"}).base_url == "http://k");
  CHECK(list.value.agents.at(agent_id{"a"}).base_urls.size() == 1);
}

TEST_CASE("an acp agent may be a child process, with variables and secrets") {
  const auto a = spec({"protocol: acp", "workspace_path: /agents/a", "cwd: /workspace",
                       "process: {command: [node, agent.js], sandbox: required,",
                       "          env: {MODE: fast, KEY: {env: S}}}"},
                      {{"S", "hidden"}});
  CHECK(a.base_url.empty());
  CHECK(a.cwd == "/workspace");
  CHECK(a.process.command == std::vector<std::string>{"node", "agent.js"});
  CHECK(a.process.sandbox == sandbox_mode::required);
  CHECK(a.process.env == std::vector<std::pair<std::string, std::string>>{{"MODE", "fast"}});
  REQUIRE(a.process.secret_env.size() == 1);
  CHECK(a.process.secret_env[0].first == "KEY");
  CHECK(a.process.secret_env[0].second.show() == "hidden");
}

TEST_CASE("a variable of a child that is laid over another one replaces it, secret or not") {
  const source main{"a.yaml", "agents: {a: {protocol: acp, workspace_path: /w, process: {command: "
                              "[x], env: {K: plain, L: l}}}}\n"};
  const auto o = parse_registry(main, {{"agents.d/a.yaml", "process: {env: {K: {env: S}}}\n"}},
                                variables({{"S", "hidden"}}), memory_disk{});
  REQUIRE(lines(o.problems) == "");
  const auto& p = o.value.agents.at(agent_id{"a"}).process;
  CHECK(p.env == std::vector<std::pair<std::string, std::string>>{{"L", "l"}});
  CHECK(p.secret_env.size() == 1);
}

TEST_CASE("keys of a child process that do not go together are faults") {
  CHECK(told({"base_url: http://h", "protocol: acp", "workspace_path: /w",
              "process: {command: [x]}"}) ==
        "a.yaml:6:5: agents.a.process and base_url: an agent has an address or is a process; "
        "remove one of the two\n");
  CHECK(told({"workspace_path: /w", "process: {command: [x]}"}) ==
        "a.yaml:4:5: agents.a.process has no meaning for protocol agent-ws; write protocol: acp, "
        "or remove process\n");
  CHECK(told({"protocol: acp", "process: {command: [x]}"}) ==
        "a.yaml:4:5: agents.a.process without workspace_path; write workspace_path: and the folder "
        "that the child works in\n");
  CHECK(told({"protocol: acp", "workspace_path: /w", "process: {sandbox: off}"}) ==
        "a.yaml:5:5: agents.a.process.command is missing; write command: [program, argument] below "
        "process\n");
  CHECK(told({"protocol: acp"}).find("for a child process") != std::string::npos);
  CHECK(told({"base_url: http://h", "cwd: /w"})
            .starts_with("a.yaml:4:10: agents.a.cwd has no meaning for protocol agent-ws"));
  CHECK(told({"base_url: http://h", "protocol: acp", "cwd: w"})
            .starts_with("a.yaml:5:10: agents.a.cwd: 'w' is not an absolute path"));
}

TEST_CASE("variables and arguments of a child have caps and checks") {
  const auto child = [](const std::string& process) {
    return told({"protocol: acp", "workspace_path: /w", "process: " + process});
  };
  const auto list = [](int count, const std::string& end) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += (i > 0 ? ", V" : "V") + std::to_string(i) + end;
    return out;
  };
  CHECK(child("{command: [" + list(256, "") + "]}") == "");
  CHECK(child("{command: [" + list(257, "") + "]}").find("more than 256 arguments") !=
        std::string::npos);
  CHECK(child("{command: [x], env: {" + list(256, ": x") + "}}") == "");
  CHECK(child("{command: [x], env: {" + list(257, ": x") + "}}").find("more than 256 variables") !=
        std::string::npos);
  CHECK(child("{command: [x], env: {A: " + std::string(32'768, 'x') + "}}") == "");
  CHECK(child("{command: [x], env: {A: " + std::string(32'769, 'x') + "}}")
            .find("process.env.A: no value for a variable") != std::string::npos);
  CHECK(child("{command: [x], env: {1A: x}}").find("'1A' is no variable's name") !=
        std::string::npos);
  CHECK(child("{command: [x], env: {A: [x]}}").find("expected a single value") !=
        std::string::npos);
  CHECK(child("{command: [x], env: {A: {env: NOT_SET}}}").find("NOT_SET is not set") !=
        std::string::npos);
}

TEST_CASE("an openai agent has a model") {
  const auto a = spec({"base_url: http://h/v1", "protocol: openai",
                       "model: {api: responses, name: m, context_messages: 3, context_bytes: 2KiB,",
                       "        max_tokens: 9, instructions: \"Be kind.\\nBe brief.\"}"});
  CHECK(a.model.speaks == agent_model::api::responses);
  CHECK(a.model.name == "m");
  CHECK(a.model.instructions == "Be kind.\nBe brief.");
  CHECK(a.model.context_messages == 3);
  CHECK(a.model.context_bytes == 2'048);
  CHECK(a.model.max_tokens == 9);
  CHECK(spec({"base_url: http://h", "protocol: openai", "model: {name: m}"}).model ==
        agent_model{agent_model::api::chat, "m", "", 40, std::size_t{64} << 10, 0});
  CHECK(told({"base_url: http://h", "protocol: openai"}) ==
        "a.yaml:2:3: agents.a.model.name is missing; write model: {name: …}, the model's name at "
        "its server\n");
  CHECK(told({"base_url: http://h", "protocol: openai", "model: {api: chat}"})
            .starts_with("a.yaml:5:5: agents.a.model.name is missing"));
  CHECK(told({"base_url: http://h", "model: {name: m}"})
            .starts_with("a.yaml:4:5: agents.a.model has no meaning for protocol agent-ws"));
  CHECK(told({"base_url: http://h", "protocol: openai", "model: {name: m, instructions: \"\\0\"}"})
            .find("no text of at most 32768 bytes") != std::string::npos);
}

TEST_CASE("what stands below defaults for a protocol that an agent does not speak is no fault") {
  const auto o = agents("agents: {a: {base_url: http://h}, b: {base_url: http://i, protocol: "
                        "openai}}\ndefaults: {model: {name: m}, process: {sandbox: off}}\n");
  REQUIRE(lines(o.problems) == "");
  CHECK(o.value.agents.at(agent_id{"b"}).model.name == "m");
}

TEST_CASE("a fault of an agent is told once, however many files speak of it") {
  const auto o = parse_registry(
      {"a.yaml", "agents:\n  a: {protocol: openai, base_url: http://h}\n"},
      {{"agents.d/a.yaml", "label: A\n"}, {"agents.d/b.yaml", "id: a\n"}}, {}, memory_disk{});
  CHECK(o.problems.size() == 1);
  // And not at all when the last one puts it right.
  const auto good = parse_registry({"a.yaml", "agents:\n  a: {protocol: openai}\n"},
                                   {{"agents.d/a.yaml", "base_url: http://h\nmodel: {name: m}\n"}},
                                   {}, memory_disk{});
  CHECK(lines(good.problems) == "");
}
