#include "tests/config/support.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;

namespace {

const std::map<std::string, std::string> outside{{"MATRIX_HOMESERVER", "http://h"},
                                                 {"MATRIX_USER_ID", "@b:e.org"},
                                                 {"MATRIX_ACCESS_TOKEN", "t"}};

std::map<std::string, std::string> outside_and(std::map<std::string, std::string> more) {
  more.insert(outside.begin(), outside.end());
  return more;
}

constexpr auto one_agent = "agents: {a: {base_url: http://h}}\n";

std::string file_text(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace

TEST_CASE("without a file and without a homeserver in the environment it is the embedded default") {
  const memory_disk files{{{"config/patchbay.yaml", "broken: ["},
                           {"patchbay.yaml", "broken: ["},
                           {"matrix-agents.yaml", "broken: ["}}};
  const auto l = load({}, {}, files);
  CHECK(l.ok());
  CHECK(l.problems.empty());
  CHECK(l.process.homeserver.embedded);
  CHECK(l.process.homeserver.user.empty());
  CHECK(l.process.data_dir == "data");
  CHECK(l.process.registry.empty());
  CHECK(l.process.access.invites == invite_policy::anyone);
  CHECK(l.agents.agents.empty());
}

TEST_CASE("invitations: of registered users, of the server without such, of anyone when embedded") {
  const auto invites = [](const std::string& registry, const std::string& process,
                          std::map<std::string, std::string> values = {{"T", "t"}}) {
    const memory_disk files{{{"p.yaml", process + "registry: a.yaml\n"}, {"a.yaml", registry}}};
    const auto l = load({"p.yaml", std::nullopt}, variables(std::move(values)), files);
    CHECK(lines(l.problems) == "");
    return l.process.access.invites;
  };
  const std::string with_users = std::string{one_agent} + "users: {'@a:b': a}\n";
  CHECK(invites(with_users, homeserver) == invite_policy::registered);
  CHECK(invites(one_agent, homeserver) == invite_policy::server);
  CHECK(invites(with_users, "homeserver: {url: embedded}\n") == invite_policy::anyone);
  CHECK(invites(one_agent, homeserver + "access: {invites: registered}\n") ==
        invite_policy::registered);
  CHECK(invites(one_agent, "homeserver: {url: embedded}\n",
                {{"PATCHBAY_ACCESS_INVITES", "server"}}) == invite_policy::server);
}

TEST_CASE("the registry lies beside the file unless another is named") {
  const memory_disk files{{{"etc/p.yaml", homeserver},
                           {"etc/q.yaml", homeserver + "registry: ../x.yaml\n"},
                           {"etc/matrix-agents.yaml", one_agent},
                           {"x.yaml", "agents: {x: {base_url: http://h}}\n"}}};
  const auto env = variables({{"T", "t"}});
  const auto beside = load({"etc/p.yaml", std::nullopt}, env, files);
  CHECK(beside.process.registry == "etc/matrix-agents.yaml");
  CHECK(beside.agents.agents.contains(agent_id{"a"}));
  const auto named = load({"etc/q.yaml", std::nullopt}, env, files);
  CHECK(named.process.registry == "x.yaml");
  CHECK(named.agents.agents.contains(agent_id{"x"}));
}

TEST_CASE("a registry that is named and missing is a fault at the place that names it") {
  const memory_disk files{{{"p.yaml", homeserver + "registry: none.yaml\n"}}};
  const auto l = load({"p.yaml", std::nullopt}, variables({{"T", "t"}}), files);
  CHECK_FALSE(l.ok());
  CHECK(lines(l.problems).find("p.yaml:2:11: the registry 'none.yaml' cannot be read") == 0);
  const auto by_env =
      load({}, variables({{"MATRIX_AGENT_REGISTRY_PATH", "none.yaml"}}), memory_disk{});
  CHECK(lines(by_env.problems).find("MATRIX_AGENT_REGISTRY_PATH: the registry 'none.yaml'") == 0);
}

TEST_CASE("faults of both files are reported together") {
  const memory_disk files{
      {{"p.yaml", homeserver + "langauge: en\n"}, {"matrix-agents.yaml", "agents: {a: {}}\n"}}};
  const auto l = load({"p.yaml", std::nullopt}, variables({{"T", "t"}}), files);
  const auto told = lines(l.problems);
  CHECK(told.find("p.yaml:2:1: unknown key 'langauge'; did you mean 'language'?") !=
        std::string::npos);
  CHECK(told.find("matrix-agents.yaml:1:10: agents.a.base_url is missing") != std::string::npos);
}

TEST_CASE("a configuration file that cannot be read is a fault") {
  const auto l = load({"none.yaml", std::nullopt}, {}, memory_disk{});
  CHECK_FALSE(l.ok());
  CHECK(lines(l.problems) ==
        "none.yaml: cannot be read: No such file or directory; write the path of "
        "a readable file after --config\n");
}

TEST_CASE("a deployment that exists, all from the environment, has one agent for everybody") {
  const auto l = load({},
                      variables(outside_and({{"AGENT_BASE_URL", "http://agent:8000"},
                                             {"MATRIX_DB_PATH", "data/x.db"}})),
                      memory_disk{});
  CHECK(lines(l.problems) == "");
  CHECK_FALSE(l.process.homeserver.embedded);
  CHECK(l.agents.agent_for(user_id{"@a:b"}) == agent_id{"default"});
  CHECK(l.process.access.invites == invite_policy::server);
  CHECK(l.process.storage.path == "data/x.db");
}

TEST_CASE("a file that cannot be parsed is one fault, and nothing is guessed about the rest") {
  const memory_disk files{{{"p.yaml", "homeserver: [\n"}}};
  const auto l = load({"p.yaml", std::nullopt}, variables({{"PATCHBAY_MY_TOKEN", "x"}}), files);
  CHECK_FALSE(l.ok());
  CHECK(l.problems.size() == 1);
}

TEST_CASE("no agent at all is a warning") {
  const auto l = load({}, variables(outside), memory_disk{});
  CHECK(l.ok());
  CHECK(lines(l.problems).find("environment: warning: there is no agent; ") == 0);
}

TEST_CASE("variables without effect are listed, the store's path is kept for the cleaning") {
  const memory_disk files{{{"r.yaml", one_agent}}};
  const auto l = load({},
                      variables(outside_and({{"MATRIX_STORE_PATH", "store"},
                                             {"MATRIX_PLATFORM_BACKEND", "real"},
                                             {"SURFACES_X", "1"},
                                             {"AGENT_BASE_URL", "http://h"},
                                             {"MATRIX_AGENT_REGISTRY_PATH", "r.yaml"}})),
                      files);
  CHECK(lines(l.problems) == "");
  CHECK(l.process.legacy_store_path == "store");
  CHECK(l.process.ineffective == std::vector<std::string>{"MATRIX_PLATFORM_BACKEND",
                                                          "MATRIX_STORE_PATH", "SURFACES_X",
                                                          "AGENT_BASE_URL"});
  CHECK(l.agents.agents.contains(agent_id{"a"}));
}

TEST_CASE("an unknown variable of ours is a warning; one that a secret names is known") {
  const memory_disk files{
      {{"p.yaml", homeserver + "admin: {token: {env: PATCHBAY_MY_TOKEN}}\n"},
       {"matrix-agents.yaml",
        "agents: {a: {base_url: http://h, events_token: {env: PATCHBAY_EV}}}\n"}}};
  const auto l = load({"p.yaml", std::nullopt},
                      variables({{"T", "t"},
                                 {"PATCHBAY_MY_TOKEN", "0123456789abcdef"},
                                 {"PATCHBAY_EV", "e"},
                                 {"PATCHBAY_LOG_LEVLE", "info"},
                                 {"PATCHBAY_QQQQQQQ", "1"}}),
                      files);
  CHECK(l.ok());
  CHECK(lines(l.problems) ==
        "PATCHBAY_LOG_LEVLE: warning: no variable of Patchbay; did you mean PATCHBAY_LOG_LEVEL?\n"
        "PATCHBAY_QQQQQQQ: warning: no variable of Patchbay; look at the names in --help\n");
}

TEST_CASE("the example files load without a word, given the variables that they name") {
  const auto env = variables({{"MATRIX_ACCESS_TOKEN", "t"},
                              {"PATCHBAY_ADMIN_TOKEN", "0123456789abcdef"},
                              {"AGENT_2_TOKEN", "s"}});
  const auto l = load({"config/patchbay.yaml", std::nullopt}, env);
  CHECK(lines(l.problems) == "");
  CHECK(l.process.registry == "config/matrix-agents.yaml");
  CHECK(l.process.data_dir == "data");
  CHECK(l.agents.agents.size() == 2);
  CHECK(l.agents.users.size() == 2);
  CHECK(l.agents.agents.at(agent_id{"agent-2"}).limits == agent_limits{});
}

TEST_CASE("the documentation has every key as the program knows it") {
  const auto docs = file_text("docs/configuration.md");
  REQUIRE_FALSE(docs.empty());
  std::istringstream rows{keys_as_markdown()};
  for (std::string row; std::getline(rows, row);) {
    CAPTURE(row);
    CHECK(docs.find(row + "\n") != std::string::npos);
  }
}

TEST_CASE("the help has every key, its default and its variables") {
  const auto help = explain_keys();
  for (const auto& key : process_keys()) {
    CHECK(help.find("  " + std::string{key.path}) != std::string::npos);
    CHECK(help.find(environment_name(key.path)) != std::string::npos);
    CHECK(help.find(std::string{key.alias}) != std::string::npos);
  }
  for (const auto& key : agent_keys())
    CHECK(help.find("  " + std::string{key.path}) != std::string::npos);
}

TEST_CASE("the disk tells why it cannot read, and waits for nothing") {
  const auto& d = real_disk();
  CHECK(d.read("config/none.yaml", 10).error() == "No such file or directory");
  CHECK(d.read("config", 10).error() == "not a regular file");
  CHECK(d.read("/dev/zero", 10).error() == "not a regular file");
  CHECK(d.read("config/patchbay.yaml", 10).error() == "larger than 10 bytes");
  CHECK(d.yaml_files("config/none").value().empty());
  CHECK(d.yaml_files("config").value() ==
        std::vector<std::string>{"matrix-agents.yaml", "patchbay.yaml"});
  CHECK_FALSE(d.yaml_files("config/patchbay.yaml"));
}
