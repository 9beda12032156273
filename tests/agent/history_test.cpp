#include "bridges/agent/history.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

using namespace pb;
using nlohmann::json;

namespace {

std::vector<history_entry> exchange(const std::string& turn, std::string asked,
                                    std::string answer) {
  return {{turn, "user", std::move(asked)}, {turn, "assistant", std::move(answer)}};
}

std::string texts(const chat_history& h) {
  std::string out;
  for (const auto& e : h.entries())
    out += e.role.substr(0, 1) + ":" + e.text + " ";
  return out;
}

} // namespace

TEST_CASE("a chat's history keeps the newest whole exchanges") {
  chat_history h({6, 100'000});
  for (int i = 1; i <= 5; ++i)
    h.put(exchange("t" + std::to_string(i), "q" + std::to_string(i), "a" + std::to_string(i)));
  CHECK(texts(h) == "u:q3 a:a3 u:q4 a:a4 u:q5 a:a5 ");
  chat_history odd({5, 100'000});
  for (int i = 1; i <= 5; ++i)
    odd.put(exchange("t" + std::to_string(i), "q" + std::to_string(i), "a" + std::to_string(i)));
  CHECK(texts(odd) == "u:q4 a:a4 u:q5 a:a5 ");
  chat_history none({1, 100'000});
  none.put(exchange("t", "q", "a"));
  CHECK(none.entries().empty());
}

TEST_CASE("bytes bound a history, and an exchange too large for it alone is cut, not lost") {
  chat_history h({100, 2000});
  for (int i = 0; i < 50; ++i)
    h.put(exchange(std::to_string(i), std::string(100, 'q'), std::string(200, 'a')));
  CHECK(h.entries().size() >= 4);
  CHECK(h.written().dump().size() <= 2000);
  CHECK(h.entries().front().role == "user");
  const std::string before = texts(h);
  h.put(exchange("big", "short question", std::string(50'000, 'x')));
  REQUIRE(h.entries().size() == 2);
  CHECK(h.entries()[0].text == "short question");
  CHECK(h.entries()[1].text.size() > 1000);
  CHECK(h.entries()[1].text.ends_with("…"));
  CHECK(h.written().dump().size() <= 2000);
}

TEST_CASE("what weighs more as JSON than as text is bounded as JSON") {
  for (const auto& piece : {std::string("\n"), std::string("\x01"), std::string("\""),
                            std::string("\\"), std::string("ж"), std::string("🙂")}) {
    std::string text;
    while (text.size() < 5000)
      text += piece;
    chat_history h({100, 3000});
    h.put(exchange("t", text, text));
    REQUIRE(h.entries().size() == 2);
    CHECK(h.written().dump().size() <= 3000);
    CHECK_NOTHROW(json(h.entries()[1].text).dump());
  }
}

TEST_CASE("an exchange of the same turn is replaced, and erased before it is made again") {
  chat_history h({10, 10'000});
  h.put(exchange("1", "a", "b"));
  h.put(exchange("2", "c", "d"));
  h.put(exchange("2", "c", "other"));
  CHECK(texts(h) == "u:a a:b u:c a:other ");
  h.erase("1");
  CHECK(texts(h) == "u:c a:other ");
  h.put({{"3", "assistant", "nobody asked"}});
  CHECK(texts(h) == "u:c a:other ");
}

TEST_CASE("a history is read back as it was written, and anything else is read as nothing") {
  chat_history h({10, 10'000});
  auto e = exchange("1", "a", "b");
  e[1].more = R"({"id":"m"})";
  h.put(e);
  chat_history other({10, 10'000});
  other.read(h.written());
  CHECK(other.written() == h.written());
  CHECK(other.entries()[1].more == R"({"id":"m"})");
  other.read(json::parse(
      R"([1,null,{"turn":"1"},{"turn":"","role":"user"},{"turn":7,"role":"user"},{"turn":"2","role":"assistant","text":"lost its question"},{"turn":"3","role":"user","text":5}])"));
  CHECK(texts(other) == "u: ");
  other.read(json::object());
  CHECK(other.entries().empty());
  chat_history small({2, 10'000});
  auto two = h;
  two.put(exchange("2", "c", "d"));
  small.read(two.written());
  CHECK(texts(small) == "u:c a:d ");
}

TEST_CASE("a text is cut between characters") {
  CHECK(cut_text("abcdef", 6) == "abcdef");
  CHECK(cut_text("abcdefg", 6) == "abc…");
  CHECK(cut_text("жжжж", 7) == "жж…");
  CHECK(cut_text("жжжж", 6) == "ж…");
  CHECK(cut_text("abcdef", 2).empty());
}
