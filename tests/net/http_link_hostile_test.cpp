// carrier::http against servers that break rules, or are not there.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>

using namespace fixtures;
using how = pb::link_closed::how;
using peers::scripted_server;
using peers::wire;
using texts = std::vector<std::string>;

namespace {

const std::string stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

struct outcome {
  pb::link_closed why;
  texts said;
};

/// Asks a peer that runs `script` from the first byte on.
outcome ask_raw(const std::function<void(wire&)>& script, pb::link_request request = {},
                const std::string& question = "{}") {
  pb::io_runtime io;
  scripted_server peer([&](wire& w, int) { script(w); });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  request.by = pb::carrier::http;
  request.url = peer.url();
  auto link = dialer->dial(request, e);
  link->send(question);
  outcome out{e->end(), e->texts.all()};
  CHECK(e->closed.size() == 1);
  return out;
}

/// Asks a peer that answers with these bytes; `then` decides what it does after them.
outcome answered(const std::string& bytes, const std::function<void(wire&)>& then = {},
                 pb::link_request request = {}) {
  return ask_raw(
      [&](wire& w) {
        w.read_message();
        w.write(bytes);
        if (then)
          then(w);
      },
      std::move(request));
}

void stay(wire& w) { w.wait_closed(); }

} // namespace

TEST_CASE("an answer that arrives byte by byte is the same answer") {
  const std::string answer = stream_head + "Transfer-Encoding: chunked\r\n\r\n"
                                           "b\r\ndata: one\n\n\r\nc;x=y\r\ndata: two\r\n\r\r\n"
                                           "0\r\n\r\n";
  const auto r = ask_raw([&](wire& w) {
    w.read_message();
    for (const char c : answer)
      w.write(std::string(1, c));
    w.wait_closed();
  });
  CHECK(r.why.reason == how::closed);
  CHECK(r.said == texts{"one", "two"});
}

TEST_CASE("the end in the middle of an answer is a broken exchange, what came before it counts") {
  CHECK(answered("").why.reason == how::broken);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Le").why.reason == how::broken);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").why.reason == how::broken);
  CHECK(answered("HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nabc").why.reason == how::broken);
  const auto r =
      answered(stream_head + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n5\r\nda");
  CHECK(r.why.reason == how::broken);
  CHECK(r.said == texts{"a"});
}

TEST_CASE("a reset connection is a broken exchange") {
  const auto r = answered(stream_head + "\r\ndata: a\n\n", [](wire& w) { w.reset(); });
  CHECK(r.why.reason == how::broken);
}

TEST_CASE("a peer that goes away before it is asked is broken, one that speaks breaks the rules") {
  const auto unasked = [](const std::function<void(wire&)>& script) {
    pb::io_runtime io;
    scripted_server peer([&](wire& w, int) { script(w); });
    auto dialer = pb::make_dialer(io);
    auto e = std::make_shared<events>();
    auto request = to(peer.url());
    request.by = pb::carrier::http;
    auto link = dialer->dial(request, e);
    CHECK(e->open.wait());
    return e->end().reason;
  };
  CHECK(unasked([](wire&) {}) == how::broken);
  CHECK(unasked([](wire& w) {
          w.write(ok("early"));
          w.wait_closed();
        }) == how::protocol);
}

