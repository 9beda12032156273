#include "actors/phrases.hpp"
#include "actors/room/answer_logic.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace {
using namespace pb;
using namespace pb::agent_says;
} // namespace

TEST_CASE("chunks become one text, everything else leaves it alone") {
  answer_fold f;
  CHECK(f.add(status{"thinking"}));
  CHECK(f.add(text_chunk{"Hel"}));
  CHECK(f.add(tool_call{"1", "search", "{}"}));
  CHECK(f.add(tool_result{"1", "search", "[]", false}));
  CHECK(f.add(custom_update{"p", "1"}));
  CHECK(f.add(text_chunk{"lo"}));
  CHECK(f.add(end{3, 4}));
  CHECK(f.text() == "Hello");
  CHECK(f.usage().input_tokens == 3);
  CHECK(f.usage().output_tokens == 4);
}

TEST_CASE("an answer may fill its cap and not pass it, and is never cut inside a character") {
  answer_fold f;
  CHECK(f.add(text_chunk{std::string(answer_fold::cap - 1, 'x')}));
  CHECK_FALSE(f.add(text_chunk{"é"}));
  CHECK(f.text().size() <= answer_fold::cap + 3);
  CHECK(f.text().substr(answer_fold::cap - 2) == "x…");
  answer_fold exact;
  CHECK(exact.add(text_chunk{std::string(answer_fold::cap, 'x')}));
}

TEST_CASE("questions and files are handed out once, and no more than a batch may bring") {
  answer_fold f;
  f.add(confirm{"c1", "Delete all?", {}});
  f.add(send_file{"out/a.txt"});
  const auto asked = f.take_confirmations();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].prompt == "Delete all?");
  CHECK(f.take_confirmations().empty());
  CHECK(f.take_files() == std::vector<std::string>{"out/a.txt"});
  for (std::size_t i = 0; i <= answer_fold::wish_cap; ++i)
    f.add(send_file{"x"});
  CHECK(f.take_files().size() == answer_fold::wish_cap);
}

TEST_CASE("tools are short lines at the end of a draft, and no part of the answer") {
  answer_fold f;
  CHECK(f.view(language::en, true).empty());
  f.add(status{"thinking"});
  CHECK(f.view(language::en, true) == "⚙ thinking …");
  f.add(tool_call{"1", "search_web", "{\"q\":"});
  f.add(tool_call{"1", "", "1}"});
  CHECK(f.view(language::en, true) == "⚙ search_web …");
  f.add(text_chunk{"Looking.\n\n"});
  f.add(tool_result{"1", "", "[]", false});
  f.add(tool_call{"2", "rm *_[x](y)\n", "{}"});
  f.add(tool_result{"2", "", "no", true});
  CHECK(f.view(language::en, true) == "Looking.\n\n⚙ search_web ✓\n⚙ rm _xy ✗");
  CHECK(f.view(language::en, false) == "Looking.\n\n");
  CHECK(f.text() == "Looking.\n\n");
  for (std::size_t i = 0; i <= answer_fold::tool_cap; ++i)
    f.add(tool_call{"t" + std::to_string(i), "n" + std::to_string(i), ""});
  const auto view = f.view(language::en, true);
  CHECK(std::count(view.begin(), view.end(), '\n') ==
        2 + static_cast<int>(answer_fold::tool_cap) - 1);
  CHECK(view.find("n0") == std::string::npos); // the oldest made place
}

TEST_CASE("every ending has words") {
  for (int i = 0; i <= static_cast<int>(turn_ending::storage); ++i) {
    CHECK_FALSE(closing_words(language::en, static_cast<turn_ending>(i), "Research", "E7").empty());
    CHECK_FALSE(closing_words(language::ru, static_cast<turn_ending>(i), "Research", "E7").empty());
  }
  CHECK(closing_words(language::en, turn_ending::agent_error, "A", "quota").find("quota") !=
        std::string::npos);
  CHECK(closing_words(language::en, turn_ending::answered, "A", "") ==
        say(language::en, phrase::empty_answer, {"A"}));
}
