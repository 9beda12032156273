#include "bridges/agent/agent_ws/json_repair.hpp"

#include <catch2/catch.hpp>
#include <string>

using pb::agent_json::may_have_surrogates;
using pb::agent_json::repaired;

TEST_CASE("a healthy document is not touched") {
  for (const std::string text :
       {R"({"a":[1,-2.5e+3,"\ud83d\ude00 \" \\ \n",true,null]})", "", "0", "-", "{", "\"", "\"\\",
        "\"\\u", "\"\\ud8", "[01]", "[1.]", "[1e]", "[--1]", "tru", "18446744073709551615",
        "-9223372036854775808", "1.7976931348623157e308"})
    CHECK(repaired(text) == text);
}

TEST_CASE("lone surrogates become the replacement character") {
  CHECK(repaired(R"("\ud800")") == R"("\ufffd")");
  CHECK(repaired(R"("\udc00\ud800x")") == R"("\ufffd\ufffdx")");
  CHECK(repaired(R"("\ud83d\u0041")") == R"("\ufffd\u0041")");
  CHECK(repaired(R"("\ud83d\ud83d\ude00")") == R"("\ufffd\ud83d\ude00")");
  CHECK(repaired(R"("\\ud800")") == R"("\\ud800")");
  CHECK(repaired(R"("\ud800)") == R"("\ufffd)");
}

TEST_CASE("numbers beyond the machine become strings of their digits") {
  CHECK(repaired("[18446744073709551616,1e309, -1E400 ]") ==
        R"(["18446744073709551616","1e309", "-1E400" ])");
  CHECK(repaired("{1e400:1}") == "{1e400:1}");
  CHECK(repaired("1e400x") == "1e400x");
}

TEST_CASE("only escaped surrogates make a document suspicious") {
  CHECK(may_have_surrogates(R"("\uD800")"));
  CHECK(may_have_surrogates(R"("\u0041\udfff")"));
  CHECK_FALSE(may_have_surrogates(R"("\u00e9 ud800")"));
  CHECK_FALSE(may_have_surrogates("\"\\u"));
}
