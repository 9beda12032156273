// Single keys of a file in agents.d are changed; everything else stays byte for byte.

#include "config/agent_file.hpp"
#include "config/differences.hpp"
#include "tests/config/support.hpp"

#include <catch2/catch.hpp>

using namespace pb::config;
using namespace pb::config::test;

namespace {

std::string edited(const std::string& text, const std::vector<key_edit>& edits) {
  const auto out = edit_agent_file(text, edits);
  return out ? *out : "refused: " + out.error();
}

} // namespace

TEST_CASE(
    "a key that is there changes in its place, with its comment; a new one comes to the end") {
  const std::string text = "# about it\n"
                           "base_url: http://h # where\n"
                           "\n"
                           "label: 'One # two'   # what people see\n"
                           "# before limits\n"
                           "limits:\n"
                           "  turn: 1h # an hour\n"
                           "\n"
                           "  frame: 1MiB\n"
                           "# the end\n";
  CHECK(edited(text, {{"base_url", "http://i"}, {"label", "Two"}, {"enabled", "false"}}) ==
        "# about it\n"
        "base_url: http://i # where\n"
        "\n"
        "label: Two   # what people see\n"
        "# before limits\n"
        "limits:\n"
        "  turn: 1h # an hour\n"
        "\n"
        "  frame: 1MiB\n"
        "# the end\n"
        "enabled: false\n");
  CHECK(edited(text, {{"limits", "{turn: 2h}"}})
            .find("# before limits\nlimits: {turn: 2h}\n# the "
                  "end\n") != std::string::npos);
  CHECK(edited(text, {{"label", std::nullopt}, {"not there", std::nullopt}}).find("label") ==
        std::string::npos);
  CHECK(edited(text, {}) == text);
}

TEST_CASE("files without a last line break, with other line breaks, or empty, can be edited") {
  CHECK(edited("", {{"a", "1"}}) == "a: 1\n");
  CHECK(edited("# only words\n", {{"a", "1"}}) == "# only words\na: 1\n");
  CHECK(edited("a: 1", {{"b", "2"}}) == "a: 1\nb: 2\n");
  CHECK(edited("a: 1 # x", {{"a", "2"}}) == "a: 2 # x\n");
  CHECK(edited("a: 1\r\nb: 2\r\n", {{"a", "3"}, {"c", "4"}}) == "a: 3\r\nb: 2\r\nc: 4\r\n");
  CHECK(edited("---\na: 1\n", {{"a", "2"}}) == "---\na: 2\n");
  CHECK(edited("text: |\n  a: 1\n  # no comment\n\nb: 2\n", {{"b", "3"}}) ==
        "text: |\n  a: 1\n  # no comment\n\nb: 3\n");
  CHECK(edited("a: \"x # y\" # z\n", {{"a", "b"}}) == "a: b # z\n");
  CHECK(edited("a: it's # z\n", {{"a", "b"}}) == "a: b # z\n");
}

TEST_CASE("what cannot be changed line by line is refused, and nothing else is touched") {
  for (const auto* text : {"{a: 1, b: 2}\n", "- a\n", "words\n", " a: 1\n", "? a\n: 1\n",
                           "a: &x 1\nb: *x\nc: {<<: {d: 1}}\n\"a\": 2\n", "a: 1\n...\n"}) {
    INFO(text);
    CHECK(edited(text, {{"a", "3"}, {"new", "4"}}).starts_with("refused: "));
  }
  CHECK(edited("a: &x {y: 1}\nb: *x\n", {{"a", "{y: 2}"}}).starts_with("refused: "));
  CHECK(edited("a: [\n", {{"a", "3"}}).starts_with("refused: line "));
  // A value that would be two lines of YAML, or none.
  CHECK(edited("a: 1\n", {{"a", "2\nb: 3"}}).starts_with("refused: "));
  CHECK(edited("a: 1\n", {{"a", "2 # comment"}, {"b", "["}}).starts_with("refused: "));
}

TEST_CASE("every key of patchbay.yaml is compared when it is read again") {
  // What each key is changed to: something that its own rules take.
  const std::map<std::string_view, std::string> other{
      {"homeserver.url", "https://other.example.org"},
      {"homeserver.user_id", "@other:e.org"},
      {"language", "ru"},
      {"access.invites", "anyone"},
      {"access.operators", "@op:e.org"},
      {"streaming.mode", "final"},
      {"streaming.min_interval", "2s"},
      {"storage.retention", "7h"},
      {"storage.synchronous", "normal"},
      {"admin.listen", "127.0.0.1:1"},
      {"agents_api.listen", "127.0.0.1:2"},
      {"log.format", "json"},
      {"log.level", "debug"},
      {"files.mode", "0600"},
      {"homeserver.access_token", "another-long-secret"},
      {"homeserver.password", "another-long-secret"},
      {"admin.token", "another-long-secret"},
      {"files.deny", "x/**"}};
  const std::map<std::string, std::string> base{{"T", "secret-t"}};
  const auto before = process(homeserver, base).value;
  CHECK(differing_keys(before, before).empty());
  for (const auto& key : process_keys()) {
    const auto own = other.find(key.path);
    auto told = std::vector<std::string_view>{};
    for (const auto& text : {own == other.end() ? std::string{"7"} : own->second, std::string{"7s"},
                             std::string{"7KiB"}, std::string{"other-7"}}) {
      auto values = base;
      values[environment_name(key.path)] = text;
      const auto now = process(homeserver, values);
      if (now.problems.empty())
        told = differing_keys(before, now.value);
      if (!told.empty())
        break;
    }
    INFO(key.path);
    CHECK(told == std::vector<std::string_view>{key.path});
  }
}
