#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>

using namespace fixtures;
using peers::scripted_server;
using peers::wire;

TEST_CASE("a request arrives as it was given and its answer comes back") {
  pb::io_runtime io;
  peers::inbox<std::string> seen;
  scripted_server peer([&](wire& w, int) {
    seen.put(w.read_message());
    w.write(ok("hello", "X-One: 1\r\n"));
    w.wait_closed();
  });
  auto client = pb::make_http_client(io);
  auto r = post(peer.url(), "payload", "/a/b?c=d");
  r.headers = {{"X-Token", "t"}, {"Host", "forged"}, {"Content-Length", "1"}};
  const auto got = ask(*client, r);
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body == "hello");
  REQUIRE(pb::find_header(got->headers, "x-one"));
  CHECK(*pb::find_header(got->headers, "x-one") == "1");
  const auto request = seen.all().at(0);
  CHECK(request ==
        "POST /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(peer.port()) +
            "\r\nX-Token: t\r\nUser-Agent: patchbay\r\nContent-Length: 7\r\n\r\npayload");
}

TEST_CASE("one connection serves requests one after the other") {
  pb::io_runtime io;
  served server(io, replying("x"));
  auto client = pb::make_http_client(io);
  for (int i = 0; i < 20; ++i)
    REQUIRE(ask(*client, get(server.url())));
  CHECK(io.counters().http_connections == 1);
}

TEST_CASE("a name is looked up, and an address that does not listen falls back to one that does") {
  pb::io_runtime io;
  served server(io, replying("x"));
  auto client = pb::make_http_client(io);
  // localhost is ::1 and 127.0.0.1 on most machines; the server listens on the second only.
  CHECK(ask(*client, get("http://localhost:" + std::to_string(server.port()))));
}

TEST_CASE(
    "requests beyond the connection cap wait in order, and beyond the queue cap are refused") {
  pb::io_runtime io;
  peers::gate go;
  peers::gate arrived;
  peers::inbox<std::string> order;
  scripted_server peer([&](wire& w, int) {
    for (;;) {
      const auto head = w.read_message();
      if (head.empty())
        return;
      order.put(head.substr(4, 2));
      arrived.open();
      go.wait();
      if (!w.write(ok("x")))
        return;
    }
  });
  pb::http_client_options options;
  options.max_connections_per_origin = 1;
  options.max_queued = 2;
  auto client = pb::make_http_client(io, options);
  answers a;
  for (const char* target : {"/0", "/1", "/2", "/3"})
    client->send(get(peer.url(), target), a.done());
  REQUIRE(arrived.wait());
  const auto refused = a.at(0); // the fourth is the first that ends
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error == pb::http_error::busy);
  CHECK_FALSE(refused.error().sent);
  go.open();
  for (std::size_t i = 1; i < 4; ++i)
    CHECK(a.at(i));
  CHECK(order.all() == std::vector<std::string>{"/0", "/1", "/2"});
  CHECK(peer.connections() == 1);
  CHECK(io.counters().http_busy == 1);
}

TEST_CASE("a long poll holds its connection and delays nobody else") {
  pb::io_runtime io;
  std::shared_ptr<pb::http_reply> held;
  served server(io, [&](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
    if (q.path == "/poll")
      held = std::move(r);
    else
      r->send({200, {}, "quick"});
  });
  auto client = pb::make_http_client(io);
  answers poll;
  client->send(get(server.url(), "/poll"), poll.done());
  for (int i = 0; i < 5; ++i)
    CHECK(ask(*client, get(server.url())));
  CHECK(poll.got.size() == 0);
  io.post([&] { std::exchange(held, nullptr)->send({200, {}, "late"}); });
  REQUIRE(poll.at(0));
  CHECK(poll.at(0)->body == "late");
}

TEST_CASE("cancelling ends a request that runs and one that waits, each once") {
  pb::io_runtime io;
  peers::gate arrived;
  scripted_server peer([&](wire& w, int) {
    w.read_message();
    arrived.open();
    w.wait_closed();
  });
  pb::http_client_options options;
  options.max_connections_per_origin = 1;
  auto client = pb::make_http_client(io, options);
  answers running, waiting;
  const auto first = client->send(get(peer.url()), running.done());
  const auto second = client->send(get(peer.url()), waiting.done());
  REQUIRE(arrived.wait());
  client->cancel(second);
  REQUIRE_FALSE(waiting.at(0));
  CHECK(waiting.at(0).error().error == pb::http_error::cancelled);
  CHECK_FALSE(waiting.at(0).error().sent);
  client->cancel(first);
  client->cancel(first);
  REQUIRE_FALSE(running.at(0));
  CHECK(running.at(0).error().error == pb::http_error::cancelled);
  CHECK(running.at(0).error().sent);
  client.reset();
  CHECK(running.got.size() == 1);
  CHECK(waiting.got.size() == 1);
}

TEST_CASE("destroying the client ends what is under way before it returns") {
  pb::io_runtime io;
  peers::gate arrived;
  scripted_server peer([&](wire& w, int) {
    w.read_message();
    arrived.open();
    w.wait_closed();
  });
  auto client = pb::make_http_client(io);
  answers a;
  for (int i = 0; i < 50; ++i)
    client->send(get(peer.url()), a.done());
  REQUIRE(arrived.wait());
  client.reset();
  REQUIRE(a.got.size() == 50);
  for (const auto& r : a.got.all()) {
    REQUIRE_FALSE(r);
    CHECK(r.error().error == pb::http_error::cancelled);
  }
}

