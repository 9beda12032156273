#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/text.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace pb::matrix;

namespace {

std::string without_space(std::string_view s) {
  std::string out;
  for (const char c : s)
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
      out += c;
  return out;
}

} // namespace

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

TEST_CASE("text: parts fit, end on characters, and lose nothing but white space", "[text]") {
  std::mt19937 dice(11);
  const std::vector<std::string> atoms{"word ",  "\n",         "\n\n",
                                       "\u20ac", "\U0001F600", "    ",
                                       "\x01",   "\"\\",       "a-very-long-word-without-a-space",
                                       "\xFF"};
  for (int round = 0; round < 60; ++round) {
    std::string text;
    const std::size_t size = 1 + dice() % 150'000;
    const std::size_t kinds = 1 + dice() % atoms.size();
    while (text.size() < size) {
      const std::string& atom = atoms[dice() % kinds];
      for (std::size_t n = 1 + dice() % 50; n > 0; --n)
        text += atom;
    }
    std::string joined;
    for (const std::string& part : split_text(text)) {
      REQUIRE_FALSE(part.empty());
      REQUIRE(part.size() <= part_bytes);
      REQUIRE(escaped_size(part) <= part_escaped_bytes);
      REQUIRE(json::is_utf8(part));
      joined += part;
    }
    REQUIRE(without_space(joined) == without_space(valid_utf8(text)));
  }
}

TEST_CASE("text: a long answer is cut between paragraphs, then lines, then words", "[text]") {
  const std::string paragraph(20'000, 'a');
  CHECK(split_text(paragraph + "\n\n" + paragraph) == std::vector{paragraph, paragraph});
  const std::string line(9'000, 'b');
  const std::string three = line + "\n" + line + "\n" + line;
  CHECK(split_text(three + "\n  indented " + line) == std::vector{three, "  indented " + line});
  const auto words = split_text(std::string(27'990, 'c') + " tail " + std::string(100, 'd'));
  REQUIRE(words.size() == 2);
  CHECK(words[0] == std::string(27'990, 'c') + " tail");
  CHECK(split_text(std::string(60'000, 'e')).size() == 3);
}

TEST_CASE("text: a short answer is one part as it is, nothing is none", "[text]") {
  CHECK(split_text("hello\n\nworld") == std::vector<std::string>{"hello\n\nworld"});
  CHECK(split_text("").empty());
  CHECK(split_text(" \n\t ").empty());
}
