#include "bridges/matrix/json_scan.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

using namespace pb::matrix;

namespace {

struct seen {
  bool broken = false, flawed = false;
  std::uint32_t depth = 0;
  json::kind type = json::kind::none;
};

seen look(std::string_view text) {
  json::cursor c(text);
  const json::value v = c.skip();
  return {c.broken() || !c.at_end(), v.flawed, v.depth, v.type};
}

} // namespace

TEST_CASE("json scan: what a strict parser takes is whole, and the reverse", "[json]") {
  const std::vector<std::string> texts{"{}",
                                       "[]",
                                       "0",
                                       "-0",
                                       "1.5e3",
                                       "\"\"",
                                       "true",
                                       "null",
                                       " [1, {\"a\" : [ ] } ] ",
                                       R"("\u00e9\ud83d\ude00\n\/")",
                                       "1e308",
                                       "1e-400",
                                       R"({"a":1,"a":2})",
                                       "123456789012345678901234",
                                       "1e400",
                                       "-1e999999999999999999999",
                                       "0.0e999999999999999999",
                                       "01",
                                       "1.",
                                       ".5",
                                       "+1",
                                       "-",
                                       "1e",
                                       "tru",
                                       "nul",
                                       "NaN",
                                       "\"\\x\"",
                                       "\"\\u12g4\"",
                                       "\"\\ud800\"",
                                       "\"\\ud800\\u0041\"",
                                       "\"\\udc00\"",
                                       "\"a\nb\"",
                                       "[1,]",
                                       "[,1]",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "{a:1}",
                                       "{\"a\":1,}",
                                       "[1 2]",
                                       "[}",
                                       "{]",
                                       "[[]",
                                       "\"",
                                       "\"\\",
                                       "\"\\u00",
                                       "",
                                       " ",
                                       "[1]]",
                                       "{\"a\":1}{}",
                                       "\"a\"b",
                                       "[\"a\" \"b\"]"};
  for (const std::string& t : texts) {
    CAPTURE(t);
    CHECK(json::whole(t).has_value() == nlohmann::json::accept(t));
  }
}

TEST_CASE("json scan: random damage to a text is judged as a strict parser judges it", "[json]") {
  const std::string good =
      R"({"a":[1,-2.5e3,true,null,{"b":"x\"\\\u00e9y"}],"c":{},"d":[],"e":"0123456789abcdef"})";
  std::mt19937 dice(7);
  const std::string bytes = "{}[]\",:\\0123456789eE+-.truefalsn u \x01";
  for (int round = 0; round < 20'000; ++round) {
    std::string t = good;
    for (int n = 1 + static_cast<int>(dice() % 3); n > 0; --n)
      t[dice() % t.size()] = bytes[dice() % bytes.size()];
    CAPTURE(t);
    REQUIRE(json::whole(t).has_value() == nlohmann::json::accept(t));
  }
}

TEST_CASE("json scan: a flaw stays where it is, broken structure does not", "[json]") {
  CHECK(look(R"({"a":1e400,"b":[tru],"c":"\x"})").flawed);
  CHECK_FALSE(look(R"({"a":1e400,"b":[tru],"c":"\x"})").broken);
  CHECK(look(R"({"a":[1})").broken);
  CHECK(look(R"({"a" 1})").broken);
}

TEST_CASE("json scan: nesting is counted and takes no call stack", "[json]") {
  for (const std::size_t n : {1U, 2U, 63U, 64U, 65U, 128U, 129U, 300U}) {
    std::string t;
    for (std::size_t i = 0; i < n; ++i)
      t += i % 3 == 0 ? "{\"a\":" : "[";
    t += "1";
    for (std::size_t i = n; i-- > 0;)
      t += i % 3 == 0 ? "}" : "]";
    CHECK_FALSE(look(t).broken);
    CHECK(look(t).depth == n);
    t[t.size() - 1] = t.back() == '}' ? ']' : '}';
    CHECK(look(t).broken);
  }
  const std::string bomb(5'000'000, '[');
  CHECK(look(bomb).broken);
  CHECK_FALSE(look(bomb + std::string(5'000'000, ']')).broken);
}

TEST_CASE("json scan: names with escapes are the names that they mean", "[json]") {
  int hits = 0;
  json::each_member(R"({"b\u006fdy":"x\ty"})", [&](std::string_view name, const json::value& v) {
    if (name == "body" && json::text(v) == "x\ty")
      ++hits;
  });
  CHECK(hits == 1);
}

TEST_CASE("json scan: strings come back as they went in", "[json]") {
  std::string all;
  for (int c = 1; c < 0x80; ++c)
    all += static_cast<char>(c);
  all += "\u00e9\u20ac\U0001F600";
  const std::string quoted = json::quote(all);
  CHECK(nlohmann::json::parse(quoted).get<std::string>() == all);
  CHECK(json::text(*json::whole(quoted)) == all);
  const std::string ascii = nlohmann::json(all).dump(-1, ' ', true);
  CHECK(json::text(*json::whole(ascii)) == all);
  CHECK(json::quote("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
}

TEST_CASE("json scan: numbers are read only as what they are", "[json]") {
  const auto at = [](std::string_view t) { return json::cursor(t).skip(); };
  CHECK(json::integer(at("-17")) == -17);
  CHECK_FALSE(json::integer(at("1.0")));
  CHECK_FALSE(json::integer(at("1e3")));
  CHECK_FALSE(json::integer(at("9223372036854775808")));
  CHECK_FALSE(json::integer(at("\"17\"")));
  CHECK(*json::number(at("1e400")) > 1e300);
  CHECK(*json::number(at("-1e400")) < -1e300);
  CHECK(json::number(at("1e-400")) == 0.0);
  CHECK_FALSE(json::number(at("true")));
}
