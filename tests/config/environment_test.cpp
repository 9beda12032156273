#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;

namespace {

process_outcome without_file(std::map<std::string, std::string> values) {
  return parse_process(std::nullopt, variables(std::move(values)), {}, memory_disk{});
}

} // namespace

TEST_CASE("a .env file has names, values, quotes and comments") {
  std::vector<problem> problems;
  const auto env = parse_env_file("# comment\r\n"
                                  "A=1\r\n"
                                  "export B = two words # and a comment\n"
                                  "C='as $it \\n stands' # comment\n"
                                  "D=\"line\\nbreak \\\"quoted\\\" \\$x \\\\\"\n"
                                  "E=\n"
                                  "F=a#b\n"
                                  "G=a=b\n"
                                  "A=again\n"
                                  "H=''\n"
                                  "I=last",
                                  ".env", problems);
  CHECK(lines(problems) == "");
  CHECK(env.values == std::map<std::string, std::string>{{"A", "again"},
                                                         {"B", "two words"},
                                                         {"C", "as $it \\n stands"},
                                                         {"D", "line\nbreak \"quoted\" $x \\"},
                                                         {"F", "a#b"},
                                                         {"G", "a=b"},
                                                         {"I", "last"}});
  CHECK(env.where("I").line == 11);
}

TEST_CASE("a line of a .env file that is none is a warning that does not repeat it") {
  std::vector<problem> problems;
  const auto env = parse_env_file(
      "OK=1\nhunter2\n1A=hunter2\nB=\"hunter2\nC='hunter2' x\n=hunter2\n", "x.env", problems);
  CHECK(env.values.size() == 1);
  const auto told = lines(problems);
  CHECK(
      told.find("x.env:2:1: warning: not a line of the form NAME=value, ignored; write NAME=value, "
                "or # before it\n") == 0);
  CHECK(problems.size() == 5);
  CHECK(told.find("hunter2") == std::string::npos);
}

TEST_CASE("the process's own variables win over the .env file; empty ones count as unset") {
  const memory_disk files{{{".env", "A=file\nB=file\nC=\nD=file\n"}}};
  const char* own[] = {"A=own", "B=", "C=own", "=x", "nothing", nullptr};
  std::vector<problem> problems;
  const auto env = read_environment(std::nullopt, own, problems, files);
  CHECK(problems.empty());
  CHECK(env.values == std::map<std::string, std::string>{
                          {"A", "own"}, {"B", "file"}, {"C", "own"}, {"D", "file"}});
  CHECK(env.where("A").line == 0);
  CHECK(env.where("B").file == ".env");
  CHECK(env.where("B").line == 2);
}

TEST_CASE("a named .env file replaces the one in the working directory and must be readable") {
  const memory_disk files{{{".env", "A=1\n"}, {"x/y.env", "B=2\n"}}};
  std::vector<problem> problems;
  const auto env = read_environment("x/y.env", nullptr, problems, files);
  CHECK(env.values == std::map<std::string, std::string>{{"B", "2"}});
  CHECK(problems.empty());
  (void)read_environment("none.env", nullptr, problems, files);
  REQUIRE(problems.size() == 1);
  CHECK_FALSE(problems[0].warning);
  CHECK(lines(problems) ==
        "none.env: cannot be read: No such file or directory; write the path of a "
        "readable file after --env-file\n");
}

TEST_CASE("every key has a variable, named after its path") {
  CHECK(environment_name("homeserver.url") == "PATCHBAY_HOMESERVER_URL");
  CHECK(environment_name("agents_api.listen") == "PATCHBAY_AGENTS_API_LISTEN");
  const auto o = without_file({{"PATCHBAY_HOMESERVER_URL", "http://h"},
                               {"PATCHBAY_HOMESERVER_USER_ID", "@a:b"},
                               {"PATCHBAY_HOMESERVER_ACCESS_TOKEN", "tok"},
                               {"PATCHBAY_ADMIN_LISTEN", "[::1]:1"},
                               {"PATCHBAY_AGENTS_API_LISTEN", "null"},
                               {"PATCHBAY_ACCESS_OPERATORS", "@a:x.org, @b:x.org"},
                               {"PATCHBAY_FILES_DENY", "[]"},
                               {"PATCHBAY_ROOMS_QUEUE_LIMIT", "7"},
                               {"PATCHBAY_DATA_DIR", "d"}});
  CHECK(lines(o.problems) == "");
  CHECK(o.value.homeserver.url == "http://h");
  CHECK(o.value.homeserver.access_token->show() == "tok");
  CHECK(o.value.admin.listen.host == "::1");
  CHECK(o.value.admin.listen_given);
  CHECK_FALSE(o.value.agents_api);
  CHECK(o.value.access.operators == std::vector{user_id{"@a:x.org"}, user_id{"@b:x.org"}});
  CHECK(o.value.files.deny.empty());
  CHECK(o.value.rooms.queue_limit == 7);
  CHECK(o.value.data_dir == "d");
}

