// Our WebSocket client and server against each other.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>

using namespace fixtures;

namespace {

/// A server whose links echo. Paths: /refuse is refused by the handler, /throw throws.
struct echo_server {
  struct echo : events {
    std::shared_ptr<pb::link> self;
    void on_text(std::string text) override {
      self->consumed(text.size());
      self->send(text);
      texts.put(std::move(text));
    }
    void on_closed(pb::link_closed why) override {
      self.reset();
      events::on_closed(std::move(why));
    }
  };
  peers::inbox<std::shared_ptr<echo>> links;
  peers::inbox<pb::server_request> requests;
  served server;

  explicit echo_server(pb::io_runtime& io, pb::server_options options = {})
      : server(io, replying("plain"), options,
               [this](const pb::server_request& q,
                      std::shared_ptr<pb::link> l) -> std::shared_ptr<pb::link_listener> {
                 if (q.path == "/refuse")
                   return nullptr;
                 if (q.path == "/throw")
                   throw std::runtime_error("no");
                 auto e = std::make_shared<echo>();
                 e->self = std::move(l);
                 requests.put(q);
                 links.put(e);
                 return e;
               }) {}
};

} // namespace

TEST_CASE("frames go there and back in order, those sent before the handshake too") {
  pb::io_runtime io;
  echo_server peer(io);
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto request = to(peer.server.url("ws") + "/chat/7?x=y");
  request.headers = {{"Authorization", "Bearer t"}};
  auto link = dialer->dial(request, e);
  std::vector<std::string> sent;
  for (int i = 0; i < 60; ++i) {
    sent.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i) * 100, 'x'));
    REQUIRE(link->send(sent.back()));
  }
  REQUIRE(e->texts.wait(60));
  CHECK(e->texts.all() == sent);
  const auto q = peer.requests.all().at(0);
  CHECK(q.path == "/chat/7");
  CHECK(q.query == "x=y");
  CHECK(*pb::find_header(q.headers, "authorization") == "Bearer t");
  link->close(1000);
  CHECK(e->end().reason == pb::link_closed::how::closed);
  auto theirs = peer.links.all().at(0)->end();
  CHECK(theirs.reason == pb::link_closed::how::closed);
  CHECK(theirs.code == 1000);
  CHECK_FALSE(link->send("after"));
}

TEST_CASE("a close from either side arrives with its code, after the frames before it") {
  pb::io_runtime io;
  echo_server peer(io);
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.server.url("ws")), e);
  SECTION("ours, in one go with the dial") {
    CHECK(link->send("last words"));
    link->close(4001);
    REQUIRE(peer.links.wait(1));
    CHECK(peer.links.all()[0]->end().code == 4001);
    CHECK(peer.links.all()[0]->texts.all() == std::vector<std::string>{"last words"});
    CHECK(e->end().reason == pb::link_closed::how::closed);
  }
  SECTION("theirs") {
    REQUIRE(e->open.wait());
    REQUIRE(peer.links.wait(1));
    auto theirs = peer.links.all()[0];
    io.post([theirs] {
      theirs->self->send("bye");
      theirs->self->close(4002);
    });
    const auto why = e->end();
    CHECK(why.reason == pb::link_closed::how::closed);
    CHECK(why.code == 4002);
    CHECK(e->texts.all() == std::vector<std::string>{"bye"});
  }
}

TEST_CASE("dropping the last reference closes the link") {
  pb::io_runtime io;
  echo_server peer(io);
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.server.url("ws")), e);
  REQUIRE(e->open.wait());
  dialer.reset(); // links outlive their dialer
  CHECK(link->send("still there"));
  REQUIRE(e->texts.wait(1));
  link.reset();
  CHECK(e->end().reason == pb::link_closed::how::closed);
}

TEST_CASE(
    "a refused upgrade is a rejection with its status, and the connection goes on with HTTP") {
  pb::io_runtime io;
  echo_server peer(io);
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.server.url("ws") + "/refuse"), e);
  CHECK(e->end().reason == pb::link_closed::how::rejected);
  CHECK(e->end().code == 404);
  e = std::make_shared<events>();
  link = dialer->dial(to(peer.server.url("ws") + "/throw"), e);
  CHECK(e->end().code == 500);
  peers::wire w(peer.server.port());
  CHECK(peers::ask_websocket(w, "/refuse").find("HTTP/1.1 404") == 0);
  w.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(w.read_message().find("plain") != std::string::npos);
}

TEST_CASE("a frame of exactly the limit passes, one byte more ends the link as a broken rule") {
  pb::io_runtime io;
  pb::server_options options;
  options.frame_limit = 70'000;
  echo_server peer(io, options);
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.server.url("ws")), e);
  CHECK(link->send(std::string(70'000, 'x')));
  REQUIRE(e->texts.wait(1));
  CHECK(e->texts.all()[0].size() == 70'000);
  CHECK(link->send(std::string(70'001, 'x')));
  CHECK(e->end().reason == pb::link_closed::how::closed);
  CHECK(e->end().code == 1009);
  CHECK(peer.links.all()[0]->end().reason == pb::link_closed::how::protocol);
}

TEST_CASE("the send queue takes its cap and not one frame more") {
  pb::io_runtime io;
  peers::scripted_server silent([](peers::wire& w, int) { w.wait_closed(); }); // no handshake
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto request = to(silent.url("ws"));
  request.send_queue = 3;
  auto link = dialer->dial(request, e);
  for (int i = 0; i < 3; ++i)
    CHECK(link->send("x"));
  CHECK_FALSE(link->send("x"));
}

TEST_CASE("reading pauses when too much is not worked off, and goes on when it is") {
  pb::io_runtime io;
  peers::gate all_written;
  peers::scripted_server peer([&](peers::wire& w, int) {
    peers::accept_websocket(w);
    for (int i = 0; i < 100; ++i)
      w.write(peers::frame(1, std::string(1000, 'x')));
    all_written.open();
    w.wait_closed();
  });
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto request = to(peer.url("ws"));
  request.unread_limit = 10'000;
  auto link = dialer->dial(request, e);
  REQUIRE(all_written.wait());
  REQUIRE(e->texts.wait(11)); // the one that passes the limit is still handed over
  CHECK_FALSE(e->texts.wait(12, 100ms));
  link->consumed(5'000);
  REQUIRE(e->texts.wait(16));
  CHECK_FALSE(e->texts.wait(17, 50ms));
  e->text_hook = nullptr;
  for (int i = 0; i < 200 && e->texts.size() < 100; ++i) {
    link->consumed(1'000);
    e->texts.wait(e->texts.size() + 1, 5ms);
  }
  CHECK(e->texts.wait(100));
}

TEST_CASE("a stopped server says goodbye with 1001") {
  pb::io_runtime io;
  echo_server peer(io);
  auto dialer = pb::make_dialer(io);
  auto e = std::make_shared<events>();
  auto link = dialer->dial(to(peer.server.url("ws")), e);
  REQUIRE(e->open.wait());
  peer.server.server->stop();
  CHECK(e->end().reason == pb::link_closed::how::closed);
  CHECK(e->end().code == 1001);
}
