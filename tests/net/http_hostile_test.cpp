// The HTTP client against servers that are broken or mean.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>

using namespace fixtures;
using peers::scripted_server;
using peers::wire;

namespace {

/// One request to a server that answers with these bytes; `then` decides what it does after them.
pb::http_result answer_of(const std::string& bytes, pb::http_request request = get(""),
                          std::function<void(wire&)> then = {}) {
  pb::io_runtime io;
  scripted_server peer([&](wire& w, int) {
    w.read_message();
    w.write(bytes);
    if (then)
      then(w);
  });
  auto client = pb::make_http_client(io);
  request.origin = peer.url();
  return ask(*client, std::move(request));
}

pb::http_error error_of(const std::string& bytes, pb::http_request request = get(""),
                        std::function<void(wire&)> then = {}) {
  const auto r = answer_of(bytes, std::move(request), std::move(then));
  REQUIRE_FALSE(r);
  CHECK(r.error().sent);
  return r.error().error;
}

void stay(wire& w) { w.wait_closed(); }

} // namespace

TEST_CASE("a body that ends early is a closed connection, not a short body") {
  CHECK(error_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") == pb::http_error::closed);
  CHECK(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab") ==
        pb::http_error::closed);
  CHECK(error_of("HTTP/1.1 200 OK\r\nContent-Le") == pb::http_error::closed);
  CHECK(error_of("") == pb::http_error::closed);
}

TEST_CASE("a reset connection is a closed one") {
  CHECK(error_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", get(""),
                 [](wire& w) { w.reset(); }) == pb::http_error::closed);
}

TEST_CASE("a body that the server ends by closing is whole") {
  auto r = answer_of("HTTP/1.0 200 OK\r\n\r\nall of it");
  REQUIRE(r);
  CHECK(r->body == "all of it");
  r = answer_of("HTTP/1.1 200 OK\r\n\r\n");
  REQUIRE(r);
  CHECK(r->body.empty());
}

TEST_CASE("chunks are joined, and fields behind them are not taken for headers") {
  const auto r = answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Late: 1\r\n\r\n",
                           get(""), stay);
  REQUIRE(r);
  CHECK(r->body == "abcdefg");
  CHECK_FALSE(pb::find_header(r->headers, "X-Late"));
}

TEST_CASE("informational answers are passed over") {
  const auto r = answer_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" +
                               ok("real"),
                           get(""), stay);
  REQUIRE(r);
  CHECK(r->status == 200);
  CHECK(r->body == "real");
}

TEST_CASE("answers without a body end at their header") {
  auto head = get("");
  head.method = "HEAD";
  auto r = answer_of("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", head, stay);
  REQUIRE(r);
  CHECK(r->body.empty());
  r = answer_of("HTTP/1.1 204 No Content\r\n\r\n", get(""), stay);
  REQUIRE(r);
  CHECK(r->status == 204);
}

TEST_CASE("an HTML page with an error status is an answer like any other") {
  const auto r = answer_of("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n"
                           "Content-Length: 13\r\n\r\n<html></html>");
  REQUIRE(r);
  CHECK(r->status == 502);
  CHECK(r->body == "<html></html>");
}

TEST_CASE("what is not HTTP is malformed") {
  CHECK(error_of("220 smtp.example.org ESMTP\r\n\r\n", get(""), stay) == pb::http_error::malformed);
  CHECK(error_of("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", get(""), stay) ==
        pb::http_error::malformed);
  CHECK(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", get(""), stay) ==
        pb::http_error::malformed);
  CHECK(error_of("HTTP/1.1 101 Switching Protocols\r\n\r\n", get(""), stay) ==
        pb::http_error::malformed);
}

TEST_CASE("headers and chunk headers without an end are cut off") {
  CHECK(error_of("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x'), get(""), stay) ==
        pb::http_error::malformed);
  CHECK(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                     std::string(200'000, 'x'),
                 get(""), stay) == pb::http_error::malformed);
}

TEST_CASE("a body of exactly the limit is taken, one byte more is too large") {
  auto request = get("");
  request.response_limit = 1000;
  const std::string fits(1000, 'a'), over(1001, 'a');
  const auto chunked = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
           std::string(body.size() == 1000 ? "3e8" : "3e9") + "\r\n" + body + "\r\n0\r\n\r\n";
  };
  const std::string until_end = "HTTP/1.1 200 OK\r\n\r\n";
  CHECK(answer_of(ok(fits), request));
  CHECK(answer_of(chunked(fits), request));
  CHECK(answer_of(until_end + fits, request));
  CHECK(error_of(ok(over), request, stay) == pb::http_error::too_large);
  CHECK(error_of(chunked(over), request, stay) == pb::http_error::too_large);
  CHECK(error_of(until_end + over, request, stay) == pb::http_error::too_large);
  // The promise of a huge body is enough to refuse it.
  CHECK(error_of("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", request, stay) ==
        pb::http_error::too_large);
}

TEST_CASE("a server that trickles is held to the deadline of the whole exchange") {
  auto request = get("");
  request.timeout = 500ms;
  std::atomic<int> sent{0};
  const auto began = std::chrono::steady_clock::now();
  const auto error =
      error_of("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", request, [&](wire& w) {
        while (w.write("x") && sent < 500) {
          ++sent;
          std::this_thread::sleep_for(10ms); // the trickle itself
        }
      });
  CHECK(error == pb::http_error::timeout);
  CHECK(std::chrono::steady_clock::now() - began < 4s);
}

TEST_CASE("an answer after the deadline is not delivered to the next request") {
  pb::io_runtime io;
  peers::gate timed_out;
  scripted_server peer([&](wire& w, int n) {
    w.read_message();
    if (n == 0)
      timed_out.wait();
    w.write(ok(n == 0 ? "late" : "right"));
    w.wait_closed();
  });
  auto client = pb::make_http_client(io);
  auto request = get(peer.url());
  request.timeout = 50ms;
  const auto first = ask(*client, request);
  REQUIRE_FALSE(first);
  CHECK(first.error().error == pb::http_error::timeout);
  timed_out.open();
  const auto second = ask(*client, get(peer.url()));
  REQUIRE(second);
  CHECK(second->body == "right");
}

TEST_CASE("bytes that nobody asked for spoil the connection, not the next answer") {
  pb::io_runtime io;
  scripted_server peer([&](wire& w, int n) {
    w.read_message();
    w.write(n == 0 ? ok("one") + ok("smuggled") : ok("two"));
    w.wait_closed();
  });
  auto client = pb::make_http_client(io);
  REQUIRE(ask(*client, get(peer.url())));
  const auto r = ask(*client, get(peer.url()));
  REQUIRE(r);
  CHECK(r->body == "two");
}

TEST_CASE("a refusal that comes before the whole body was sent is the answer") {
  pb::io_runtime io;
  scripted_server peer([](wire& w, int) {
    w.read_until("\r\n\r\n");
    w.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    w.wait_closed();
  });
  auto client = pb::make_http_client(io);
  const auto r = ask(*client, post(peer.url(), std::string(std::size_t{16} << 20, 'x')));
  REQUIRE(r);
  CHECK(r->status == 413);
}
