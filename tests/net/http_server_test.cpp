#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>

using namespace fixtures;
using peers::wire;

namespace {

pb::http_handler echoing() {
  return [](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
    r->send(
        {200, {{"X-Method", q.method}}, q.method + " " + q.path + " " + q.query + " " + q.body});
  };
}

std::string status_of(std::uint16_t port, const std::string& bytes) {
  wire w(port);
  w.write(bytes);
  return w.read_until("\r\n").substr(9, 3);
}

} // namespace

TEST_CASE("a request reaches the handler with its parts") {
  pb::io_runtime io;
  peers::inbox<pb::server_request> seen;
  served server(io, [&](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
    seen.put(std::move(q));
    r->send({201, {{"X-A", "b"}, {"Bad", "x\r\nInjected: 1"}}, "made"});
  });
  wire w(server.port());
  w.write("PUT /a%20b?c=d&e HTTP/1.1\r\nHost: h\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nabc");
  const auto got = w.read_message();
  CHECK(got.rfind("HTTP/1.1 201 Created\r\nX-A: b\r\nDate: ", 0) == 0);
  CHECK(got.find("Injected") == std::string::npos);
  CHECK(got.substr(got.size() - 4) == "made");
  const auto q = seen.all().at(0);
  CHECK(q.method == "PUT");
  CHECK(q.path == "/a%20b");
  CHECK(q.query == "c=d&e");
  CHECK(q.body == "abc");
  CHECK(q.peer == "127.0.0.1");
  REQUIRE(pb::find_header(q.headers, "x-y"));
}

