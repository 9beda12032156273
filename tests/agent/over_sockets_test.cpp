// The demonstration agent and the scripted agent behind the real WebSocket server, spoken to with
// the real dialer: what the fakes of the other tests assume holds on sockets too.

#include "bridges/agent/agent_ws/codec.hpp"
#include "bridges/agent/demo/demo_agent.hpp"
#include "bridges/net/io.hpp"
#include "tests/support/scripted_agent.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace {

using namespace pb;
using namespace std::chrono_literals;

/// Collects events of a link; wait() returns when `until` holds, false after ten seconds.
class listening final : public link_listener {
public:
  void on_open() override {}
  void on_text(std::string text) override {
    const std::lock_guard lock(guard_);
    const auto frame = codec_->decode(text);
    if (const auto* chunk = std::get_if<agent_says::text_chunk>(&frame.event))
      answer_ += chunk->text;
    ended_ = ended_ || std::holds_alternative<agent_says::end>(frame.event);
    changed_.notify_all();
  }
  void on_closed(link_closed why) override {
    const std::lock_guard lock(guard_);
    closed_.push_back(std::move(why));
    changed_.notify_all();
  }
  bool wait_for_text(const std::string& part) {
    return wait([&] { return answer_.find(part) != std::string::npos; });
  }
  bool wait_for_end() {
    return wait([&] { return ended_; });
  }
  bool wait_for_close() {
    return wait([&] { return !closed_.empty(); });
  }
  std::string answer() {
    const std::lock_guard lock(guard_);
    return answer_;
  }
  std::vector<link_closed> closed() {
    const std::lock_guard lock(guard_);
    return closed_;
  }

private:
  template <class F>
  bool wait(F until) {
    std::unique_lock lock(guard_);
    return changed_.wait_for(lock, 10s, until);
  }
  std::unique_ptr<agent_codec> codec_ = make_agent_ws_codec({});
  std::mutex guard_;
  std::condition_variable changed_;
  std::string answer_;
  bool ended_ = false;
  std::vector<link_closed> closed_;
};

struct served {
  io_runtime io;
  std::unique_ptr<dialer> net = make_dialer(io);
  std::unique_ptr<http_server> server;
  std::shared_ptr<listening> events = std::make_shared<listening>();

  void serve(ws_handler agent) {
    auto made = make_http_server(
        io, {},
        [](server_request, std::shared_ptr<http_reply> reply) {
          reply->send({404, {}, {}});
        },
        std::move(agent));
    REQUIRE(made);
    server = std::move(*made);
  }
  std::shared_ptr<pb::link> dial(const std::string& path) {
    link_request request;
    request.url = "ws://127.0.0.1:" + std::to_string(server->port()) + path;
    return net->dial(request, events);
  }
};

std::string question(const std::string& text) {
  turn_request turn;
  turn.id = turn_id{"t1"};
  turn.chat = {3};
  turn.text = text;
  return make_agent_ws_codec({})->user_message(turn);
}

const std::string cancel = R"({"type":"CANCEL"})";

} // namespace

TEST_CASE("over sockets the demonstration agent answers, and CANCEL stops it") {
  served s;
  s.serve(make_demo_agent(s.io.clock(), [] { return unix_ms{0}; }));
  const auto wire = s.dial("/v1/agent_ws/3/");
  REQUIRE(wire->send(question("count to 400")));
  REQUIRE(s.events->wait_for_text("1, 2, "));
  REQUIRE(wire->send(cancel));
  CHECK(s.events->wait_for_end());
  CHECK(s.events->answer().find("300") == std::string::npos);
  wire->close();
  CHECK(s.events->wait_for_close());
}

TEST_CASE("over sockets the demonstration agent can vanish in the middle of an answer") {
  served s;
  s.serve(make_demo_agent(s.io.clock(), [] { return unix_ms{0}; }));
  const auto wire = s.dial("/v1/agent_ws/3/");
  REQUIRE(wire->send(question("die")));
  REQUIRE(s.events->wait_for_close());
  CHECK(s.events->answer().find("and then") != std::string::npos);
  REQUIRE(s.events->closed().size() == 1);
  CHECK(s.events->closed()[0].code == 1011);
}

TEST_CASE("over sockets another address is rejected with 404") {
  served s;
  s.serve(make_demo_agent(s.io.clock(), [] { return unix_ms{0}; }));
  const auto wire = s.dial("/v1/elsewhere/3/");
  REQUIRE(s.events->wait_for_close());
  CHECK(s.events->closed()[0].reason == link_closed::how::rejected);
  CHECK(s.events->closed()[0].code == 404);
}

TEST_CASE("over sockets the scripted agent plays and records") {
  served s;
  scripted::agent peer(s.io.clock(), scripted::echo());
  s.serve(peer.handler());
  const auto wire = s.dial("/v1/agent_ws/8/");
  REQUIRE(wire->send(question("hello")));
  REQUIRE(s.events->wait_for_end());
  CHECK(s.events->answer() == "hello");
  REQUIRE(peer.user_messages().size() == 1);
  CHECK(peer.user_messages()[0].url == "/v1/agent_ws/8/");
  peer.use(scripted::always({scripted::chunk(" half"), scripted::hang_up(1012)}));
  REQUIRE(wire->send(question("again")));
  REQUIRE(s.events->wait_for_close());
  CHECK(s.events->answer() == "hello half");
  CHECK(s.events->closed()[0].code == 1012);
  s.io.stop();
}
