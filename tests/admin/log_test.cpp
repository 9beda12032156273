#include "bridges/telemetry/log.hpp"
#include "bridges/telemetry/log_format.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace pb;
using json = nlohmann::json;

namespace {

struct pipe_pair {
  std::array<int, 2> fd{};
  pipe_pair() { REQUIRE(::pipe2(fd.data(), O_CLOEXEC) == 0); }
  ~pipe_pair() {
    close_reader();
    close_writer();
  }
  void close_reader() { shut(fd[0]); }
  void close_writer() { shut(fd[1]); }
  /// Everything until the writer's end is closed.
  std::string drain() {
    close_writer();
    std::string out;
    std::array<char, 65536> buffer{};
    for (ssize_t n = 0; (n = ::read(fd[0], buffer.data(), buffer.size())) > 0;)
      out.append(buffer.data(), static_cast<std::size_t>(n));
    return out;
  }

private:
  static void shut(int& f) {
    if (f >= 0)
      ::close(f);
    f = -1;
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string l; std::getline(in, l);)
    out.push_back(l);
  return out;
}

} // namespace

TEST_CASE("escaped text has no control character and no direction mark") {
  CHECK(escape_log("plain words, ünï, 你好, 👩‍💻") ==
        "plain words, ünï, 你好, 👩‍💻");
  CHECK(escape_log("a\r\nb\tc") == "a\\r\\nb\\tc");
  CHECK(escape_log("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
  CHECK(escape_log(std::string("\0\x7f", 2)) == "\\x00\\x7f");
  CHECK(escape_log("\u202Egnp.exe") == "\\u{202e}gnp.exe");
  CHECK(escape_log("\u2066x\u2069\u200B\uFEFF\u2028") ==
        "\\u{2066}x\\u{2069}\\u{200b}\\u{feff}\\u{2028}");
  CHECK(escape_log("\u009b31m") == "\\u{9b}31m");
  CHECK(escape_log("\U000E0041") == "\\u{e0041}");
  CHECK(escape_log("\\n") == "\\\\n");
}

TEST_CASE("escaped text shows bytes that are no UTF-8") {
  CHECK(escape_log("a\xff\xfe") == "a\\xff\\xfe");
  CHECK(escape_log("\xc3") == "\\xc3");
  CHECK(escape_log("\xe2\x82") == "\\xe2\\x82");
  CHECK(escape_log("\xc0\xaf") == "\\xc0\\xaf");                   // overlong
  CHECK(escape_log("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // surrogate
  CHECK(escape_log("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // past the last character
}

TEST_CASE("whatever bytes come, one line of printable text goes out") {
  std::mt19937 chance(7); // NOLINT: the same bytes in every run
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(chance() % 40, '\0');
    for (auto& b : bytes)
      b = static_cast<char>(chance());
    for (const char c : escape_log(bytes)) {
      const auto u = static_cast<unsigned char>(c);
      REQUIRE((u >= 0x20 && u != 0x7f));
    }
    const auto members = json_members(bytes, {bytes}, bytes, {{"key", bytes}}, 4000);
    REQUIRE(json::accept('{' + members + '}'));
    REQUIRE(members.find('\n') == std::string::npos);
  }
}

TEST_CASE("a text line holds event, trace, fields and words") {
  const auto line = text_line("room_turn_started", {"t1"}, "the turn begins",
                              {{"room", room_id("!r:s")}, {"waiting", 3}, {"late", true}}, 4000);
  CHECK(line == "room_turn_started trace=t1 room=!r:s waiting=3 late=true the turn begins");
}

TEST_CASE("a field's value cannot look like another field") {
  const auto line = text_line("e", {}, "", {{"name", "x trace=\"forged"}, {"empty", ""}}, 4000);
  CHECK(line == R"(e name="x trace=\"forged" empty="")");
}

TEST_CASE("a long line is cut between characters") {
  const auto line = text_line("e", {}, std::string(400, 'x') + "ééééééé", {}, 408);
  CHECK(line.size() <= 408);
  CHECK(line.ends_with("…"));
  CHECK(escape_log(line) == line);
}

TEST_CASE("a JSON line keeps numbers as numbers and what readers rely on") {
  const auto j =
      json::parse('{' +
                  json_members("e", {"t"}, "words",
                               {{"n", 7}, {"ok", false}, {"level", "x"}, {"s", "7"}}, 4000) +
                  '}');
  CHECK(j["event"] == "e");
  CHECK(j["trace"] == "t");
  CHECK(j["text"] == "words");
  CHECK(j["n"] == 7);
  CHECK(j["ok"] == false);
  CHECK(j["s"] == "7");
  CHECK(j["level_"] == "x");
}

TEST_CASE("a JSON line that is too long stays JSON and says that it is cut") {
  const std::string big(9'000, '\x01');
  const auto members = json_members(big, {big}, big, {{"k", big}}, 4000);
  CHECK(members.size() <= 4000);
  const auto j = json::parse('{' + members + '}');
  CHECK(j["truncated"] == true);
}

TEST_CASE("the logger writes one line for each call and leaves out what is below its level") {
  pipe_pair p;
  const auto format = GENERATE(log_format::text, log_format::json);
  {
    const auto log = make_logger(format, log_level::info, p.fd[1]);
    CHECK_FALSE(log->enabled(log_level::debug));
    CHECK(log->enabled(log_level::info));
    log->debug("hidden", {}, "never seen");
    log->info("first_event", {"t1"}, "one\nline", {{"n", 1}});
    log->error("second_event", {}, "100% {} %v sure");
  }
  const auto lines = lines_of(p.drain());
  REQUIRE(lines.size() == 2);
  if (format == log_format::text) {
    CHECK(std::regex_match(
        lines[0],
        std::regex(
            R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z I first_event trace=t1 n=1 one\\nline)")));
    CHECK(lines[1].ends_with("Z E second_event 100% {} %v sure"));
  } else {
    const auto j = json::parse(lines[0]);
    CHECK(j["level"] == "info");
    CHECK(j["event"] == "first_event");
    CHECK(j["text"] == "one\nline");
    CHECK(json::parse(lines[1])["text"] == "100% {} %v sure");
  }
}

TEST_CASE("when nobody reads the log, nothing waits for long and the loss is told later") {
  pipe_pair p;
  const auto log = make_logger(log_format::text, log_level::info, p.fd[1]);
  const std::string words(3'000, 'x');
  for (int i = 0; i < 2'000; ++i) // 6 MB into a pipe of 64 KiB: would hang for ever
    log->info("flood", {}, words);
  std::array<char, 32768> buffer{};
  REQUIRE(::read(p.fd[0], buffer.data(), buffer.size()) > 0);
  log->info("after", {}, "");
  const auto rest = p.drain();
  CHECK(rest.find("log_lines_dropped lines=") != std::string::npos);
  CHECK(rest.find(" I after") != std::string::npos);
}

TEST_CASE("a log whose reader has gone does not end the program") {
  pipe_pair p;
  const auto log = make_logger(log_format::json, log_level::debug, p.fd[1]);
  p.close_reader();
  log->info("unheard", {}, "");
  log->info("unheard", {}, "");
  SUCCEED("SIGPIPE is ignored");
}

TEST_CASE("lines of several threads do not mix") {
  pipe_pair p;
  std::string got;
  std::thread reader([&] {
    std::array<char, 65536> buffer{};
    for (ssize_t n = 0; (n = ::read(p.fd[0], buffer.data(), buffer.size())) > 0;)
      got.append(buffer.data(), static_cast<std::size_t>(n));
  });
  {
    const auto log = make_logger(log_format::json, log_level::info, p.fd[1]);
    std::vector<std::thread> writers;
    for (int t = 0; t < 3; ++t)
      writers.emplace_back([&log] {
        for (int i = 0; i < 200; ++i)
          log->info("line", {}, std::string(100, 'y'), {{"i", i}});
      });
    for (auto& w : writers)
      w.join();
  }
  p.close_writer();
  reader.join();
  const auto lines = lines_of(got);
  CHECK(lines.size() == 600);
  for (const auto& l : lines)
    REQUIRE(json::accept(l));
}

TEST_CASE("the memory logger keeps the newest lines up to its cap") {
  memory_logger log(log_level::info);
  log.debug("low", {}, "");
  for (int i = 0; i < 10'001; ++i)
    log.info(i == 0 ? "oldest" : "line", {"t"}, "", {{"i", i}});
  CHECK(log.lines().size() == 10'000);
  CHECK(log.count("oldest") == 0);
  CHECK(log.count("low") == 0);
  CHECK(log.lines().front().fields.front().second == "1");
  CHECK(log.lines().back().fields.front().second == "10000");
}

TEST_CASE("the null logger is enabled for nothing") {
  CHECK_FALSE(null_logger()->enabled(log_level::error));
}
