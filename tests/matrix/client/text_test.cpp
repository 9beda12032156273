#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/text.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace pb::matrix;

TEST_CASE("text: what is not UTF-8 becomes one U+FFFD for each maximal part", "[text]") {
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(valid_utf8("plain \u00e9\u20ac\U0001F600") == "plain \u00e9\u20ac\U0001F600");
  CHECK(valid_utf8("a\xFF\xFEz") == "a" + bad + bad + "z");
  CHECK(valid_utf8("\xE2\x82") == bad); // a truncated euro sign
  CHECK(valid_utf8("\xE2\x82x") == bad + "x");
  CHECK(valid_utf8("\xC0\xAF") == bad + bad);           // a long form
  CHECK(valid_utf8("\xED\xA0\x80") == bad + bad + bad); // a surrogate
  CHECK(valid_utf8("\xF4\x90\x80\x80") == bad + bad + bad + bad);
  CHECK(valid_utf8("\xF0\x9F\x98") == bad);
  std::mt19937 dice(3);
  for (int i = 0; i < 2000; ++i) {
    std::string noise(dice() % 40, ' ');
    for (char& c : noise)
      c = static_cast<char>(dice());
    REQUIRE(json::is_utf8(valid_utf8(noise)));
    if (json::is_utf8(noise))
      REQUIRE(valid_utf8(noise) == noise);
  }
}

TEST_CASE("text: a cut never ends inside a character", "[text]") {
  CHECK(cut_utf8("abc", 5) == "abc");
  CHECK(cut_utf8("a\u20acb", 3) == "a");
  CHECK(cut_utf8("a\u20acb", 4) == "a\u20ac");
  CHECK(cut_utf8("\U0001F600", 3).empty());
}

TEST_CASE("text: the escaped size is that of the string in JSON", "[text]") {
  std::string all;
  for (int c = 0; c < 0x80; ++c)
    all += static_cast<char>(c);
  CHECK(escaped_size(all) + 2 == json::quote(all).size());
}

TEST_CASE("text: NUL is no text that servers keep", "[text]") {
  CHECK(storable_text(std::string_view("a\0b\xFF\0", 5)) == "a\uFFFDb\uFFFD\uFFFD");
}

TEST_CASE("text: a cut tears nothing that people see as one", "[text]") {
  const auto cut = [](std::string_view text, std::size_t bytes) {
    return std::string{cut_text(text, bytes, 1000)};
  };
  const std::string family = "\U0001F469\u200D\U0001F469\u200D\U0001F467"; // joined by U+200D
  const std::string flags = "\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7";
  for (const std::string& one :
       std::vector<std::string>{family, "e\u0301\u0323", "\U0001F44D\U0001F3FD", "\u2705\uFE0F",
                                "\u0915\u093F", "\u05E9\u05C1", "\r\n", flags.substr(0, 8)})
    for (std::size_t bytes = 2; bytes < 2 + one.size(); ++bytes)
      CHECK(cut("ab" + one + "cd", bytes) == "ab");
  CHECK(cut("ab" + family + "cd", 2 + family.size()) == "ab" + family);
  CHECK(cut("a" + flags, 9) == "a" + flags.substr(0, 8));
  CHECK(cut("a" + flags, 16) == "a" + flags.substr(0, 8));
  // Too far to go back for: a letter with a thousand marks is cut between two of them.
  std::string marks = "a";
  while (marks.size() < 2001)
    marks += "\u0301";
  CHECK(cut(marks, 1000).size() == 999);
  CHECK(cut_text("\x01\x01\x01", 100, 13) == "\x01\x01");
  CHECK(cut_text("abc", 3, 3) == "abc");
  CHECK(cut_text("", 3, 3).empty());
}
