#include "bridges/admin/guard.hpp"

#include <catch2/catch.hpp>

using namespace pb;
using namespace pb::admin;

TEST_CASE("a secret equals itself and nothing else") {
  CHECK(same_secret("0123456789abcdef", "0123456789abcdef"));
  CHECK_FALSE(same_secret("0123456789abcdeg", "0123456789abcdef"));
  CHECK_FALSE(same_secret("1123456789abcdef", "0123456789abcdef"));
  CHECK_FALSE(same_secret("0123456789abcde", "0123456789abcdef"));
  CHECK_FALSE(same_secret("", "0123456789abcdef"));
}

TEST_CASE("a secret repeated is not the secret") {
  CHECK_FALSE(same_secret("abab", "ab"));
  CHECK_FALSE(same_secret(std::string("ab\0", 3), "ab"));
}

TEST_CASE("an empty secret lets nobody in") {
  CHECK_FALSE(same_secret("", ""));
  CHECK_FALSE(same_secret("x", ""));
}

TEST_CASE("the bearer token is read whatever the case of header and scheme") {
  CHECK(bearer_of({{"Authorization", "Bearer abc"}}) == "abc");
  CHECK(bearer_of({{"AUTHORIZATION", "bEaReR   abc  "}}) == "abc");
  CHECK(bearer_of({{"Authorization", "Basic abc"}}).empty());
  CHECK(bearer_of({{"Authorization", "Bearer"}}).empty());
  CHECK(bearer_of({{"Authorization", "Bearer    "}}).empty());
  CHECK(bearer_of({}).empty());
}

TEST_CASE("a host is understood with and without port") {
  CHECK(host_name("LocalHost:8780") == "localhost");
  CHECK(host_name("127.0.0.1") == "127.0.0.1");
  CHECK(host_name("[::1]:80") == "::1");
  CHECK(host_name("[::1]") == "::1");
  CHECK(host_name("example.org.") == "example.org");
  CHECK(host_name("example.org:x").empty());
  CHECK(host_name("[::1]x").empty());
  CHECK(host_name("[::1").empty());
  CHECK(host_name("[evil.example]").empty());
  CHECK(host_name("").empty());
}

TEST_CASE("only loopback names and our own address are accepted as host") {
  for (const auto* host : {"localhost:8780", "127.0.0.1:8780", "127.8.9.1", "[::1]:8780",
                           "console.localhost", "LOCALHOST"})
    CHECK(host_allowed(host, "127.0.0.1", {}));
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                           "10.0.0.5:8780", "127.0.0.1@evil.example", "", "127.", "127.0.0.1.2"})
    CHECK_FALSE(host_allowed(host, "127.0.0.1", {}));
  CHECK(host_allowed("10.0.0.5:8780", "10.0.0.5", {}));
  CHECK(host_allowed("Console.Example.ORG", "127.0.0.1", {"console.example.org"}));
}

TEST_CASE("a wildcard address accepts literal addresses, and names only when they are listed") {
  CHECK(host_allowed("10.0.0.5:8780", "0.0.0.0", {}));
  CHECK(host_allowed("[fd00::5]:8780", "::", {}));
  CHECK_FALSE(host_allowed("evil.example", "0.0.0.0", {}));
}

TEST_CASE("an origin must be the host that the page came from") {
  const http_header host{"Host", "127.0.0.1:8780"};
  CHECK(origin_allowed({host}));
  CHECK(origin_allowed({host, {"Origin", "http://127.0.0.1:8780"}}));
  CHECK(origin_allowed({host, {"origin", "HTTPS://127.0.0.1:8780"}}));
  CHECK_FALSE(origin_allowed({host, {"Origin", "http://127.0.0.1:8781"}}));
  CHECK_FALSE(origin_allowed({host, {"Origin", "http://evil.example"}}));
  CHECK_FALSE(origin_allowed({host, {"Origin", "null"}}));
  CHECK_FALSE(origin_allowed({{"Origin", "http://127.0.0.1:8780"}}));
}

TEST_CASE("query values are decoded, the first of a repeated name counts") {
  const auto q = decode_query("a=1&b=x%20y+z&a=2&c&=d&%41=%zz%4");
  CHECK(q.at("a") == "1");
  CHECK(q.at("b") == "x y z");
  CHECK(q.at("c").empty());
  CHECK(q.at("").compare("d") == 0);
  CHECK(q.at("A") == "%zz%4");
  CHECK(decode_query("").empty());
  CHECK(decode_query("&&&").empty());
  CHECK(decode("a+b%2B", false) == "a+b+");
}

TEST_CASE("the origin of an address cannot smuggle anything into the page's policy") {
  CHECK(origin_of("http://127.0.0.1:8008") == "http://127.0.0.1:8008");
  CHECK(origin_of("HTTPS://Matrix.Example.org/prefix?x") == "https://matrix.example.org");
  CHECK(origin_of("http://[::1]:8008/") == "http://[::1]:8008");
  CHECK(origin_of("http://x; script-src *").empty());
  CHECK(origin_of("http://user@x").empty());
  CHECK(origin_of("javascript://x").empty());
  CHECK(origin_of("x").empty());
  CHECK(origin_of("http://").empty());
}
