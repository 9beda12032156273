// carrier::http: one exchange as a link.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>
#include <zlib.h>

using namespace fixtures;
using how = pb::link_closed::how;
using peers::scripted_server;
using peers::wire;
using texts = std::vector<std::string>;

namespace {

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n";

std::string chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

std::string chunked(const std::string& body) {
  return "Transfer-Encoding: chunked\r\n\r\n" + (body.empty() ? "" : chunk(body)) + "0\r\n\r\n";
}

/// A server that reads one request and runs `script`, and a link to it.
struct exchange {
  pb::io_runtime io;
  peers::inbox<std::string> asked;
  std::function<void(wire&)> script;
  scripted_server peer{[this](wire& w, int) {
    asked.put(w.read_message());
    script(w);
  }};
  std::unique_ptr<pb::dialer> dialer = pb::make_dialer(io);
  std::shared_ptr<events> e = std::make_shared<events>();
  pb::link_request request;
  std::shared_ptr<pb::link> link;

  explicit exchange(std::function<void(wire&)> s) : script(std::move(s)) {
    request.by = pb::carrier::http;
    request.url = peer.url();
  }
  explicit exchange(const std::string& answer) : exchange([answer](wire& w) { w.write(answer); }) {}

  void dial() { link = dialer->dial(request, e); }
  /// Sends and waits for the end.
  pb::link_closed run(const std::string& question = "{}") {
    dial();
    CHECK(link->send(question));
    auto why = e->end();
    CHECK(e->closed.size() == 1);
    return why;
  }
};

std::string deflated(const std::string& plain, int window) {
  z_stream z{};
  REQUIRE(::deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(plain.size() + 1000, '\0');
  std::string in = plain;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  ::deflateEnd(&z);
  return out;
}

std::string gzipped(const std::string& plain) { return deflated(plain, 16 + MAX_WBITS); }

std::string with_length(const std::string& body) {
  return "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

TEST_CASE("a request goes out with its headers and ours, and events come back one by one") {
  exchange x(stream_head + chunked(": hi\n\ndata: one\n\ndata: two\ndata: lines\n\nid: 1\n\n"));
  x.request.url += "/v1/run?x=y";
  x.request.headers = {{"Authorization", "Bearer t"}, {"Host", "forged"}, {"A2A-Version", "1.0"}};
  x.dial();
  REQUIRE(x.e->open.wait());
  CHECK(x.asked.size() == 0);
  CHECK(x.link->send("{\"q\":1}"));
  CHECK_FALSE(x.link->send("again"));
  const auto why = x.e->end();
  CHECK(why.reason == how::closed);
  CHECK(why.code == 200);
  CHECK(x.e->texts.all() == texts{"one", "two\nlines"});
  CHECK(x.asked.all()[0] ==
        "POST /v1/run?x=y HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(x.peer.port()) +
            "\r\nAuthorization: Bearer t\r\nA2A-Version: 1.0\r\n"
            "Content-Type: application/json\r\n"
            "Accept: text/event-stream, application/json\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: patchbay\r\n"
            "Content-Length: 7\r\nConnection: close\r\n\r\n{\"q\":1}");
  CHECK(x.io.counters().http_links == 1);
}

TEST_CASE("headers that the caller gives are not given again, and GET has no body") {
  exchange x(ok("card"));
  x.request.http.method = "GET";
  x.request.headers = {{"accept", "application/json"}, {"user-agent", "me"}};
  x.dial();
  CHECK_FALSE(x.link->send("no body with GET"));
  CHECK(x.link->send(""));
  CHECK(x.e->end().reason == how::closed);
  CHECK(x.e->texts.all() == texts{"card"});
  CHECK(x.asked.all()[0] == "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(x.peer.port()) +
                                "\r\naccept: application/json\r\nuser-agent: me\r\n"
                                "Accept-Encoding: identity\r\nConnection: close\r\n\r\n");
}

TEST_CASE("any other answer of 2xx is one text, an empty one is none") {
  CHECK(exchange(ok("{\"a\":1}", "Content-Type: application/json\r\n")).run().code == 200);
  exchange until_end("HTTP/1.0 201 Created\r\n\r\nall of it");
  CHECK(until_end.run().code == 201);
  CHECK(until_end.e->texts.all() == texts{"all of it"});
  exchange pieces("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("ab") +
                  chunk("cd") + "0\r\nX-Late: 1\r\n\r\n");
  CHECK(pieces.run().reason == how::closed);
  CHECK(pieces.e->texts.all() == texts{"abcd"});
  exchange none("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(none.run().code == 204);
  CHECK(none.e->texts.size() == 0);
}

TEST_CASE("an exchange passes over informational answers") {
  exchange x("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + ok("real"));
  CHECK(x.run().code == 200);
  CHECK(x.e->texts.all() == texts{"real"});
}

TEST_CASE("a stream that the server ends by closing is closed, its unfinished event is dropped") {
  exchange x(stream_head + "\r\ndata: a\n\ndata: never finished\n");
  CHECK(x.run().reason == how::closed);
  CHECK(x.e->texts.all() == texts{"a"});
}

TEST_CASE("an event is handed over when it is whole, not when the stream is") {
  peers::gate seen;
  exchange x([&](wire& w) {
    w.write(stream_head + "Transfer-Encoding: chunked\r\n\r\n" + chunk("data: first\n\n"));
    seen.wait();
    w.write(chunk("data: second\n\n") + "0\r\n\r\n");
  });
  x.dial();
  CHECK(x.link->send("{}"));
  REQUIRE(x.e->texts.wait(1));
  CHECK(x.e->closed.size() == 0);
  seen.open();
  CHECK(x.e->end().reason == how::closed);
  CHECK(x.e->texts.all() == texts{"first", "second"});
}

TEST_CASE("any answer but 2xx is a rejection with its status, its body and its patience") {
  exchange x("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 11\r\n\r\n{\"error\":1}");
  auto why = x.run();
  CHECK(why.reason == how::rejected);
  CHECK(why.code == 429);
  CHECK(why.body == "{\"error\":1}");
  CHECK(why.retry_after == 7s);
  CHECK(x.e->texts.size() == 0);

  why = exchange("HTTP/1.1 503 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                 "Retry-After: Sun, 06 Nov 1994 08:49:42 GMT\r\nContent-Length: 0\r\n\r\n")
            .run();
  CHECK(why.code == 503);
  CHECK(why.retry_after == 5s);
  CHECK(why.body.empty());

  why = exchange("HTTP/1.1 307 Elsewhere\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n").run();
  CHECK(why.reason == how::rejected);
  CHECK(why.code == 307);

  why = exchange("HTTP/1.1 404 Not Found\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
            .run();
  CHECK(why.code == 404);
  CHECK(why.body == "data: x\n\n");
}

TEST_CASE("a rejection's body is cut to its limit, between characters, and told without the rest") {
  using pb::error_body_limit;
  const auto rejection = [](const std::string& body) {
    exchange x([&](wire& w) {
      w.write("HTTP/1.1 500 No\r\nContent-Length: 99999999\r\n\r\n" + body);
      w.wait_closed();
    });
    return x.run().body;
  };
  CHECK(rejection(std::string(error_body_limit + 1, 'x')).size() == error_body_limit);
  const auto cut = rejection(std::string(error_body_limit - 1, 'x') + "\xc3\xa9\xc3\xa9");
  CHECK(cut.size() == error_body_limit - 1);
  CHECK(rejection(std::string(error_body_limit + 1, '\xff')).empty()); // no text
  exchange exact("HTTP/1.1 500 No\r\n" + with_length(std::string(error_body_limit, 'y')));
  CHECK(exact.run().body.size() == error_body_limit);
}

TEST_CASE("gzip and deflate are undone although identity was asked for") {
  std::string stream, expected_last(3000, 'z');
  for (int i = 0; i < 500; ++i)
    stream += "data: event " + std::to_string(i) + "\n\n";
  stream += "data: " + expected_last + "\n\n";
  const auto coding = GENERATE(as<std::string>(), "gzip", "x-gzip", "deflate", "raw deflate");
  CAPTURE(coding);
  const auto body = coding == "deflate"       ? deflated(stream, MAX_WBITS)
                    : coding == "raw deflate" ? deflated(stream, -MAX_WBITS)
                                              : gzipped(stream);
  exchange x(stream_head + "Content-Encoding: " + (coding == "raw deflate" ? "deflate" : coding) +
             "\r\n" + chunked(body));
  CHECK(x.run().reason == how::closed);
  REQUIRE(x.e->texts.size() == 501);
  CHECK(x.e->texts.all()[499] == "event 499");
  CHECK(x.e->texts.all()[500] == expected_last);
}

TEST_CASE("an encoded body may be two streams, one text, or the words of a rejection") {
  const std::string gzip = "Content-Encoding: GZIP\r\n";
  exchange two("HTTP/1.1 200 OK\r\n" + gzip + with_length(gzipped("one, ") + gzipped("two")));
  CHECK(two.run().reason == how::closed);
  CHECK(two.e->texts.all() == texts{"one, two"});
  exchange no("HTTP/1.1 400 No\r\n" + gzip + with_length(gzipped("because")));
  CHECK(no.run().body == "because");
}

TEST_CASE("an exchange pauses when too much is not worked off, also within what came at once") {
  std::string stream;
  for (int i = 0; i < 100; ++i)
    stream += "data: " + std::string(1000, 'x') + "\n\n";
  const bool zipped = GENERATE(false, true);
  CAPTURE(zipped);
  exchange x(stream_head +
             (zipped ? "Content-Encoding: gzip\r\n" + chunked(gzipped(stream)) : chunked(stream)));
  x.request.unread_limit = 10'000;
  x.dial();
  CHECK(x.link->send("{}"));
  REQUIRE(x.e->texts.wait(11)); // the one that passes the limit is still handed over
  CHECK_FALSE(x.e->texts.wait(12, 100ms));
  x.link->consumed(5'000);
  REQUIRE(x.e->texts.wait(16));
  CHECK_FALSE(x.e->texts.wait(17, 50ms));
  CHECK(x.e->closed.size() == 0); // though the server said everything
  for (int i = 0; i < 200 && x.e->closed.size() == 0; ++i) {
    x.link->consumed(1'000);
    x.e->texts.wait(x.e->texts.size() + 1, 5ms);
  }
  CHECK(x.e->end().reason == how::closed);
  CHECK(x.e->texts.size() == 100);
}

TEST_CASE("an event or a body of exactly the limit passes, one byte more breaks the rules") {
  const std::string fits(1000, 'a'), over(1001, 'a');
  const auto end = [](const std::string& answer) {
    exchange x(answer);
    x.request.frame_limit = 1000;
    return x.run().reason;
  };
  CHECK(end(stream_head + chunked("data: " + fits + "\n\n")) == how::closed);
  CHECK(end(stream_head + chunked("data: " + over + "\n\n")) == how::protocol);
  CHECK(end(ok(fits)) == how::closed);
  CHECK(end(ok(over)) == how::protocol);
}

TEST_CASE("closing, at any time, ends the exchange and tells so once") {
  exchange x([&](wire& w) {
    w.write(stream_head + "Transfer-Encoding: chunked\r\n\r\n" + chunk("data: a\n\n"));
    w.wait_closed();
  });
  SECTION("before it is open") {
    x.dial();
    x.link->close();
    CHECK_FALSE(x.link->send("{}"));
  }
  SECTION("before the question") {
    x.dial();
    REQUIRE(x.e->open.wait());
    x.link->close();
  }
  SECTION("in the middle of the answer") {
    x.dial();
    x.link->send("{}");
    REQUIRE(x.e->texts.wait(1));
    x.link->close();
    x.link->close();
  }
  SECTION("by dropping the last reference, which outlives the dialer") {
    x.dial();
    x.dialer.reset();
    x.link->send("{}");
    REQUIRE(x.e->texts.wait(1));
    x.link.reset();
  }
  SECTION("while it is paused") {
    x.request.unread_limit = 0;
    x.dial();
    x.link->send("{}");
    REQUIRE(x.e->texts.wait(1));
    x.link->close();
  }
  const auto why = x.e->end();
  CHECK(why.reason == how::closed);
  CHECK(why.code == 0);
  x.io.stop();
  CHECK(x.e->closed.size() == 1);
}

TEST_CASE("stopping the runtime ends what is under way") {
  exchange x([&](wire& w) { w.wait_closed(); });
  x.dial();
  x.link->send("{}");
  REQUIRE(x.asked.wait(1));
  x.io.stop();
  CHECK(x.e->closed.size() == 1);
  CHECK(x.e->end().reason == how::broken);
  auto late = std::make_shared<events>();
  const auto link = x.dialer->dial(x.request, late);
  CHECK_FALSE(link->send("{}"));
}