namespace {

/// Answers one request, and closes when the second comes on the same connection without a byte of
/// an answer. Fresh connections after the first one work.
scripted_server::script closes_on_second_request() {
  return [](wire& w, int n) {
    w.read_message();
    w.write(ok("first"));
    if (n == 0) {
      w.read_message();
      return;
    }
    w.wait_closed();
  };
}

} // namespace

TEST_CASE(
    "a GET on a kept-alive connection that the server had closed is repeated on a fresh one") {
  pb::io_runtime io;
  scripted_server peer(closes_on_second_request());
  auto client = pb::make_http_client(io);
  REQUIRE(ask(*client, get(peer.url())));
  CHECK(ask(*client, get(peer.url())));
  CHECK(peer.connections() == 2);
  CHECK(io.counters().http_retries == 1);
}

TEST_CASE("a POST is never repeated, and tells that it may have been acted on") {
  pb::io_runtime io;
  scripted_server peer(closes_on_second_request());
  auto client = pb::make_http_client(io);
  REQUIRE(ask(*client, get(peer.url())));
  const auto r = ask(*client, post(peer.url(), "once"));
  REQUIRE_FALSE(r);
  CHECK(r.error().error == pb::http_error::closed);
  CHECK(r.error().sent);
  CHECK(peer.connections() == 1);
  CHECK(io.counters().http_retries == 0);
}

TEST_CASE("a GET is not repeated twice, nor on a connection that was new") {
  pb::io_runtime io;
  scripted_server peer([](wire& w, int n) {
    w.read_message();
    if (n == 0) {
      w.write(ok("x"));
      w.read_message();
    }
  });
  auto client = pb::make_http_client(io);
  REQUIRE(ask(*client, get(peer.url())));
  const auto r = ask(*client, get(peer.url()));
  REQUIRE_FALSE(r);
  CHECK(r.error().error == pb::http_error::closed);
  CHECK(peer.connections() == 2);
}

TEST_CASE("an unused connection is closed after the idle time") {
  pb::io_runtime io;
  peers::gate closed;
  scripted_server peer([&](wire& w, int) {
    w.read_message();
    w.write(ok("x"));
    if (w.wait_closed())
      closed.open();
  });
  pb::http_client_options options;
  options.idle_timeout = 30ms;
  auto client = pb::make_http_client(io, options);
  REQUIRE(ask(*client, get(peer.url())));
  CHECK(closed.wait());
  CHECK(ask(*client, get(peer.url())));
}

TEST_CASE(
    "nobody listening is a connect failure, an unknown name a resolve failure, nothing sent") {
  pb::io_runtime io;
  auto client = pb::make_http_client(io);
  auto r = ask(*client, get("http://127.0.0.1:" + std::to_string(peers::unused_port())));
  REQUIRE_FALSE(r);
  CHECK(r.error().error == pb::http_error::connect);
  CHECK_FALSE(r.error().sent);
  r = ask(*client, get("http://no-such-host.invalid"));
  REQUIRE_FALSE(r);
  CHECK((r.error().error == pb::http_error::resolve || r.error().error == pb::http_error::timeout));
}

TEST_CASE("what cannot be an origin, target or header is refused before a socket is opened") {
  pb::io_runtime io;
  auto client = pb::make_http_client(io);
  for (const char* origin : {"", "127.0.0.1", "ftp://h", "http://", "http://u@h", "http://h:0",
                             "http://h:99999", "http://[::1", "http://h/path", "http://a b"}) {
    CAPTURE(origin);
    const auto r = ask(*client, get(origin));
    REQUIRE_FALSE(r);
    CHECK(r.error().error == pb::http_error::bad_address);
  }
  auto split = get("http://127.0.0.1:1", "/ HTTP/1.1\r\nX: y");
  CHECK(ask(*client, split).error().error == pb::http_error::bad_address);
  auto header = get("http://127.0.0.1:1");
  header.headers = {{"A", "b\r\nC: d"}};
  CHECK(ask(*client, header).error().error == pb::http_error::bad_address);
  CHECK(io.counters().http_connections == 0);
}

TEST_CASE("a callback that throws harms nobody") {
  pb::io_runtime io;
  served server(io, replying("x"));
  auto client = pb::make_http_client(io);
  client->send(get(server.url()), [](pb::http_result) { throw 1; });
  CHECK(ask(*client, get(server.url())));
  CHECK(io.counters().callback_exceptions == 1);
}

TEST_CASE("bodies of a few megabytes go both ways whole") {
  pb::io_runtime io;
  pb::server_options options;
  options.body_limit = std::size_t{8} << 20;
  served server(
      io,
      [](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
        r->send({200, {}, std::move(q.body)});
      },
      options);
  auto client = pb::make_http_client(io);
  std::string body;
  for (int i = 0; body.size() < (std::size_t{5} << 20); ++i)
    body += std::to_string(i);
  const auto r = ask(*client, post(server.url(), body));
  REQUIRE(r);
  CHECK((r->body == body)); // not printed on failure
}
