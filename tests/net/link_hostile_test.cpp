// Links against foreign peers that break rules, or are not there.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>
#include <future>

using namespace fixtures;
using how = pb::link_closed::how;
using peers::scripted_server;
using peers::wire;

namespace {

/// Dials a peer that runs `script` after the handshake and returns how the link ends.
pb::link_closed end_with(const std::function<void(wire&)>& script, pb::link_request request = {}) {
  pb::io_runtime io;
  scripted_server peer([&](wire& w, int) {
    peers::accept_websocket(w);
    script(w);
  });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  request.url = peer.url("ws");
  auto link = dialer->dial(request, e);
  auto why = e->end();
  CHECK(e->closed.size() == 1);
  return why;
}

/// Dials a peer that does `script` instead of a handshake.
pb::link_closed never_open(scripted_server::script script, pb::link_request request = {}) {
  pb::io_runtime io;
  scripted_server peer(std::move(script));
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  request.url = peer.url("ws");
  auto link = dialer->dial(request, e);
  auto why = e->end();
  CHECK_FALSE(e->open.wait(0ms));
  return why;
}

} // namespace

TEST_CASE("a binary frame breaks the rules and is answered with 1003") {
  peers::inbox<peers::received_frame> got;
  const auto why = end_with([&](wire& w) {
    w.write(peers::frame(2, "abc"));
    auto f = peers::read_frame(w);
    got.put(f);
    w.write(peers::frame(8, f.payload));
    w.wait_closed();
  });
  CHECK(why.reason == how::protocol);
  REQUIRE(got.wait(1));
  CHECK(got.all()[0].opcode == 8);
  CHECK(got.all()[0].payload.substr(0, 2) == "\x03\xeb");
}

TEST_CASE("invalid UTF-8, masked frames, reserved bits and unknown opcodes break the rules") {
  const auto stay = [](std::string bytes) {
    return [bytes = std::move(bytes)](wire& w) {
      w.write(bytes);
      w.wait_closed();
    };
  };
  CHECK(end_with(stay(peers::frame(1, "\xff\xfe"))).reason == how::protocol);
  CHECK(end_with(stay(peers::masked_frame(1, "abc"))).reason == how::protocol);
  CHECK(end_with(stay("\xc1\x01x")).reason == how::protocol);
  CHECK(end_with(stay(peers::frame(3, "abc"))).reason == how::protocol);
  CHECK(end_with(stay(peers::frame(9, std::string(126, 'x')))).reason == how::protocol);
}

TEST_CASE("a frame over the limit is refused by its header alone") {
  pb::link_request request;
  request.frame_limit = 1000;
  peers::inbox<peers::received_frame> got;
  const auto why = end_with(
      [&](wire& w) {
        w.write(std::string("\x81\x7f\x00\x00\x00\x7f\x00\x00\x00\x00", 10));
        got.put(peers::read_frame(w));
        w.wait_closed();
      },
      request);
  CHECK(why.reason == how::protocol);
  REQUIRE(got.wait(1));
  CHECK(got.all()[0].payload.substr(0, 2) == "\x03\xf1"); // 1009
}

TEST_CASE("the end of a connection without a close frame is a broken link") {
  CHECK(end_with([](wire&) {}).reason == how::broken);
  CHECK(end_with([](wire& w) { w.reset(); }).reason == how::broken);
  CHECK(end_with([](wire& w) {
          w.write("\x81\x05"
                  "ab");
        }).reason == how::broken);
}

TEST_CASE("a message in several frames with a ping between them is one text") {
  pb::io_runtime io;
  peers::inbox<peers::received_frame> got;
  scripted_server peer([&](wire& w, int) {
    peers::accept_websocket(w);
    w.write("\x01\x03"
            "one" +
            peers::frame(9, "p") +
            "\x80\x03"
            "two");
    got.put(peers::read_frame(w));
    w.wait_closed();
  });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.url("ws")), e);
  REQUIRE(e->texts.wait(1));
  CHECK(e->texts.all()[0] == "onetwo");
  REQUIRE(got.wait(1));
  CHECK(got.all()[0].opcode == 10);
}

TEST_CASE("a peer that does not answer the close is cut after two seconds") {
  pb::io_runtime io;
  scripted_server peer([&](wire& w, int) {
    peers::accept_websocket(w);
    w.wait_closed();
  });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.url("ws")), e);
  REQUIRE(e->open.wait());
  const auto began = std::chrono::steady_clock::now();
  link->close();
  CHECK(e->end().reason == how::closed);
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= 1900ms);
  CHECK(took < 10s);
}

