#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace pb::config::test;
using namespace std::chrono_literals;

namespace {

/// The only problem of a file that is the complete homeserver and `text` from line 2 on.
std::string only(const std::string& text) { return lines(process(homeserver + text).problems); }

} // namespace

TEST_CASE("every key but homeserver is optional and has the default of the contract") {
  const auto o = process(homeserver);
  REQUIRE(lines(o.problems) == "");
  const auto& s = o.value;
  CHECK_FALSE(s.homeserver.embedded);
  CHECK(s.homeserver.url == "https://m.example.org");
  CHECK(s.homeserver.user.value == "@b:e.org");
  CHECK(s.homeserver.access_token->show() == "secret-t");
  CHECK_FALSE(s.homeserver.password);
  CHECK(s.homeserver.device.value == "PATCHBAY");
  CHECK(s.data_dir == "data");
  CHECK(s.lang == language::en);
  CHECK(s.access.operators.empty());
  CHECK(s.access.turns_per_minute == 30);
  CHECK(s.rooms.queue_limit == 32);
  CHECK(s.rooms.max_message_bytes == 32'768);
  CHECK(s.streaming.mode == streaming_mode::edits);
  CHECK(s.streaming.min_interval == 1s);
  CHECK(s.streaming.max_interval == 5s);
  CHECK(s.streaming.max_edits == 30);
  CHECK(s.confirmation_ttl == 30min);
  CHECK(s.files.max_bytes == std::size_t{64} << 20);
  CHECK(s.files.incoming == "incoming");
  CHECK(s.files.mode == 0664);
  CHECK(s.files.deny == std::vector<std::string>{"config/**", ".*"});
  CHECK(s.files.chat_quota == std::size_t{1} << 30);
  CHECK(s.storage.path.empty());
  CHECK(s.storage.synchronous == synchronous_mode::full);
  CHECK(s.storage.retention == 30 * 24h);
  CHECK(s.admin.listen.host == "127.0.0.1");
  CHECK(s.admin.listen.port == 8780);
  CHECK_FALSE(s.admin.listen_given);
  CHECK_FALSE(s.admin.token);
  CHECK_FALSE(s.agents_api);
  CHECK(s.log.format == log_format::text);
  CHECK(s.log.level == log_level::info);
  CHECK(s.drain == 20s);
}

TEST_CASE("the table's defaults, written into a file, are the program's defaults") {
  // Keeps --help and the documentation true: every default that the table shows is tried.
  for (const auto& key : process_keys()) {
    if (key.fallback.empty() || key.form == shape::path)
      continue;
    CAPTURE(key.path);
    const std::string path{key.path};
    const auto dot = path.find('.');
    const auto text = dot == std::string::npos
                          ? path + ": " + std::string{key.fallback}
                          : path.substr(0, dot) + ": {" + path.substr(dot + 1) + ": " +
                                std::string{key.fallback} + "}";
    if (path.starts_with("homeserver."))
      continue;
    const auto o = process(homeserver + text + "\n");
    CHECK(lines(o.problems) == "");
    const settings fresh;
    const auto& s = o.value;
    CHECK(s.rooms.queue_limit == fresh.rooms.queue_limit);
    CHECK(s.rooms.max_message_bytes == fresh.rooms.max_message_bytes);
    CHECK(s.access.turns_per_minute == fresh.access.turns_per_minute);
    CHECK(s.streaming.min_interval == fresh.streaming.min_interval);
    CHECK(s.streaming.max_interval == fresh.streaming.max_interval);
    CHECK(s.streaming.max_edits == fresh.streaming.max_edits);
    CHECK(s.confirmation_ttl == fresh.confirmation_ttl);
    CHECK(s.files.max_bytes == fresh.files.max_bytes);
    CHECK(s.files.incoming == fresh.files.incoming);
    CHECK(s.files.mode == fresh.files.mode);
    CHECK(s.files.deny == fresh.files.deny);
    CHECK(s.files.chat_quota == fresh.files.chat_quota);
    CHECK(s.admin.listen.port == fresh.admin.listen.port);
    CHECK(s.agents_api.has_value() == fresh.agents_api.has_value());
    CHECK(s.log.level == fresh.log.level);
    CHECK(s.drain == fresh.drain);
  }
}

TEST_CASE("every key can be set") {
  const auto o = process(R"(homeserver:
  url: http://127.0.0.1:8008/
  user_id: "@bot:localhost"
  password: {env: P}
  device_id: D
registry: r/agents.yaml
data_dir: /var/lib/x
language: ru
access: {invites: anyone, operators: ["@a:x.org", "@b:x.org"], turns_per_minute: 0}
rooms: {queue_limit: 5, max_message_bytes: 16KiB}
streaming: {mode: final, min_interval: 500ms, max_interval: 2m30s, max_edits: 7}
confirmations: {ttl: 1h}
files: {max_bytes: 8MB, incoming: "", mode: 0640, deny: [], chat_quota: 0}
storage: {path: x.db, synchronous: normal, retention: 7d}
admin: {listen: "[::1]:0", token: {env: A}}
agents_api: {listen: 0.0.0.0:8781}
log: {format: json, level: debug}
shutdown: {drain: 0}
)",
                         {{"P", "pass"}, {"A", "0123456789abcdef"}});
  REQUIRE(lines(o.problems) == "");
  const auto& s = o.value;
  CHECK(s.homeserver.url == "http://127.0.0.1:8008");
  CHECK(s.homeserver.password->show() == "pass");
  CHECK(s.homeserver.device.value == "D");
  CHECK(s.registry == "r/agents.yaml");
  CHECK(s.data_dir == "/var/lib/x");
  CHECK(s.lang == language::ru);
  CHECK(s.access.invites == invite_policy::anyone);
  CHECK(s.access.operators == std::vector{user_id{"@a:x.org"}, user_id{"@b:x.org"}});
  CHECK(s.access.turns_per_minute == 0);
  CHECK(s.rooms.queue_limit == 5);
  CHECK(s.rooms.max_message_bytes == 16'384);
  CHECK(s.streaming.mode == streaming_mode::final_only);
  CHECK(s.streaming.min_interval == 500ms);
  CHECK(s.streaming.max_interval == 150s);
  CHECK(s.streaming.max_edits == 7);
  CHECK(s.confirmation_ttl == 1h);
  CHECK(s.files.max_bytes == 8'000'000);
  CHECK(s.files.incoming.empty());
  CHECK(s.files.mode == 0640);
  CHECK(s.files.deny.empty());
  CHECK(s.files.chat_quota == 0);
  CHECK(s.storage.path == "x.db");
  CHECK(s.storage.synchronous == synchronous_mode::normal);
  CHECK(s.storage.retention == 7 * 24h);
  CHECK(s.admin.listen.host == "::1");
  CHECK(s.admin.listen.port == 0);
  CHECK(s.admin.listen_given);
  CHECK(s.admin.token->show() == "0123456789abcdef");
  REQUIRE(s.agents_api);
  CHECK(s.agents_api->port == 8781);
  CHECK(s.log.format == log_format::json);
  CHECK(s.log.level == log_level::debug);
  CHECK(s.drain == 0s);
}

TEST_CASE("all faults are reported at once, with place and what to write instead") {
  const auto o = process("homeserver:\n"
                         "  url: matrix.example.org\n"
                         "  user_id: agents\n"
                         "  access_token: {env: NOT_THERE}\n"
                         "romms: {queue_limit: 3}\n"
                         "rooms:\n"
                         "  queue_limt: 3\n"
                         "  max_message_bytes: many\n"
                         "streaming: {mode: edit, min_interval: 5}\n"
                         "files: [a]\n"
                         "log:\n"
                         "  level: [info]\n");
  CHECK(
      lines(o.problems) ==
      "p.yaml:2:8: homeserver.url: the address has no scheme; write an address like "
      "https://matrix.example.org, or embedded\n"
      "p.yaml:3:12: homeserver.user_id: 'agents' is not a user id; write a user id in quotes like "
      "\"@agents:example.org\"\n"
      "p.yaml:4:23: homeserver.access_token: the environment variable NOT_THERE is not set; set "
      "NOT_THERE in the environment or in the .env file\n"
      "p.yaml:5:1: unknown key 'romms'; did you mean 'rooms'?\n"
      "p.yaml:7:3: unknown key 'rooms.queue_limt'; did you mean 'queue_limit'?\n"
      "p.yaml:8:22: rooms.max_message_bytes: 'many' is not a size; write a size from 1 to 65536 "
      "bytes\n"
      "p.yaml:9:19: streaming.mode: 'edit' is not known here; did you mean 'edits'?\n"
      "p.yaml:9:39: streaming.min_interval: '5' has no unit; write '5s' for seconds\n"
      "p.yaml:10:8: files: expected a mapping, found a list; write the keys of files below it\n"
      "p.yaml:12:10: log.level: expected a single value, found a list; write debug, info, warning "
      "or error\n");
}

TEST_CASE("a key that stands twice is a fault that names the first") {
  CHECK(
      only("log: {level: info}\nlanguage: en\nlog: {format: json}\n") ==
      "p.yaml:4:1: the key 'log' stands here a second time; keep this one or the one in line 2\n");
  CHECK(only("log:\n  level: info\n  level: debug\n") ==
        "p.yaml:4:3: the key 'level' stands here a second time; keep this one or the one in line "
        "3\n");
}

TEST_CASE("a key in the wrong place is told its right one") {
  CHECK(only("queue_limit: 3\n") ==
        "p.yaml:2:1: unknown key 'queue_limit'; write queue_limit below "
        "rooms\n");
  CHECK(only("rooms.queue_limit: 3\n") ==
        "p.yaml:2:1: unknown key 'rooms.queue_limit'; write queue_limit below rooms\n");
  CHECK(only("zzzzzzz: 3\n").find("known here: homeserver, registry, data_dir") !=
        std::string::npos);
}

TEST_CASE("a section without content is empty; a key without a value is a fault") {
  CHECK(only("access:\nrooms:\n") == "");
  CHECK(only("language:\n") ==
        "p.yaml:2:1: language: expected a single value, nothing stands here; "
        "write en or ru, or remove the key\n");
  CHECK(only("data_dir: \"\"\n") ==
        "p.yaml:2:11: data_dir: an empty text; write the path of a folder\n");
}

TEST_CASE("each item of a list is judged at its own place") {
  CHECK(only("access:\n  operators:\n    - \"@a:x.org\"\n    - bob\n    - [c]\n") ==
        "p.yaml:5:7: access.operators: 'bob' is not a user id; write user ids in quotes like "
        "\"@admin:example.org\"\n"
        "p.yaml:6:7: access.operators: expected a single value, found a list; write user ids in "
        "quotes like \"@admin:example.org\"\n");
  CHECK(only("access: {operators: \"@a:x.org\"}\n").find("expected a list") != std::string::npos);
}

TEST_CASE("a shortest interval longer than the longest is a fault") {
  CHECK(only("streaming: {min_interval: 6s}\n")
            .starts_with(
                "p.yaml:2:27: streaming.min_interval is longer than streaming.max_interval; "));
  CHECK(only("streaming: {max_interval: 500ms}\n").starts_with("p.yaml:2:27: "));
  CHECK(only("streaming: {min_interval: 5s}\n") == "");
}

TEST_CASE("both listeners on one address is a fault") {
  CHECK(only("admin: {listen: 127.0.0.1:1}\nagents_api: {listen: 127.0.0.1:1}\n")
            .starts_with("p.yaml:3:22: agents_api.listen is the address of admin.listen; "));
}

TEST_CASE("a file without a homeserver is told everything that is missing") {
  for (const auto* text : {"", "# nothing\n", "homeserver:\n"}) {
    const auto told = lines(process(text).problems);
    CHECK(told.find("p.yaml:1:1: homeserver.url is missing; write url: ") != std::string::npos);
    CHECK(told.find("homeserver.user_id is missing") != std::string::npos);
    CHECK(told.find("homeserver.access_token is missing") != std::string::npos);
  }
  const auto password =
      process("homeserver: {url: http://h, user_id: '@a:b', password: {env: T}}\n");
  CHECK(lines(password.problems) == "");
}

TEST_CASE("an embedded homeserver needs no account, and takes none from outside") {
  const auto o = process("homeserver: {url: embedded}\n");
  CHECK(lines(o.problems) == "");
  CHECK(o.value.homeserver.embedded);
  CHECK(o.value.homeserver.url.empty());
  const auto other =
      process("homeserver: {url: embedded, user_id: '@b:e.org', access_token: {env: T}}\n");
  CHECK(lines(other.problems).find("p.yaml:1:38: warning: homeserver.user_id has no effect") == 0);
  CHECK(other.value.homeserver.user.empty());
  CHECK_FALSE(other.value.homeserver.access_token);
  const auto local = process("homeserver: {url: embedded, user_id: '@b:localhost'}\n");
  CHECK(lines(local.problems) == "");
  CHECK(local.value.homeserver.user.value == "@b:localhost");
}

TEST_CASE("a root that is no mapping is a fault") {
  CHECK(
      lines(process("- a\n").problems).starts_with("p.yaml:1:1: expected a mapping, found a list"));
  CHECK(
      lines(process("just text\n").problems).starts_with("p.yaml:1:1: expected a mapping, found"));
}

TEST_CASE("a broken file is one fault, not also everything that it would have said") {
  const auto o = process("homeserver: [\n");
  REQUIRE(o.problems.size() == 1);
  CHECK_FALSE(o.complete);
}

TEST_CASE("paths are relative to the file that names them, the default folder as if written") {
  const auto at = [](const std::string& text) {
    return parse_process(source{"/etc/pb/p.yaml", homeserver + text}, variables({{"T", "t"}}), {},
                         memory_disk{})
        .value;
  };
  CHECK(at("").data_dir == "/etc/pb/data");
  CHECK(at("data_dir: data\n").data_dir == "/etc/pb/data");
  CHECK(at("data_dir: ../x\n").data_dir == "/etc/x");
  CHECK(at("data_dir: /x\n").data_dir == "/x");
  CHECK(at("registry: a.yaml\n").registry == "/etc/pb/a.yaml");
  CHECK(at("storage: {path: a.db}\n").storage.path == "/etc/pb/a.db");
}

TEST_CASE("merge keys are written out, and what stands in the mapping itself wins") {
  const auto o = process(homeserver + "rooms: &r {queue_limit: 3, max_message_bytes: 9}\n"
                                      "rooms2: {<<: *r}\n");
  CHECK(lines(o.problems).find("unknown key 'rooms2'") != std::string::npos);
  const auto p =
      process("x: &h {url: http://h, user_id: '@a:b'}\nhomeserver: {<<: *h, url: http://i, "
              "access_token: {env: T}}\n");
  CHECK(lines(p.problems).starts_with("p.yaml:1:1: unknown key 'x'"));
  CHECK(p.problems.size() == 1);
  CHECK(p.value.homeserver.url == "http://i");
  CHECK(p.value.homeserver.user.value == "@a:b");
}

TEST_CASE("a thousand faults are shown, the rest is counted") {
  std::string text = homeserver;
  for (int i = 0; i < 1'500; ++i)
    text += "x" + std::to_string(i) + ": 1\n";
  const auto o = process(text);
  REQUIRE(o.problems.size() == 1'001);
  CHECK(o.problems.back().what == "500 more problems are not shown");
}

TEST_CASE("a message is one line, whatever the file says") {
  const auto told = only("\"a\\nb\\x1b[31m\": 1\n");
  CHECK(std::count(told.begin(), told.end(), '\n') == 1);
  CHECK(told.find('\x1b') == std::string::npos);
}
