// Server-sent events in any pieces.
#include "bridges/sse.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace {

using events = std::vector<std::string>;

/// What a reader makes of these pieces.
events read(const std::vector<std::string_view>& pieces, std::size_t limit = 1000) {
  pb::sse_reader reader(limit);
  events out;
  for (std::string_view piece : pieces)
    while (auto event = reader.next(piece))
      out.push_back(std::move(*event));
  if (reader.too_large())
    out.emplace_back("TOO LARGE");
  return out;
}

/// The same events come out however the stream is cut: in two at every byte, and into single bytes.
void check(std::string_view stream, const events& expected) {
  CAPTURE(stream);
  CHECK(read({stream}) == expected);
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    CAPTURE(i);
    CHECK(read({stream.substr(0, i), stream.substr(i)}) == expected);
    bytes.push_back(stream.substr(i, 1));
  }
  CHECK(read(bytes) == expected);
}

} // namespace

TEST_CASE("events end at an empty line, whatever ends a line") {
  check("data: a\n\ndata: b\n\n", {"a", "b"});
  check("data: a\r\n\r\ndata: b\r\n\r\n", {"a", "b"});
  check("data: a\r\rdata: b\r\r", {"a", "b"});
  check("data: a\n\r\ndata: b\r\n\rdata: c\r\n\n", {"a", "b", "c"});
  check("\n\n\r\r\n\ndata: a\n\n\n\n", {"a"});
}

TEST_CASE("the data lines of an event are joined by a line feed") {
  check("data: a\ndata: b\r\ndata: c\rdata\ndata:\n\n", {"a\nb\nc\n\n"});
  check("data\n\n", {""});
  check("data:\n\ndata: \n\n", {"", ""});
  check("data\ndata\n\n", {"\n"});
}

TEST_CASE("one space behind the colon is syntax, anything else is data") {
  check("data:a\n\n", {"a"});
  check("data:  a \n\n", {" a "});
  check("data:\ta:b\n\n", {"\ta:b"});
  check("data: {\"x\": \"\\u00e9 \xc3\xa9\"}\n\n", {"{\"x\": \"\\u00e9 \xc3\xa9\"}"});
  check(std::string_view("data: a\0b\n\n", 11), {std::string("a\0b", 3)});
}

TEST_CASE("comments, names, ids and unknown fields are passed over") {
  check(": hello\n\n:\n:data: no\ndata: a\n:\n\n", {"a"});
  check("event: add\nid: 7\nretry: 10\ndata: a\nfoo: bar\nbare\n\n", {"a"});
  check("dat: a\ndatas: b\n data: c\nDATA: d\ndata : e\n\n", {});
  check("event: nothing\n\nid: 1\n\n", {});
}

TEST_CASE("a byte order mark before everything is no part of it, later it is") {
  check("\xef\xbb\xbf"
        "data: a\n\n",
        {"a"});
  check("\xef\xbb\xbf\n\n\xef\xbb\xbf"
        "data: a\n\ndata: b\n\n",
        {"b"});
  check("\xef\xbb"
        "data: a\n\ndata: b\n\n",
        {"b"});
  check("\xef\ndata: a\n\n", {"a"});
}

TEST_CASE("an event that is unfinished at the end is none") {
  check("data: a\n\ndata: b\n", {"a"});
  check("data: a\n\ndata: b", {"a"});
  check("data: a\r\n\r\ndata: b\r", {"a"});
  check("data: a", {});
  check("", {});
}

TEST_CASE("an event of exactly the limit passes, one byte more is too large, in one line or many") {
  const std::string ten = "data: 0123456789\n\n", split = "data: 0123\ndata: 56789\n\n";
  const std::string last = "data: 012345678\ndata\n\n"; // the line feed counts
  CHECK(read({ten}, 10) == events{"0123456789"});
  CHECK(read({ten}, 9) == events{"TOO LARGE"});
  CHECK(read({split}, 10) == events{"0123\n56789"});
  CHECK(read({split}, 9) == events{"TOO LARGE"});
  CHECK(read({last}, 10) == events{"012345678\n"});
  CHECK(read({last}, 9) == events{"TOO LARGE"});
  CHECK(read({"data: a\n\n", ten}, 9) == events{"a", "TOO LARGE"});
  CHECK(read({ten, "data: a\n\n"}, 9) == events{"TOO LARGE"}); // it stays
}

TEST_CASE("what means nothing takes no memory, however long it is") {
  pb::sse_reader reader(10);
  const std::string much(1'000'000, 'x');
  for (const char* begin : {":", "event: ", "id:", "x", "datax"}) {
    for (std::string_view piece : {std::string_view(begin), std::string_view(much),
                                   std::string_view(much), std::string_view("\n")})
      CHECK_FALSE(reader.next(piece));
    CHECK(reader.held() == 0);
    CHECK_FALSE(reader.too_large());
  }
  std::string_view good = "data: a\n\n";
  CHECK(reader.next(good) == "a");
}
