#include "bridges/net/address.hpp"

#include <catch2/catch.hpp>

using pb::net::parse_address;

TEST_CASE("a URL is taken apart, and the usual port stays out of the Host header") {
  auto a = parse_address("https://h.example", "http");
  REQUIRE(a);
  CHECK(a->tls);
  CHECK(a->host == "h.example");
  CHECK(a->port == 443);
  CHECK(a->authority == "h.example");
  CHECK(a->target == "/");
  a = parse_address("HTTP://h:8080/a/b?c=d", "http");
  REQUIRE(a);
  CHECK_FALSE(a->tls);
  CHECK(a->port == 8080);
  CHECK(a->authority == "h:8080");
  CHECK(a->target == "/a/b?c=d");
  a = parse_address("ws://h?q", "ws");
  REQUIRE(a);
  CHECK(a->target == "/?q");
  CHECK(parse_address("wss://h:443/", "ws")->authority == "h");
}

TEST_CASE("an IPv6 host stands in brackets in the URL and the header, and without them elsewhere") {
  const auto a = parse_address("http://[::1]:8008/x", "http");
  REQUIRE(a);
  CHECK(a->host == "::1");
  CHECK(a->port == 8008);
  CHECK(a->authority == "[::1]:8008");
  CHECK(parse_address("https://[fe80::1]", "http")->authority == "[fe80::1]");
}

TEST_CASE("URLs that could mean something else than they seem are refused") {
  for (const char* url : {"",
                          "h",
                          "://h",
                          "ws://h",
                          "http://",
                          "http://:80",
                          "http://h:",
                          "http://h:x",
                          "http://h:0",
                          "http://h:65536",
                          "http://h:80x",
                          "http://u:p@h",
                          "http://[::1",
                          "http://[::1]x",
                          "http://[h-h]",
                          "http://h/a b",
                          "http://h/\r\nX: y",
                          "http://h/#f",
                          "http://h#f",
                          "http://a,b"}) {
    CAPTURE(url);
    CHECK_FALSE(parse_address(url, "http"));
  }
  CHECK_FALSE(parse_address("http://" + std::string(300, 'a'), "http"));
  CHECK_FALSE(parse_address(std::string("http://h\0x", 10), "http"));
}