TEST_CASE("names of deployments that exist are aliases; our own name wins") {
  const auto o = without_file({{"MATRIX_HOMESERVER", "https://m.org/"},
                               {"MATRIX_USER_ID", "@a:m.org"},
                               {"MATRIX_PASSWORD", "pw"},
                               {"MATRIX_DEVICE_ID", "DEV"},
                               {"MATRIX_DB_PATH", "old/x.db"},
                               {"MATRIX_AGENT_REGISTRY_PATH", "r.yaml"}});
  CHECK(lines(o.problems) == "");
  CHECK(o.value.homeserver.url == "https://m.org");
  CHECK(o.value.homeserver.user.value == "@a:m.org");
  CHECK(o.value.homeserver.password->show() == "pw");
  CHECK(o.value.homeserver.device.value == "DEV");
  CHECK(o.value.storage.path == "old/x.db");
  CHECK(o.value.registry == "r.yaml");
  const auto both = without_file({{"MATRIX_HOMESERVER", "https://m.org"},
                                  {"PATCHBAY_HOMESERVER_URL", "https://p.org"},
                                  {"MATRIX_USER_ID", "@a:m.org"},
                                  {"MATRIX_ACCESS_TOKEN", "t"}});
  CHECK(both.value.homeserver.url == "https://p.org");
}

TEST_CASE("the file loses to the environment, the environment to the command line") {
  const source file{"p.yaml", homeserver + "log: {level: error, format: json}\nlanguage: ru\n"};
  const auto env =
      variables({{"T", "t"}, {"PATCHBAY_LOG_LEVEL", "warning"}, {"PATCHBAY_LANGUAGE", "en"}});
  const auto o = parse_process(file, env, {{"log.level", "debug"}}, memory_disk{});
  CHECK(lines(o.problems) == "");
  CHECK(o.value.log.level == log_level::debug);
  CHECK(o.value.lang == language::en);
  CHECK(o.value.log.format == log_format::json);
}

TEST_CASE("the environment can take a file from embedded to outside and back") {
  const auto env = variables({{"MATRIX_HOMESERVER", "http://h"},
                              {"MATRIX_USER_ID", "@a:b"},
                              {"MATRIX_ACCESS_TOKEN", "t"}});
  const auto out =
      parse_process(source{"p.yaml", "homeserver: {url: embedded}\n"}, env, {}, memory_disk{});
  CHECK_FALSE(out.value.homeserver.embedded);
  CHECK(out.value.homeserver.url == "http://h");
  const auto in = parse_process(source{"p.yaml", homeserver},
                                variables({{"T", "t"}, {"PATCHBAY_HOMESERVER_URL", "embedded"}}),
                                {}, memory_disk{});
  CHECK(in.value.homeserver.embedded);
  CHECK(in.value.homeserver.url.empty());
}

TEST_CASE("a wrong variable is named as such, with its line when it is the .env file's") {
  CHECK(lines(without_file({{"PATCHBAY_LOG_LEVEL", "warn"}}).problems) ==
        "PATCHBAY_LOG_LEVEL: 'warn' is not known here; did you mean 'warning'?\n");
  std::vector<problem> problems;
  const auto env = parse_env_file("\nMATRIX_HOMESERVER=m.org\n", ".env", problems);
  const auto o = parse_process(std::nullopt, env, {}, memory_disk{});
  CHECK(lines(o.problems).find(".env:2:1: MATRIX_HOMESERVER: the address has no scheme; write ") ==
        0);
}

TEST_CASE("a homeserver from the environment alone is told what is missing") {
  CHECK(lines(without_file({{"MATRIX_HOMESERVER", "http://h"}}).problems) ==
        "environment: homeserver.user_id is missing; set MATRIX_USER_ID in the environment\n"
        "environment: homeserver.access_token is missing; set MATRIX_ACCESS_TOKEN in the "
        "environment\n");
}

TEST_CASE("a path in the .env file is relative to that file") {
  std::vector<problem> problems;
  const auto env = parse_env_file("PATCHBAY_DATA_DIR=d\n", "/etc/pb/x.env", problems);
  CHECK(parse_process(std::nullopt, env, {}, memory_disk{}).value.data_dir == "/etc/pb/d");
}