TEST_CASE("what is not HTTP breaks the rules of an exchange") {
  for (const char* bytes :
       {"220 smtp.example.org ESMTP\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    CAPTURE(bytes);
    CHECK(answered(bytes, stay).why.reason == how::protocol);
  }
}

TEST_CASE("headers and chunk headers without an end end an exchange") {
  CHECK(answered("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x'), stay).why.reason ==
        how::protocol);
  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                     std::string(200'000, 'x'),
                 stay)
            .why.reason == how::protocol);
}

TEST_CASE("texts that are not UTF-8 break the rules, in an event and in a body") {
  const auto r = answered(stream_head + "\r\ndata: good\n\ndata: \xff\xfe\n\ndata: late\n\n", stay);
  CHECK(r.why.reason == how::protocol);
  CHECK(r.said == texts{"good"});
  CHECK(answered(ok("\xc3\x28")).why.reason == how::protocol);
}

TEST_CASE("an event of 20 MB ends at the limit, comments of 20 MB do not") {
  const auto flood = [](const std::string& begin, const std::string& end) {
    return [=](wire& w) {
      w.read_message();
      w.write(stream_head + "\r\n" + begin);
      const std::string piece(std::size_t{1} << 20, 'x');
      for (int i = 0; i < 20; ++i)
        if (!w.write(piece))
          return;
      w.write(end);
    };
  };
  CHECK(ask_raw(flood("data: ", "\n\n")).why.reason == how::protocol);
  const auto r = ask_raw(flood(": ", "\n\ndata: a\n\n"));
  CHECK(r.why.reason == how::closed);
  CHECK(r.said == texts{"a"});
}

TEST_CASE("an encoding that we do not know, or a body that is not what it says, breaks the rules") {
  auto r = answered("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(r.why.reason == how::protocol);
  CHECK(r.why.cause.find("\"br\"") != std::string::npos);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\nabc").why.reason ==
        how::protocol);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all").why.reason ==
        how::protocol);
  // The status of a rejection is told all the same, without words that nobody can read.
  r = answered("HTTP/1.1 403 No\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(r.why.code == 403);
  CHECK(r.why.body.empty());
  // A gzip header and nothing behind it.
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" +
                 std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10))
            .why.reason == how::broken);
}

TEST_CASE("an answer before the request is whole counts") {
  const std::string large(std::size_t{16} << 20, 'x');
  auto r = ask_raw(
      [](wire& w) {
        w.read_until("\r\n\r\n");
        w.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        w.wait_closed();
      },
      {}, large);
  CHECK(r.why.reason == how::rejected);
  CHECK(r.why.code == 413);
}

TEST_CASE("closing does not wait for a server that trickles") {
  pb::io_runtime io;
  peers::gate over;
  scripted_server peer([&](wire& w, int) {
    w.read_message();
    w.write("HTTP/1.1 200 OK\r\nX: ");
    while (w.write("x") && !over.wait(5ms)) {
    }
  });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto request = to(peer.url());
  request.by = pb::carrier::http;
  auto link = dialer->dial(request, e);
  link->send("{}");
  REQUIRE(e->open.wait());
  link->close();
  CHECK(e->end().reason == how::closed);
  over.open();
}

TEST_CASE("a server that takes no data is given up") {
  pb::io_runtime io;
  peers::gate over;
  scripted_server peer([&](wire&, int) { over.wait(); });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto request = to(peer.url());
  request.by = pb::carrier::http;
  request.ping_after = 50ms;
  auto link = dialer->dial(request, e);
  link->send(std::string(std::size_t{32} << 20, 'x'));
  CHECK(e->end().reason == how::timed_out);
  over.open();
}

TEST_CASE("a rejection whose body does not come is told after a while") {
  const auto began = std::chrono::steady_clock::now();
  const auto r = answered("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nabc", stay);
  CHECK(r.why.code == 503);
  CHECK(r.why.body == "abc");
  CHECK(std::chrono::steady_clock::now() - began < 15s);
}

TEST_CASE("nobody listening, no such address, or what would break out of the head, refuses it") {
  pb::io_runtime io;
  auto dialer = pb::make_dialer(io);
  const auto end = [&](pb::link_request request) {
    request.by = pb::carrier::http;
    auto e = std::make_shared<events>();
    auto link = dialer->dial(std::move(request), e);
    CHECK_FALSE(e->open.wait(0ms));
    return e->end().reason;
  };
  scripted_server peer([](wire& w, int) { w.wait_closed(); });
  CHECK(end(to("http://127.0.0.1:" + std::to_string(peers::unused_port()))) == how::refused);
  CHECK(end(to("ws://127.0.0.1")) == how::refused);
  CHECK(end(to("http://h/a b")) == how::refused);
  auto request = to(peer.url());
  request.headers = {{"X", "a\r\nY: b"}};
  CHECK(end(request) == how::refused);
  request.headers = {};
  request.http.method = "GET /x HTTP/1.1\r\nX:";
  CHECK(end(request) == how::refused);
  CHECK(peer.connections() == 0);
}

TEST_CASE("a TLS handshake that does not end is given up at the deadline") {
  pb::io_runtime io;
  scripted_server peer([](wire& w, int) { w.wait_closed(); });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto request = to(peer.url("https"));
  request.by = pb::carrier::http;
  request.connect_timeout = 60ms;
  auto link = dialer->dial(request, e);
  CHECK(e->end().reason == how::timed_out);
}
