#include "actors/phrases.hpp"
#include "actors/room/answer_logic.hpp"

#include <catch2/catch.hpp>

namespace {
using namespace pb;
using namespace pb::agent_says;
} // namespace

TEST_CASE("chunks become one text, everything else leaves it alone") {
  answer_fold f{language::en};
  CHECK(f.add(status{"thinking"}));
  CHECK(f.add(text_chunk{"Hel"}));
  CHECK(f.add(tool_call{"1", "search", "{}"}));
  CHECK(f.add(tool_result{"1", "search", "[]", false}));
  CHECK(f.add(custom_update{"p", "1"}));
  CHECK(f.add(text_chunk{"lo"}));
  CHECK(f.text() == "Hello");
  CHECK(f.notes().empty());
}

TEST_CASE("an answer may fill its cap and not pass it, and is never cut inside a character") {
  answer_fold f{language::en};
  CHECK(f.add(text_chunk{std::string(answer_fold::cap - 1, 'x')}));
  CHECK_FALSE(f.add(text_chunk{"é"}));
  CHECK(f.text().size() <= answer_fold::cap + 3);
  CHECK(f.text().substr(answer_fold::cap - 2) == "x…");
  answer_fold exact{language::en};
  CHECK(exact.add(text_chunk{std::string(answer_fold::cap, 'x')}));
}

TEST_CASE("a confirmation and a file are declined in words") {
  answer_fold f{language::en};
  f.add(confirm{"c1", "Delete all?", {}});
  f.add(send_file{"out/a.txt"});
  CHECK(f.take_confirmations() == std::vector<std::string>{"c1"});
  CHECK(f.take_confirmations().empty());
  REQUIRE(f.notes().size() == 2);
  CHECK(f.notes()[0].find("Delete all?") != std::string::npos);
  CHECK(f.notes()[1].find("out/a.txt") != std::string::npos);
  for (int i = 0; i < 100; ++i)
    f.add(send_file{"x"});
  CHECK(f.notes().size() == answer_fold::note_cap);
}

TEST_CASE("every ending has words, and what was said before is kept") {
  for (int i = 0; i <= static_cast<int>(turn_ending::storage); ++i) {
    const auto ending = static_cast<turn_ending>(i);
    CHECK_FALSE(closing_text(language::en, ending, "", "Research", "E7").empty());
    const auto with = closing_text(language::ru, ending, "part", "Research", "E7");
    CHECK(with.starts_with("part"));
    CHECK((ending == turn_ending::answered) == (with == "part"));
  }
  CHECK(closing_text(language::en, turn_ending::agent_error, "", "A", "quota").find("quota") !=
        std::string::npos);
  CHECK(closing_text(language::en, turn_ending::answered, " \n", "A", "") ==
        say(language::en, phrase::empty_answer, {"A"}));
}