TEST_CASE("pipelined requests are answered in their order, also when the answers are late") {
  pb::io_runtime io;
  served server(io, [&](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
    if (q.path == "/slow")
      io.clock().after(20ms, [r] { r->send({200, {}, "slow"}); });
    else
      r->send({200, {}, "fast"});
  });
  wire w(server.port());
  w.write("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /fast HTTP/1.1\r\nHost: h\r\n\r\n"
          "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  for (const char* body : {"slow", "fast", "slow"})
    CHECK(w.read_message().find(std::string("\r\n\r\n") + body) != std::string::npos);
}

TEST_CASE("connections are kept for HTTP/1.1 and closed when asked, or for HTTP/1.0") {
  pb::io_runtime io;
  served server(io, echoing());
  wire asks(server.port());
  asks.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(asks.read_to_end().find("Connection: close\r\n") != std::string::npos);
  wire old(server.port());
  old.write("GET /old HTTP/1.0\r\n\r\n");
  CHECK(old.read_to_end().find("GET /old") != std::string::npos);
}

TEST_CASE("a HEAD answer tells the length and carries no body") {
  pb::io_runtime io;
  served server(io, replying("12345"));
  wire w(server.port());
  w.write("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto all = w.read_to_end();
  CHECK(all.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(all.substr(all.size() - 4) == "\r\n\r\n");
}

TEST_CASE("limits of body and header are exact") {
  pb::io_runtime io;
  pb::server_options options;
  options.body_limit = 100;
  options.header_limit = 1000;
  served server(io, echoing(), options);
  const auto with_body = [](std::size_t n) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(n) + "\r\n\r\n" +
           std::string(n, 'x');
  };
  CHECK(status_of(server.port(), with_body(100)) == "200");
  CHECK(status_of(server.port(), with_body(101)) == "413");
  CHECK(status_of(server.port(),
                  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                      std::string(101, 'x') + "\r\n0\r\n\r\n") == "413");
  CHECK(status_of(server.port(), "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(900, 'x') +
                                     "\r\n\r\n") == "200");
  CHECK(status_of(server.port(), "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1000, 'x') +
                                     "\r\n\r\n") == "431");
  CHECK(status_of(server.port(), "GET /" + std::string(2000, 'x')) == "431");
}

TEST_CASE("a client that sends on after a refusal still gets to read it") {
  pb::io_runtime io;
  pb::server_options options;
  options.body_limit = 100;
  served server(io, echoing(), options);
  wire w(server.port());
  w.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" +
          std::string(300'000, 'x'));
  CHECK(w.read_to_end().find("HTTP/1.1 413") == 0);
}

TEST_CASE("what is not a request is answered with 400") {
  pb::io_runtime io;
  served server(io, echoing());
  for (const char* bytes :
       {"hello\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "GET / HTTP/1.1\r\nHost : h\r\n\r\n"}) {
    CAPTURE(bytes);
    CHECK(status_of(server.port(), bytes) == "400");
  }
  CHECK(status_of(server.port(), "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n") == "200");
  CHECK(status_of(server.port(), "GET http://h/abs HTTP/1.1\r\nHost: h\r\n\r\n") == "200");
}

TEST_CASE("a client that waits for leave to send its body gets it") {
  pb::io_runtime io;
  served server(io, echoing());
  wire w(server.port());
  w.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(w.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  w.write("abc");
  CHECK(w.read_message().find("200 OK") != std::string::npos);
}

TEST_CASE("a request that does not arrive in time is answered with 408, silence with a close") {
  pb::io_runtime io;
  pb::server_options options;
  options.read_timeout = 300ms;
  served server(io, echoing(), options);
  wire slow(server.port());
  slow.write("GET / HT");
  CHECK(slow.read_to_end().find("HTTP/1.1 408") == 0);
  wire silent(server.port());
  CHECK(silent.read_to_end().empty());
}

TEST_CASE("a connection over the cap is told 503 and counted, and freed places are used again") {
  pb::io_runtime io;
  pb::server_options options;
  options.max_connections = 2;
  served server(io, echoing(), options);
  const std::string ask = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  auto one = std::make_unique<wire>(server.port());
  wire two(server.port());
  for (wire* w : {one.get(), &two}) {
    w->write(ask);
    CHECK(w->read_message().find("200 OK") != std::string::npos);
  }
  {
    wire three(server.port());
    CHECK(three.read_to_end().find("HTTP/1.1 503") == 0);
  }
  CHECK(io.counters().refused_connections == 1);
  one.reset();
  for (int i = 0; i < 200; ++i) { // until the server has seen both ends
    wire four(server.port());
    four.write(ask);
    if (four.read_until("\r\n").find("200") != std::string::npos)
      return;
    std::this_thread::sleep_for(5ms);
  }
  FAIL("the freed place was not used");
}

TEST_CASE("a handler that throws or forgets answers 500, once") {
  pb::io_runtime io;
  served server(io, [](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
    if (q.path == "/throw")
      throw std::runtime_error("no");
    if (q.path == "/twice") {
      r->send({200, {}, "one"});
      r->send({200, {}, "two"});
    }
  });
  wire w(server.port());
  for (const char* path : {"/throw", "/forget"}) {
    w.write(std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(w.read_message().find("HTTP/1.1 500") == 0);
  }
  w.write("GET /twice HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto all = w.read_to_end();
  CHECK(all.find("one") != std::string::npos);
  CHECK(all.find("two") == std::string::npos);
}

TEST_CASE("answers may come from another thread") {
  pb::io_runtime io;
  std::vector<std::thread> threads;
  served server(io, [&](pb::server_request q, std::shared_ptr<pb::http_reply> r) {
    threads.emplace_back([r, body = q.body] { r->send({200, {}, body}); });
  });
  auto client = pb::make_http_client(io);
  for (int i = 0; i < 20; ++i) {
    const auto got = ask(*client, post(server.url(), std::to_string(i)));
    REQUIRE(got);
    CHECK(got->body == std::to_string(i));
  }
  server.server.reset();
  for (auto& t : threads)
    t.join();
}

TEST_CASE("a port that is taken is a conflict, an address that is none a configuration fault") {
  pb::io_runtime io;
  served server(io, replying("x"));
  pb::server_options options;
  options.port = server.port();
  const auto second = pb::make_http_server(io, options, replying("y"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == pb::fault_code::conflict);
  options.address = "not an address";
  const auto third = pb::make_http_server(io, options, replying("y"));
  REQUIRE_FALSE(third);
  CHECK(third.error().code == pb::fault_code::configuration);
}

TEST_CASE("a stopped server finishes the answer that is under way and takes no new connection") {
  pb::io_runtime io;
  peers::inbox<std::shared_ptr<pb::http_reply>> held;
  served server(
      io, [&](pb::server_request, std::shared_ptr<pb::http_reply> r) { held.put(std::move(r)); });
  wire busy(server.port()), idle(server.port());
  busy.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(held.wait(1));
  server.server->stop();
  CHECK(idle.wait_closed());
  held.all()[0]->send({200, {}, "last"});
  const auto all = busy.read_to_end();
  CHECK(all.find("last") != std::string::npos);
  CHECK(all.find("Connection: close") != std::string::npos);
  wire late(server.port());
  CHECK(late.read_to_end().empty());
}
