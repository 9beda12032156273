// Answers without an end, and clients that go away.
#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>

using namespace fixtures;
using peers::wire;

namespace {

const std::string ask_stream = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";

/// A server that hands every reply to the test.
struct holding {
  peers::inbox<std::shared_ptr<pb::http_reply>> replies;
  served server;
  explicit holding(pb::io_runtime& io)
      : server(io, [this](pb::server_request, std::shared_ptr<pb::http_reply> r) {
          replies.put(std::move(r));
        }) {}
  std::shared_ptr<pb::http_reply> next(std::size_t n = 0) {
    REQUIRE(replies.wait(n + 1));
    return replies.all()[n];
  }
};

} // namespace

TEST_CASE("a stream sends its pieces as they come, and its end leaves the connection usable") {
  pb::io_runtime io;
  holding h(io);
  wire w(h.server.port());
  w.write(ask_stream);
  auto reply = h.next();
  reply->stream({200, {{"Content-Type", "text/event-stream"}}, {}});
  const auto head = w.read_until("\r\n\r\n");
  CHECK(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(head.find("Content-Length") == std::string::npos);
  CHECK(reply->chunk("data: 1\n\n"));
  CHECK(w.read_until("\n\n\r\n") == "9\r\ndata: 1\n\n\r\n");
  CHECK(reply->chunk("data: 2\n\n"));
  CHECK(w.read_until("\n\n\r\n") == "9\r\ndata: 2\n\n\r\n");
  reply->end();
  CHECK(w.read_until("\r\n\r\n") == "0\r\n\r\n");
  CHECK_FALSE(reply->chunk("after the end"));
  w.write(ask_stream);
  h.next(1)->send({200, {}, "again"});
  CHECK(w.read_message().find("again") != std::string::npos);
}

TEST_CASE("a stream to an HTTP/1.0 client has no chunk marks and ends with the connection") {
  pb::io_runtime io;
  holding h(io);
  wire w(h.server.port());
  w.write("GET / HTTP/1.0\r\n\r\n");
  auto reply = h.next();
  reply->stream({200, {}, {}});
  reply->chunk("abc");
  reply->chunk("def");
  reply->end();
  const auto all = w.read_to_end();
  CHECK(all.substr(all.find("\r\n\r\n") + 4) == "abcdef");
}

TEST_CASE("a stream whose reply is dropped ends without the last chunk") {
  pb::io_runtime io;
  std::weak_ptr<pb::http_reply> weak;
  served server(io, [&](pb::server_request, std::shared_ptr<pb::http_reply> r) {
    r->stream({200, {}, {}});
    r->chunk("part");
  });
  wire w(server.port());
  w.write(ask_stream);
  CHECK(w.read_to_end().find("0\r\n\r\n") == std::string::npos);
}

TEST_CASE("a client that goes away while its stream runs is noticed once") {
  pb::io_runtime io;
  holding h(io);
  auto w = std::make_unique<wire>(h.server.port());
  w->write(ask_stream);
  auto reply = h.next();
  peers::inbox<int> gone;
  reply->on_gone([&] { gone.put(1); });
  reply->stream({200, {}, {}});
  w->read_until("\r\n\r\n");
  w.reset();
  REQUIRE(gone.wait(1));
  CHECK_FALSE(reply->chunk("x"));
  reply.reset();
  h.server.server.reset();
  CHECK(gone.size() == 1);
}

TEST_CASE("a client that goes away before any answer is noticed") {
  pb::io_runtime io;
  holding h(io);
  auto w = std::make_unique<wire>(h.server.port());
  w->write(ask_stream);
  auto reply = h.next();
  peers::inbox<int> gone;
  SECTION("by closing") {
    reply->on_gone([&] { gone.put(1); });
    w.reset();
  }
  SECTION("by a reset") {
    reply->on_gone([&] { gone.put(1); });
    w->reset();
  }
  SECTION("even before the handler asked to be told") {
    w->reset();
    auto other = pb::make_http_client(io);
    for (int i = 0; i < 20; ++i) // rounds through the I/O thread in which the reset is read
      CHECK_FALSE(ask(*other, get("http://127.0.0.1:1")));
    reply->on_gone([&] { gone.put(1); });
  }
  CHECK(gone.wait(1));
  reply->send({200, {}, "to nobody"});
}

TEST_CASE("a client that only closed its half still gets its answer") {
  pb::io_runtime io;
  holding h(io);
  wire w(h.server.port());
  w.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  w.finish();
  auto reply = h.next();
  peers::inbox<int> gone;
  reply->on_gone([&] { gone.put(1); });
  REQUIRE(gone.wait(1));
  reply->send({200, {}, "answer"});
  CHECK(w.read_to_end().find("answer") != std::string::npos);
}

TEST_CASE("an answer that is complete has nobody to go away from") {
  pb::io_runtime io;
  holding h(io);
  auto w = std::make_unique<wire>(h.server.port());
  w->write(ask_stream);
  auto reply = h.next();
  std::atomic<int> gone{0};
  reply->on_gone([&] { ++gone; });
  reply->send({200, {}, "x"});
  w->read_message();
  w.reset();
  wire second(h.server.port()); // its answer comes after the server has seen the first one's end
  second.write(ask_stream);
  h.next(1)->send({200, {}, "y"});
  second.read_message();
  CHECK(gone == 0);
}

TEST_CASE("chunks that a client does not read are refused after a megabyte") {
  pb::io_runtime io;
  holding h(io);
  wire w(h.server.port());
  w.write(ask_stream);
  auto reply = h.next();
  reply->stream({200, {}, {}});
  const std::string piece(64 * 1024, 'x');
  std::size_t accepted = 0;
  const auto fill = [&] {
    while (accepted < 1000 && reply->chunk(piece))
      ++accepted;
  };
  fill(); // what the kernel takes comes on top of the megabyte
  CHECK(accepted >= 16);
  CHECK(accepted < 1000);
  const auto first = accepted;
  w.read_exactly(std::size_t{4} << 20 < first * piece.size() ? std::size_t{4} << 20
                                                             : first * piece.size());
  for (int i = 0; i < 2000 && accepted == first; ++i) {
    fill();
    std::this_thread::sleep_for(1ms);
  }
  CHECK(accepted > first);
}
