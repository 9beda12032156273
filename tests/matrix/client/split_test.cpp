#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/markdown.hpp"
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

std::string lines(std::string_view line, std::size_t bytes) {
  std::string out;
  while (out.size() + line.size() + 1 <= bytes)
    out += std::string{line} + '\n';
  return out;
}

} // namespace

TEST_CASE("split: parts fit, end on characters, and lose nothing but white space", "[split]") {
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

TEST_CASE("split: a long answer is cut between paragraphs, then lines, then words", "[split]") {
  const std::string paragraph(9'000, 'a');
  CHECK(split_text(paragraph + "\n\n" + paragraph) == std::vector{paragraph, paragraph});
  const std::string line(3'800, 'b');
  const std::string three = line + "\n" + line + "\n" + line;
  CHECK(split_text(three + "\n  indented " + line) == std::vector{three, "  indented " + line});
  const auto words = split_text(std::string(11'990, 'c') + " tail " + std::string(100, 'd'));
  REQUIRE(words.size() == 2);
  CHECK(words[0] == std::string(11'990, 'c') + " tail");
  CHECK(split_text(std::string(30'000, 'e')).size() == 3);
}

TEST_CASE("split: a short answer is one part as it is, nothing is none", "[split]") {
  CHECK(split_text("hello\n\nworld") == std::vector<std::string>{"hello\n\nworld"});
  CHECK(split_text("```\nopen") == std::vector<std::string>{"```\nopen"});
  CHECK(split_text("").empty());
  CHECK(split_text(" \n\t ").empty());
}

TEST_CASE("split: code that is cut is closed and opened again", "[split]") {
  const std::string code = lines("int x = 1;", 20'000);
  for (const auto& [opening, closing] : std::vector<std::pair<std::string, std::string>>{
           {"```cpp title", "```"}, {"~~~~", "~~~~"}, {"  ```sh", "  ```"}}) {
    CAPTURE(opening);
    const auto parts = split_text("See:\n\n" + opening + '\n' + code + closing + "\n\nDone.");
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].starts_with("See:\n\n" + opening + "\nint x = 1;\n"));
    CHECK(parts[0].ends_with("\nint x = 1;\n" + closing));
    CHECK(parts[1].starts_with(opening + "\nint x = 1;\n"));
    CHECK(parts[1].ends_with("\nint x = 1;\n" + closing + "\n\nDone."));
    CHECK(parts[0].size() + parts[1].size() ==
          code.size() + 15 + 2 * opening.size() + 2 * closing.size());
    for (const auto& part : parts) {
      CHECK(part.size() <= part_bytes);
      CHECK(to_html(part)->find("```") == std::string::npos);
    }
  }
}

TEST_CASE("split: blank lines and indentation of cut code stay", "[split]") {
  const std::string code = lines("    a\n\n\n    b", 15'000);
  const auto parts = split_text("```\n" + code + "```");
  REQUIRE(parts.size() == 2);
  std::string joined;
  for (const auto& part : parts) {
    REQUIRE(part.starts_with("```\n"));
    REQUIRE(part.ends_with("\n```"));
    joined += part.substr(4, part.size() - 7);
  }
  CHECK(joined == code);
}

TEST_CASE("split: before code is better than inside of it", "[split]") {
  const std::string text = lines("some words of it", 7'000), code = lines("code", 8'000);
  const auto parts = split_text(text + "```\n" + code + "```");
  REQUIRE(parts.size() == 2);
  CHECK(parts[0] + '\n' == text);
  CHECK(parts[1] == "```\n" + code + "```");
}

TEST_CASE("split: where code ends at a cut, none is opened again", "[split]") {
  for (std::size_t size = 11'700; size < 12'010; ++size) {
    const std::string code = std::string(size, 'x');
    std::string joined;
    for (const auto& part : split_text("```\n" + code + "\n```\n\n" + std::string(500, 'y'))) {
      REQUIRE(part.size() <= part_bytes);
      REQUIRE(part.find("```\n```") == std::string::npos);
      joined += part;
    }
    std::string letters;
    for (const char c : joined)
      if (c == 'x' || c == 'y')
        letters += c;
    REQUIRE(letters == code + std::string(500, 'y'));
  }
}

TEST_CASE("split: a table is cut between rows, and rather before it", "[split]") {
  const std::string row = "| " + std::string(50, 'a') + " | b |";
  const std::string head = "| h | i |\n|---|---|\n";
  for (const auto& part : split_text(head + lines(row, 30'000)))
    for (std::size_t at = 0; at < part.size();) {
      const auto end = std::min(part.find('\n', at), part.size());
      const auto text = part.substr(at, end - at);
      CHECK((text == row || text == "| h | i |" || text == "|---|---|"));
      at = end + 1;
    }
  const std::string before = lines("Words.", 7'000);
  const auto parts = split_text(before + head + lines(row, 8'000));
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].ends_with("Words."));
  CHECK(parts[1].starts_with(head));
}

TEST_CASE("split: what only looks like a fence opens nothing", "[split]") {
  for (const std::string& line : std::vector<std::string>{"```code``` in a line", "``", "``` a`b",
                                                          std::string(100, '`'), "text ```"}) {
    CAPTURE(line);
    const auto parts = split_text(line + '\n' + lines("word", 15'000));
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].ends_with("word"));
    CHECK(parts[1].starts_with("word"));
  }
  // An endless info string is not said again.
  const auto parts = split_text("```" + std::string(500, 'i') + '\n' + lines("word", 15'000));
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].starts_with("```\nword"));
}

TEST_CASE("split: past three parts an answer is a file with its beginning shown", "[split]") {
  const std::string third(9'000, 'a');
  const auto three = lay_out(third + "\n\n" + third + "\n\n" + third);
  CHECK_FALSE(three.as_file);
  CHECK(three.parts == std::vector{third, third, third});
  const auto four = lay_out(third + "\n\n" + third + "\n\n" + third + "\n\n" + third);
  CHECK(four.as_file);
  CHECK(four.parts == std::vector{third});
  CHECK(lay_out("").parts.empty());
  CHECK_FALSE(lay_out("").as_file);
}

TEST_CASE("split: any Markdown gives parts that fit and end", "[split]") {
  const std::vector<std::string> atoms{"```\n",   "~~~x\n", "  ```a\n", "a b ",     "| a | b |\n",
                                       "\n",      "\n\n",   "````",     "\"\"\"\"", "\x01",
                                       "é\u0301", "\xFF",   "```"};
  std::mt19937 dice(5);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const std::size_t size = 1 + dice() % 60'000;
    while (text.size() < size) {
      const std::string& atom = atoms[dice() % atoms.size()];
      for (std::size_t n = 1 + dice() % 400; n > 0; --n)
        text += atom;
    }
    const auto parts = split_text(text);
    REQUIRE(parts.size() <= 2 + text.size() / 1000);
    for (const std::string& part : parts) {
      REQUIRE_FALSE(part.empty());
      REQUIRE(part.size() <= part_bytes);
      REQUIRE(escaped_size(part) <= part_escaped_bytes);
      REQUIRE(json::is_utf8(part));
    }
  }
}
