#include "bridges/matrix/url.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::matrix;

TEST_CASE("url: a piece is encoded until nothing in it means anything", "[url]") {
  CHECK(encode("!a:b/c#d?e%") == "%21a%3Ab%2Fc%23d%3Fe%25");
  CHECK(encode("abc-._~XYZ019") == "abc-._~XYZ019");
  CHECK(encode("\u00e9 \n") == "%C3%A9%20%0A");
  CHECK(encode("..") == "%2E%2E");
  CHECK(encode(".") == "%2E");
  CHECK(encode("a..b") == "a..b");
}

TEST_CASE("url: a homeserver's address is split into origin and prefix", "[url]") {
  CHECK(split_url("https://m.org")->origin == "https://m.org");
  CHECK(split_url("https://m.org")->prefix.empty());
  CHECK(split_url("http://[::1]:8008/")->origin == "http://[::1]:8008");
  CHECK(split_url("http://[::1]:8008/")->prefix.empty());
  CHECK(split_url("https://h:8448/x/y//")->prefix == "/x/y");
  for (const char* bad :
       {"", "m.org", "ftp://m.org", "https://", "https:///x", "https://a b/", "https://m.org/x?y",
        "https://m.org/ x", "https://user@m.org", "http://h:/"})
    CHECK_FALSE(split_url(bad));
}

TEST_CASE("url: mxc pieces are checked before anything is built from them", "[url]") {
  CHECK(parse_mxc("mxc://localhost:8008/ZqHP_-9") == mxc{"localhost:8008", "ZqHP_-9"});
  CHECK(parse_mxc("mxc://[::1]:1/a").has_value());
  CHECK(to_string(*parse_mxc("mxc://hs/a")) == "mxc://hs/a");
  for (const char* bad : {"",
                          "mxc://",
                          "mxc://hs",
                          "mxc://hs/",
                          "mxc:///a",
                          "mxc://hs/a/b",
                          "mxc://hs/../a",
                          "mxc://../a",
                          "mxc://./a",
                          "mxc://hs/a.b",
                          "mxc://hs/a?b",
                          "mxc://h s/a",
                          "mxc://hs:/a",
                          "mxc://hs:123456/a",
                          "mxc://hs:1x/a",
                          "mxc://[::1/a",
                          "mxc://[gg]/a",
                          "http://hs/a",
                          "mxc://hs/\xC3\xA9",
                          "mxc://hs%2f..%2f/a"})
    CHECK_FALSE(parse_mxc(bad));
  CHECK_FALSE(parse_mxc("mxc://hs/" + std::string(256, 'a')));
}

TEST_CASE("url: identifiers have a sigil, a size and no control characters", "[url]") {
  CHECK(is_identifier("!hash", '!')); // room version 12
  CHECK(is_identifier("@a:b", '@'));
  CHECK_FALSE(is_identifier("@a", '@'));
  CHECK_FALSE(is_identifier("@a:", '@'));
  CHECK_FALSE(is_identifier("!", '!'));
  CHECK_FALSE(is_identifier("#a:b", '!'));
  CHECK_FALSE(is_identifier("!a b", '!'));
  CHECK_FALSE(is_identifier("!a\n", '!'));
  CHECK(is_identifier("$" + std::string(254, 'x'), '$'));
  CHECK_FALSE(is_identifier("$" + std::string(255, 'x'), '$'));
}

TEST_CASE("url: a server comes from a user id, never from a room id", "[url]") {
  CHECK(server_of(user_id("@a:hs:8448")) == "hs:8448");
  CHECK(server_of(user_id("nobody")).empty());
}

TEST_CASE("url: a room's link says where to join it", "[url]") {
  CHECK(room_link(room_id("!r:hs"), {"hs:1", "b"}) ==
        "https://matrix.to/#/!r%3Ahs?via=hs%3A1&via=b");
  CHECK(room_link(room_id("!hash/x"), {}) == "https://matrix.to/#/!hash%2Fx");
}
