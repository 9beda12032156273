#include "tests/net/fixtures.hpp"

#include <catch2/catch.hpp>
#include <csignal>

using namespace fixtures;

TEST_CASE("posted functions run in order, on one other thread") {
  pb::io_runtime io;
  peers::inbox<int> order;
  std::atomic<bool> elsewhere{true};
  const auto here = std::this_thread::get_id();
  for (int i = 0; i < 1000; ++i)
    io.post([&, i] {
      elsewhere = elsewhere && std::this_thread::get_id() != here;
      order.put(i);
    });
  REQUIRE(order.wait(1000));
  const auto all = order.all();
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(elsewhere);
}

TEST_CASE("what was accepted before the stop runs, and after it nothing is accepted") {
  pb::io_runtime io;
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i)
    io.post([&] { ++ran; });
  io.stop();
  CHECK(ran == 100);
  CHECK_FALSE(io.post([&] { ++ran; }));
  CHECK(ran == 100);
}

TEST_CASE("timers fire in the order of their times, whatever the order of their making") {
  pb::io_runtime io;
  peers::inbox<int> order;
  io.clock().after(60ms, [&] { order.put(3); });
  io.clock().after(5ms, [&] { order.put(1); });
  io.clock().after(30ms, [&] { order.put(2); });
  REQUIRE(order.wait(3));
  CHECK(order.all() == std::vector<int>{1, 2, 3});
}

TEST_CASE("a stop does not wait for timers") {
  pb::io_runtime io;
  std::atomic<bool> fired{false};
  io.clock().after(1h, [&] { fired = true; });
  const auto began = std::chrono::steady_clock::now();
  io.stop();
  CHECK(std::chrono::steady_clock::now() - began < 1500ms);
  CHECK_FALSE(fired);
}

TEST_CASE("a signal calls back every time") {
  pb::io_runtime io;
  peers::inbox<int> got;
  peers::gate ready;
  io.on_signals({SIGUSR1}, [&](int n) { got.put(n); });
  io.post([&] { ready.open(); });
  REQUIRE(ready.wait());
  std::raise(SIGUSR1);
  REQUIRE(got.wait(1));
  std::raise(SIGUSR1);
  REQUIRE(got.wait(2));
  CHECK(got.all()[0] == SIGUSR1);
}

TEST_CASE("an exception from a posted function or a timer is swallowed and counted") {
  pb::io_runtime io;
  peers::gate after;
  io.post([] { throw 1; });
  io.clock().after(1ms, [] { throw 2; });
  io.clock().after(5ms, [&] { after.open(); });
  REQUIRE(after.wait());
  CHECK(io.counters().callback_exceptions == 2);
}

TEST_CASE("stopping with everything under way tells everyone once, and users may outlive it") {
  auto io = std::make_unique<pb::io_runtime>();
  auto client = pb::make_http_client(*io);
  auto dialer = pb::make_dialer(*io);
  peers::gate held_arrived;
  peers::inbox<std::shared_ptr<pb::http_reply>> held;
  auto accepted = std::make_shared<events>();
  peers::inbox<std::shared_ptr<pb::link>> server_links;
  auto server = std::make_unique<served>(
      *io, [&](pb::server_request, std::shared_ptr<pb::http_reply> r) { held.put(std::move(r)); },
      pb::server_options{},
      [&](const pb::server_request&, std::shared_ptr<pb::link> l) {
        server_links.put(std::move(l));
        return accepted;
      });
  answers a;
  for (int i = 0; i < 10; ++i)
    client->send(get(server->url()), a.done());
  auto mine = std::make_shared<events>();
  auto link = dialer->dial(to(server->url("ws")), mine);
  REQUIRE(mine->open.wait());
  REQUIRE(accepted->open.wait());
  REQUIRE(held.wait(10));
  io->stop(500ms);
  CHECK(a.got.size() == 10);
  CHECK(mine->closed.size() == 1);
  CHECK(accepted->closed.size() == 1);
  io.reset();
  CHECK_FALSE(link->send("x"));
  for (const auto& r : held.all())
    r->send({200, {}, "too late"});
  const bool order = GENERATE(true, false);
  if (order) {
    server.reset();
    client.reset();
  } else {
    client.reset();
    server.reset();
  }
}

TEST_CASE("destroying everything from another thread in the middle of traffic is safe") {
  for (int round = 0; round < 10; ++round) {
    pb::io_runtime io;
    auto client = pb::make_http_client(io);
    auto dialer = pb::make_dialer(io);
    auto echo = std::make_shared<events>();
    auto server = std::make_unique<served>(
        io, replying("x"), pb::server_options{},
        [](const pb::server_request&, std::shared_ptr<pb::link>) {
          return std::make_shared<events>(); // drops its link: closes at once
        });
    auto a = std::make_shared<answers>();
    std::vector<std::shared_ptr<pb::link>> links;
    for (int i = 0; i < 30; ++i) {
      client->send(get(server->url()), [a](pb::http_result r) { a->got.put(std::move(r)); });
      links.push_back(dialer->dial(to(server->url("ws")), std::make_shared<events>()));
      links.back()->send("hello");
    }
    REQUIRE(a->got.wait(static_cast<std::size_t>(round) * 3));
    if (round % 2 == 0)
      server.reset();
    dialer.reset();
    client.reset();
    CHECK(a->got.size() == 30);
    links.clear();
  }
}
