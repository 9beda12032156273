#include "config/scalars.hpp"
#include "config/urls.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::config;
using namespace std::chrono_literals;

namespace {

std::optional<std::chrono::milliseconds> time_of(const std::string& text) {
  const auto value = duration(text, 0ms, 87'600h);
  return value ? std::optional{*value} : std::nullopt;
}

std::optional<std::size_t> size_of(const std::string& text) {
  const auto value = size(text, 0, std::size_t{1} << 40);
  return value ? std::optional{*value} : std::nullopt;
}

std::string listen(const std::string& text) {
  const auto value = host_and_port(text);
  return value ? value->host + " " + std::to_string(value->port) : "-";
}

} // namespace

TEST_CASE("a duration has a unit, and several units go from large to small") {
  CHECK(time_of("500ms") == 500ms);
  CHECK(time_of("1s") == 1s);
  CHECK(time_of("30m") == 30min);
  CHECK(time_of("1h") == 1h);
  CHECK(time_of("2m30s") == 150s);
  CHECK(time_of("1d12h") == 36h);
  CHECK(time_of("0") == 0ms);
  for (const auto* bad : {"", "5", "s", "-1s", "1.5s", "1 s", "1s1s", "30s2m", "1y", "1S", "0x1s",
                          "99999999999d", "9999999999999999999999s", "1sms"})
    CHECK_FALSE(time_of(bad));
}

TEST_CASE("a duration outside its range is refused and says so") {
  const auto low = duration("99ms", 100ms, 1s), high = duration("1001ms", 100ms, 1s);
  REQUIRE_FALSE(low);
  CHECK(low.error().what == "'99ms' is out of range");
  CHECK_FALSE(high);
  CHECK(duration("100ms", 100ms, 1s));
  CHECK(duration("1s", 100ms, 1s));
}

TEST_CASE("a size is bytes, or has a unit of 1024 or of 1000") {
  CHECK(size_of("64MiB") == std::size_t{64} << 20);
  CHECK(size_of("8 kB") == 8'000u);
  CHECK(size_of("2KiB") == 2'048u);
  CHECK(size_of("1GiB") == std::size_t{1} << 30);
  CHECK(size_of("3MB") == 3'000'000u);
  CHECK(size_of("32768") == 32'768u);
  CHECK(size_of("7B") == 7u);
  for (const auto* bad : {"", "MiB", "64M", "1.5MiB", "-1", "99999999999GiB", "1 2", "1TiBx"})
    CHECK_FALSE(size_of(bad));
}

TEST_CASE("a file mode is octal, with or without its zero") {
  CHECK(file_mode("0664").value() == 0664u);
  CHECK(file_mode("664").value() == 0664u);
  CHECK(file_mode("0o640").value() == 0640u);
  for (const auto* bad : {"", "0668", "1777", "rw-r--r--", "-1", "07777"})
    CHECK_FALSE(file_mode(bad));
}

TEST_CASE("an address to listen on is host and port, IPv6 in brackets") {
  CHECK(listen("127.0.0.1:8780") == "127.0.0.1 8780");
  CHECK(listen("[::1]:8780") == "::1 8780");
  CHECK(listen("localhost:0") == "localhost 0");
  for (const auto* bad : {"", "8780", ":8780", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                          "127.0.0.1:x", "::1:8780", "[]:1", "[::1]8780", "a b:1", "ho/st:1"})
    CHECK(listen(bad) == "-");
  CHECK(host_and_port("8780").error().instead == "write 127.0.0.1:8780");
}

TEST_CASE("a user id has a name and a server") {
  CHECK(matrix_user("@alice:example.org"));
  CHECK(matrix_user("@a:localhost:8448"));
  CHECK(matrix_user("@" + std::string(251, 'a') + ":xy"));
  for (const auto& bad : std::vector<std::string>{
           "", "alice", "@alice", "@:example.org", "@alice:", "alice:example.org", "@al ice:x.org",
           "@a\n:x.org", "@" + std::string(252, 'a') + ":xy"})
    CHECK_FALSE(matrix_user(bad));
}

TEST_CASE("an agent's id begins with a letter or digit") {
  for (const auto* good : {"agent-1", "1", "A.b_c-d"})
    CHECK(agent_name(good));
  for (const auto* bad : {"", "-a", ".a", "_a", "a b", "a/b", "агент", "a\n"})
    CHECK_FALSE(agent_name(bad));
}

TEST_CASE("a homeserver's address is taken apart strictly and loses the slash at its end") {
  CHECK(homeserver_url("https://m.example.org/").value() == "https://m.example.org");
  CHECK(homeserver_url("HTTP://127.0.0.1:8008/prefix//").value() == "http://127.0.0.1:8008/prefix");
  CHECK(homeserver_url("http://[::1]:8008").value() == "http://[::1]:8008");
  for (const auto* bad : {"",
                          "m.example.org",
                          "://x",
                          "ftp://x",
                          "ws://x",
                          "https://",
                          "https:///p",
                          "https://h:0",
                          "https://h:99999",
                          "https://h:",
                          "https://h:1x",
                          "https://h?q",
                          "https://h#f",
                          "https://h h",
                          "https://h/a b",
                          "https://u@h",
                          "https://u:p@h",
                          "https://[::1",
                          "https://[::1]x",
                          "https://h/\xC3\xA4",
                          "https://h/\n"})
    CHECK_FALSE(homeserver_url(bad));
}

TEST_CASE("a refused address is never quoted, as it may hold a password") {
  for (const auto* bad : {"https://me:hunter2@h", "hunter2", "https://me:hunter2 x@h",
                          "gopher://hunter2", "https://h?hunter2"}) {
    const auto url = agent_base_url(bad);
    REQUIRE_FALSE(url);
    CHECK(url.error().what.find("hunter2") == std::string::npos);
    CHECK(url.error().instead.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("the address of a chat in AGENT_WS_URL becomes a base address") {
  CHECK(base_of_ws_url("ws://h:1/v1/agent_ws/") == "ws://h:1");
  CHECK(base_of_ws_url("ws://h:1/p/v1/agent_ws/{chat_id}/") == "ws://h:1/p");
  CHECK(base_of_ws_url("ws://h:1/v1/agent_ws") == "ws://h:1");
  CHECK(base_of_ws_url("ws://h:1/") == "ws://h:1/");
  CHECK(base_of_ws_url("ws://h:1/v1/agent_ws_two/x") == "ws://h:1/v1/agent_ws_two/x");
  CHECK(base_of_ws_url("ws://h:1/v1/agent_ws/a/b") == "ws://h:1/v1/agent_ws/a/b");
}

TEST_CASE("headers of the handshake cannot be an agent's own") {
  CHECK(header_name("X-Api-Key"));
  for (const auto* bad : {"", "a b", "a:b", "a\r\nb", "Host", "sec-websocket-key", "UPGRADE"})
    CHECK_FALSE(header_name(bad));
}

TEST_CASE("a folder for incoming files stays below the workspace") {
  for (const auto* good : {"", "incoming", "a/b", "..a"})
    CHECK(relative_path(good));
  for (const auto* bad : {"/a", "..", "a/..", "a/../b", "a\nb"})
    CHECK_FALSE(relative_path(bad));
}
