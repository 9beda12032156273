#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;

namespace {

constexpr auto canary = "hunter2";

process_outcome with_token(const std::string& token, std::map<std::string, std::string> values = {},
                           const memory_disk& files = memory_disk{}) {
  return parse_process(
      source{"etc/p.yaml",
             "homeserver: {url: http://h, user_id: '@a:b', access_token: " + token + "}\n"},
      variables(std::move(values)), {}, files);
}

} // namespace

TEST_CASE("a secret comes from a variable or from a file beside the one that names it") {
  const auto by_env = with_token("{env: TOKEN}", {{"TOKEN", "s"}});
  CHECK(lines(by_env.problems) == "");
  CHECK(by_env.value.homeserver.access_token->show() == "s");
  CHECK(by_env.referenced.contains("TOKEN"));
  const memory_disk files{{{"etc/token", "from-file\r\n"}, {"/run/token", "absolute\n"}}};
  CHECK(with_token("{file: token}", {}, files).value.homeserver.access_token->show() ==
        "from-file");
  CHECK(with_token("{file: ../etc/token}", {}, files).value.homeserver.access_token->show() ==
        "from-file");
  CHECK(with_token("{file: /run/token}", {}, files).value.homeserver.access_token->show() ==
        "absolute");
}

TEST_CASE("a secret that stands in the file is a fault that does not repeat it") {
  for (const auto* token :
       {"hunter2", "\"hunter2\"", "{hunter2}", "{hunter2: x}", "{env: [hunter2]}",
        "{env: {hunter2: 1}}", "{env: 'hunter2 x'}", "[hunter2]", "{env: A, hunter2: B}",
        "{? [hunter2] : x}", "{file: \"hunter2\\n\"}", "{enviroment: hunter2}"}) {
    CAPTURE(token);
    const auto told = lines(with_token(token).problems);
    CHECK(told.starts_with("etc/p.yaml:1:"));
    CHECK(told.find("homeserver.access_token: ") != std::string::npos);
    CHECK(told.find(canary) == std::string::npos);
  }
  CHECK(lines(with_token("hunter2").problems)
            .find("a secret must not stand in this file; write {env: NAME} or {file: PATH}") !=
        std::string::npos);
}

TEST_CASE("a secret whose content cannot be used is not repeated either") {
  for (const auto& bad : std::vector<std::string>{"hunter2\nX-Evil: 1", "hunter2\x01"}) {
    const auto told = lines(with_token("{env: T}", {{"T", bad}}).problems);
    CHECK(told.find("the secret has line breaks or other control characters") != std::string::npos);
    CHECK(told.find(canary) == std::string::npos);
  }
  const memory_disk files{{{"etc/t", "\n"}}};
  CHECK(lines(with_token("{file: t}", {}, files).problems).find("the secret is empty") !=
        std::string::npos);
}

TEST_CASE("a missing variable or file is named") {
  CHECK(lines(with_token("{env: TOKEN}").problems) ==
        "etc/p.yaml:1:66: homeserver.access_token: the environment variable TOKEN is not set; set "
        "TOKEN in the environment or in the .env file\n");
  CHECK(lines(with_token("{env: TOKEN}", {{"TOKEN", ""}}).problems).find("is not set") !=
        std::string::npos);
  CHECK(
      lines(with_token("{file: token}").problems) ==
      "etc/p.yaml:1:67: homeserver.access_token: the file 'etc/token' cannot be read: No such file "
      "or directory; write a path relative to this file, or an absolute one\n");
}

TEST_CASE("a reference need not resolve when the environment holds the secret itself") {
  const auto o = with_token("{env: TOKEN}", {{"PATCHBAY_HOMESERVER_ACCESS_TOKEN", "s"}});
  CHECK(lines(o.problems) == "");
  CHECK(o.value.homeserver.access_token->show() == "s");
}

TEST_CASE("a configured admin token has 16 characters or more") {
  const auto with_length = [](std::size_t n) {
    return lines(
        process(homeserver + "admin: {token: {env: A}}\n", {{"T", "t"}, {"A", std::string(n, 'k')}})
            .problems);
  };
  CHECK(with_length(16) == "");
  const auto told = with_length(15);
  CHECK(told.find("p.yaml:2:16: admin.token: the secret is shorter than 16 characters") == 0);
  CHECK(told.find("kkk") == std::string::npos);
  const auto by_env =
      parse_process(std::nullopt, variables({{"PATCHBAY_ADMIN_TOKEN", canary}}), {}, memory_disk{});
  CHECK(lines(by_env.problems).find("PATCHBAY_ADMIN_TOKEN: the secret is shorter") == 0);
  CHECK(lines(by_env.problems).find(canary) == std::string::npos);
}

TEST_CASE("a secret is not taken from the command line") {
  const auto o = parse_process(std::nullopt, {}, {{"admin.token", canary}}, memory_disk{});
  CHECK(lines(o.problems).find("command line: admin.token: a secret on the command line") == 0);
  CHECK(lines(o.problems).find(canary) == std::string::npos);
  CHECK_FALSE(o.value.admin.token);
}

TEST_CASE("an agent's secrets are references too") {
  const std::string head = "agents:\n  a:\n    base_url: http://h\n";
  const auto good = agents(head + "    auth: {secret: {env: S}}\n    events_token: {env: E}\n",
                           {{"S", "s"}, {"E", "e"}});
  CHECK(lines(good.problems) == "");
  const auto& spec = good.value.agents.at(agent_id{"a"});
  CHECK(spec.auth->header == "Authorization");
  CHECK(spec.auth->value.show() == "s");
  CHECK(spec.events_token->show() == "e");
  for (const auto* bad :
       {"auth: hunter2", "auth: [hunter2]", "auth: {secret: hunter2}", "events_token: hunter2",
        "auth: {header: X, secret: {hunter2: 1}}", "base_url: http://me:hunter2@h"}) {
    CAPTURE(bad);
    const auto told = agents("agents:\n  a:\n    " + std::string{bad} + "\n    label: x\n");
    CHECK_FALSE(told.ok());
    CHECK(lines(told.problems).find(canary) == std::string::npos);
  }
  CHECK(lines(agents(head + "    auth: {header: X-Key}\n").problems) ==
        "a.yaml:4:5: agents.a.auth.secret is missing; write secret: {env: NAME} below auth\n");
}
