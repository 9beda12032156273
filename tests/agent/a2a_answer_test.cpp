// What a person is shown of artifacts and messages.

#include "a2a_agent.hpp"
#include "bridges/agent/a2a/answer.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace pb;
using namespace pb::test::a2a;

/// A task that works.
talk working() {
  talk t;
  t.ask();
  t.says(task("WORKING"));
  return t;
}

std::size_t replaced(const talk& t) {
  std::size_t n = 0;
  for (const auto& u : t.heard<agent_says::unknown>())
    n += u.type == "a2a artifact replaced" ? 1 : 0;
  return n;
}

} // namespace

TEST_CASE("a2a: pieces of an artifact are joined, artifacts are paragraphs") {
  auto t = working();
  t.says(artifact("a", {text("one ")}));
  t.says(artifact("a", {text("two")}, true));
  t.says(artifact("b", {text("three")}));
  t.says(artifact("b", {text(" four\n")}, true));
  t.says(artifact("a", {text("five")}, true));
  t.says(artifact("c", {text("six")}, true)); // appended to nothing
  CHECK(t.answer() == "one two\n\nthree four\n\nfive\n\nsix");
  CHECK(replaced(t) == 0);
}

TEST_CASE("a2a: an artifact that is sent anew is shown as far as it is new") {
  auto t = working();
  t.says(artifact("a", {text("Hello")}));
  t.says(artifact("a", {text("Hello wor")}));
  t.says(artifact("a", {text("Hello")}));
  t.says(artifact("a", {text("Hello world")}));
  CHECK(t.answer() == "Hello world");
  CHECK(replaced(t) == 0);
  SECTION("one that does not continue is a paragraph, not lost, and counted") {
    t.says(artifact("a", {text("Goodbye")}));
    t.says(artifact("a", {text(" all")}, true));
    CHECK(t.answer() == "Hello world\n\nGoodbye all");
    CHECK(replaced(t) == 1);
  }
}

TEST_CASE("a2a: without an artifact the last words are the answer") {
  auto t = working();
  t.says(status("WORKING", words("w", "thinking")));
  SECTION("of the end") {
    t.says(status("COMPLETED", words("m", "42")));
    CHECK(t.answer() == "42");
  }
  SECTION("of the history") {
    auto done = task("COMPLETED");
    done["result"]["task"]["history"] = {
        words("h1", "41"), words("h2", "42"), {{"role", "ROLE_USER"}, {"parts", {text("me")}}}};
    t.says(done);
    CHECK(t.answer() == "42");
  }
  SECTION("of its progress") {
    t.says(status("COMPLETED"));
    CHECK(t.answer() == "thinking");
  }
  SECTION("data") {
    t.says(artifact("a", {{{"data", {{"x", {1, 2}}}}}}));
    t.says(status("COMPLETED"));
    CHECK(t.answer() == "```json\n{\"x\":[1,2]}\n```");
  }
  SECTION("not beside a file") {
    t.says(artifact("a", {{{"raw", "aGk="}}}));
    t.says(status("COMPLETED"));
    CHECK(t.answer().empty());
    CHECK(t.files.at(0).name == "file");
  }
  CHECK(t.ended_well());
}

TEST_CASE("a2a: beside an artifact they are not, and neither is data") {
  auto t = working();
  t.says(artifact("a", {text("42"), {{"data", 42}}}));
  t.says(status("COMPLETED", words("m", "Here is your answer.")));
  CHECK(t.answer() == "42");
  CHECK(t.heard<agent_says::status>().back().text == "Here is your answer.");
}

TEST_CASE("a2a: data that is too long to be read is a file") {
  const auto with = [](std::size_t bytes) {
    auto t = working();
    t.says(artifact("a", {{{"data", std::string(bytes - 2, 'd')}}}));
    t.says(status("COMPLETED"));
    return t;
  };
  CHECK(with(pb::a2a::answer::shown_data).files.empty());
  const auto t = with(pb::a2a::answer::shown_data + 1);
  CHECK(t.answer().empty());
  REQUIRE(t.files.size() == 1);
  CHECK(t.files[0].name == "data.json");
  CHECK(t.files[0].bytes.size() == pb::a2a::answer::shown_data + 1);
}

TEST_CASE("a2a: a file is sent once, and one that is no file is told") {
  auto t = working();
  json named = {{"artifactId", "a"}, {"name", "ticket.pdf"}, {"parts", {{{"raw", "aGk="}}}}};
  const auto frame = [&](bool append) {
    json f = artifact("a", json::array(), append);
    f["result"]["artifactUpdate"]["artifact"] = named;
    return f;
  };
  t.says(frame(false));
  t.says(frame(false));
  t.says(task("WORKING", {named}));
  REQUIRE(t.files.size() == 1);
  CHECK(t.files[0].name == "ticket.pdf");
  CHECK(t.files[0].bytes == "hi");
  named["parts"] = {{{"raw", "b3RoZXI="}}};
  t.says(frame(true)); // another one of the same name
  CHECK(t.files.size() == 2);
  named["parts"] = {{{"raw", "!!"}, {"filename", "/etc/x"}}};
  t.says(frame(true));
  CHECK(t.files.size() == 2);
  CHECK(t.heard<agent_says::send_file>().at(0).path == "unreadable/x");
}

TEST_CASE("a2a: links are for people, and none leads elsewhere than it says") {
  const auto link = [](json part) {
    auto t = working();
    t.says(artifact("a", {std::move(part)}));
    return t.answer();
  };
  CHECK(link({{"url", "https://x.test/a b"}}) == "[https://x.test/a%20b](https://x.test/a%20b)");
  CHECK(link({{"url", "https://x.test/)[y](z"}, {"filename", "a](b)"}}) ==
        "[a\\](b)](https://x.test/%29%5By%5D%28z)");
  CHECK(link({{"url", "javascript:alert(1)"}, {"filename", "page"}}) == "page");
  CHECK(link({{"url", "file:///etc/passwd"}}).empty());
  CHECK(link({{"url", "https://x.test/" + std::string(5000, 'a')}, {"filename", "n"}}) == "n");
}

TEST_CASE("a2a: parts of no known kind are counted") {
  auto t = working();
  t.says(artifact("a", {{{"video", "x"}}, 5, nullptr, text("ok")}));
  CHECK(t.answer() == "ok");
  CHECK(t.heard<agent_says::unknown>().size() == 3);
}

TEST_CASE("a2a: an answer has its limits") {
  using pb::a2a::answer;
  SECTION("artifacts") {
    auto t = working();
    for (std::size_t i = 0; i < answer::artifact_cap; ++i)
      t.says(artifact(std::to_string(i), {text("x")}));
    CHECK(t.running);
    t.says(artifact("one more", {text("x")}));
    CHECK(t.gave_up->ending == turn_ending::too_large);
  }
  SECTION("text") {
    auto t = working();
    t.says(artifact("a", {text(std::string(answer::text_cap, 'x'))}));
    CHECK(t.running);
    t.says(artifact("a", {text("x")}, true));
    CHECK(t.gave_up->ending == turn_ending::too_large);
    CHECK(t.answer().size() == answer::text_cap);
  }
}

TEST_CASE("a2a: texts come out as UTF-8 without NUL") {
  auto t = working();
  t.says(
      R"({"jsonrpc":"2.0","id":1,"result":{"artifactUpdate":{"taskId":"t1","artifact":{"artifactId":"a","parts":[{"text":"a\u0000\ud800b"}]}}}})");
  CHECK(t.answer() == "a\xEF\xBF\xBD\xEF\xBF\xBD"
                      "b");
}