TEST_CASE("pings find a peer that is dead and keep one that answers") {
  pb::link_request request;
  request.ping_after = 40ms;
  CHECK(end_with([](wire& w) { w.wait_closed(); }, request).reason == how::timed_out);

  pb::io_runtime io;
  std::atomic<int> pings{0};
  peers::gate enough;
  scripted_server peer([&](wire& w, int) {
    peers::accept_websocket(w);
    for (;;) {
      const auto f = peers::read_frame(w);
      if (f.opcode == 9) {
        w.write(peers::frame(10, f.payload));
        if (++pings == 5)
          enough.open();
      } else {
        w.write(peers::frame(8, f.payload));
        return;
      }
    }
  });
  request.ping_after = 250ms; // five answered pings take longer than it takes to be dead
  request.url = peer.url("ws");
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(request, e);
  CHECK(enough.wait());
  CHECK(e->closed.size() == 0);
  link->close();
  CHECK(e->end().reason == how::closed);
}

TEST_CASE("a peer that takes no data is given up") {
  pb::link_request request;
  request.ping_after = 50ms;
  pb::io_runtime io;
  peers::gate over;
  scripted_server peer([&](wire& w, int) {
    peers::accept_websocket(w);
    while (w.write(peers::frame(1, "I talk but do not listen")))
      if (over.wait(5ms))
        return;
  });
  request.url = peer.url("ws");
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  // The hook runs on the I/O thread, perhaps before dial() has returned.
  std::promise<std::shared_ptr<pb::link>> dialled;
  e->text_hook = [there = dialled.get_future().share()](const std::string& t) {
    there.get()->consumed(t.size());
  };
  auto link = dialer->dial(request, e);
  dialled.set_value(link);
  for (int i = 0; i < 20; ++i)
    link->send(std::string(std::size_t{1} << 20, 'x'));
  CHECK(e->end().reason == how::timed_out);
  over.open();
}

TEST_CASE("an upgrade that is answered with another status is rejected with it") {
  const auto why = never_open([](wire& w, int) {
    w.read_message();
    w.write("HTTP/1.1 403 Forbidden\r\nX: " + std::string(3000, 'x') +
            "\r\nContent-Length: 4\r\n\r\nnope");
    w.wait_closed();
  });
  CHECK(why.reason == how::rejected);
  CHECK(why.code == 403);
}

TEST_CASE("a peer that is no WebSocket, or closes, or forges the handshake, refuses the link") {
  CHECK(never_open([](wire& w, int) { w.write("220 smtp ready\r\n\r\n"); }).reason == how::refused);
  CHECK(never_open([](wire& w, int) { w.read_message(); }).reason == how::refused);
  CHECK(never_open([](wire& w, int) {
          w.read_message();
          w.write(
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
          w.wait_closed();
        }).reason != how::closed);
}

TEST_CASE("a peer that is silent in the handshake is given up at the deadline") {
  pb::link_request request;
  request.connect_timeout = 60ms;
  CHECK(never_open([](wire& w, int) { w.wait_closed(); }, request).reason == how::timed_out);
}

TEST_CASE("nobody listening, or no such address, refuses the link") {
  pb::io_runtime io;
  auto dialer = pb::make_dialer(io);
  for (const std::string& url :
       {"ws://127.0.0.1:" + std::to_string(peers::unused_port()), std::string("http://127.0.0.1"),
        std::string("ws://"), std::string("ws://h/a b")}) {
    CAPTURE(url);
    auto e = std::make_shared<events>();
    auto link = dialer->dial(to(url), e);
    CHECK(e->end().reason == how::refused);
  }
}

TEST_CASE("the server's side of a link holds foreign clients to the same rules") {
  pb::io_runtime io;
  auto e = std::make_shared<events>();
  std::shared_ptr<pb::link> link;
  served server(io, replying("x"), {}, [&](const pb::server_request&, std::shared_ptr<pb::link> l) {
    link = std::move(l);
    return e;
  });
  wire w(server.port());
  CHECK(peers::ask_websocket(w).find("HTTP/1.1 101") == 0);
  REQUIRE(e->open.wait());
  SECTION("text passes") {
    w.write(peers::masked_frame(1, "hello"));
    REQUIRE(e->texts.wait(1));
    CHECK(link->send("answer"));
    CHECK(peers::read_frame(w).payload == "answer");
    w.write(peers::masked_frame(8, "\x03\xe8"));
    CHECK(e->end().code == 1000);
  }
  SECTION("unmasked frames do not") {
    w.write(peers::frame(1, "hello"));
    CHECK(e->end().reason == how::protocol);
  }
  SECTION("binary frames do not") {
    w.write(peers::masked_frame(2, "hello"));
    CHECK(peers::read_frame(w).payload.substr(0, 2) == "\x03\xeb");
    w.cut();
    CHECK(e->end().reason == how::protocol);
  }
}

TEST_CASE("frames sent before the server has accepted are refused") {
  pb::io_runtime io;
  served server(io, replying("x"), {}, [&](const pb::server_request&, std::shared_ptr<pb::link>) {
    return std::make_shared<events>();
  });
  wire w(server.port());
  w.write("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" +
          peers::masked_frame(1, "early"));
  CHECK(w.read_to_end().find("HTTP/1.1 400") == 0);
}
