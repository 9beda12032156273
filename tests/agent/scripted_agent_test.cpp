#include "tests/support/scripted_agent.hpp"

#include "tests/support/virtual_timers.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace {

using namespace pb;
using namespace pb::scripted;
using namespace std::chrono_literals;

/// What the router's end of a link hears.
struct ear final : link_listener {
  bool opened = false;
  std::vector<std::string> texts;
  std::vector<link_closed> ends;
  void on_open() override { opened = true; }
  void on_text(std::string text) override { texts.push_back(std::move(text)); }
  void on_closed(link_closed why) override { ends.push_back(std::move(why)); }
  [[nodiscard]] std::string said() const {
    std::string all;
    for (const auto& text : texts) {
      const auto frame = json::parse(text, nullptr, false);
      all += frame.is_object() ? frame.value("text", frame.value("type", "?")) : text;
      all += '|';
    }
    return all;
  }
};

struct world {
  virtual_timers clock;
  agent peer{clock, echo()};
  fake_dialer net{clock, peer, 7};
  std::shared_ptr<ear> heard_by_us = std::make_shared<ear>();
  link_request request() const {
    link_request r;
    r.url = "ws://agent/v1/agent_ws/1/";
    return r;
  }
  std::shared_ptr<pb::link> dial() { return dial(request()); }
  std::shared_ptr<pb::link> dial(link_request r) { return net.dial(std::move(r), heard_by_us); }
};

std::string question(const std::string& text) {
  return json{{"type", "USER_MESSAGE"}, {"text", text}, {"message_id", "m1"}}.dump();
}

} // namespace

TEST_CASE("a question through the fake dialer is answered by the script, and both are on record") {
  world w;
  const auto wire = w.dial();
  CHECK(wire->send(question("hi"))); // before it is open
  CHECK_FALSE(w.heard_by_us->opened);
  w.clock.run();
  CHECK(w.heard_by_us->opened);
  CHECK(w.heard_by_us->said() == "hi|AGENT_EVENT_END|");
  REQUIRE(w.peer.user_messages().size() == 1);
  CHECK(w.peer.user_messages()[0].url == "ws://agent/v1/agent_ws/1/");
  CHECK(w.peer.user_messages()[0].frame["message_id"] == "m1");
  CHECK(w.net.open() == 1);
  wire->close(1000);
  CHECK_FALSE(wire->send("x"));
  w.clock.run();
  REQUIRE(w.heard_by_us->ends.size() == 1);
  CHECK(w.heard_by_us->ends[0].reason == link_closed::how::closed);
  REQUIRE(w.peer.ends().size() == 1);
  CHECK(w.peer.ends()[0].why.code == 1000);
  CHECK(w.net.open() == 0);
  CHECK(w.peer.open() == 0);
}

TEST_CASE("frames arrive in order whatever their delays, and the seed decides when") {
  const auto times = [](std::uint64_t seed) {
    virtual_timers clock;
    std::vector<step> steps;
    for (int i = 0; i < 40; ++i)
      steps.push_back(chunk(std::to_string(i)));
    agent peer(clock, always(steps));
    fake_dialer net(clock, peer, seed, 50ms);
    const auto events = std::make_shared<ear>();
    const auto wire = net.dial({}, events);
    wire->send(question("go"));
    std::vector<std::int64_t> out;
    for (std::size_t seen = 0; clock.waiting() > 0;) {
      clock.run(1);
      if (events->texts.size() > seen) {
        seen = events->texts.size();
        out.push_back(clock.now().count());
      }
    }
    std::string expected;
    for (int i = 0; i < 40; ++i)
      expected += std::to_string(i) + "|";
    CHECK(events->said() == expected);
    return out;
  };
  CHECK(times(1) == times(1));
  CHECK(times(1) != times(2));
}

TEST_CASE("a dial can be refused, rejected or never answered") {
  world w;
  SECTION("refused") {
    w.net.plan({dial_plan::how::refuse});
    w.dial();
    w.clock.run();
    REQUIRE(w.heard_by_us->ends.size() == 1);
    CHECK(w.heard_by_us->ends[0].reason == link_closed::how::refused);
  }
  SECTION("rejected") {
    w.net.plan([](const link_request&) { return dial_plan{dial_plan::how::reject, 401}; });
    w.dial();
    w.clock.run();
    REQUIRE(w.heard_by_us->ends.size() == 1);
    CHECK(w.heard_by_us->ends[0].code == 401);
    CHECK(w.heard_by_us->ends[0].reason == link_closed::how::rejected);
  }
  SECTION("never answered") {
    w.net.plan({dial_plan::how::never_open});
    auto r = w.request();
    r.connect_timeout = 3s;
    w.dial(r);
    w.clock.advance(2990ms);
    CHECK(w.heard_by_us->ends.empty());
    w.clock.advance(20ms);
    REQUIRE(w.heard_by_us->ends.size() == 1);
    CHECK(w.heard_by_us->ends[0].reason == link_closed::how::timed_out);
  }
  SECTION("given up by us before it opened") {
    const auto wire = w.dial();
    wire->close();
    w.clock.run();
    REQUIRE(w.heard_by_us->ends.size() == 1);
    CHECK_FALSE(w.heard_by_us->opened);
  }
  CHECK_FALSE(w.heard_by_us->opened);
  CHECK(w.peer.connections() == 0);
}

TEST_CASE("a break comes after what was said, and without a close frame") {
  world w;
  w.peer.use(always({chunk("half"), break_off(), chunk("never")}));
  const auto wire = w.dial();
  wire->send(question("x"));
  w.clock.run();
  CHECK(w.heard_by_us->said() == "half|");
  REQUIRE(w.heard_by_us->ends.size() == 1);
  CHECK(w.heard_by_us->ends[0].reason == link_closed::how::broken);
}

TEST_CASE("a close carries its code") {
  world w;
  w.peer.use(always({chunk("half"), hang_up(1012), chunk("never")}));
  const auto wire = w.dial();
  wire->send(question("x"));
  w.clock.run();
  CHECK(w.heard_by_us->said() == "half|");
  REQUIRE(w.heard_by_us->ends.size() == 1);
  CHECK(w.heard_by_us->ends[0].reason == link_closed::how::closed);
  CHECK(w.heard_by_us->ends[0].code == 1012);
}

TEST_CASE("CANCEL ends an obedient agent, is waited for by a script, and changes nothing for a "
          "deaf one") {
  world w;
  w.peer.use(always({chunk("a"), wait(10s), chunk("b"), end()}));
  SECTION("obedient") {
    const auto wire = w.dial();
    wire->send(question("x"));
    w.clock.advance(1s);
    wire->send(R"({"type":"CANCEL"})");
    w.clock.run();
    CHECK(w.heard_by_us->said() == "a|AGENT_EVENT_END|");
  }
  SECTION("awaited") {
    w.peer.use(always({await_cancel(), chunk("late words"), end()}));
    const auto wire = w.dial();
    wire->send(question("x"));
    w.clock.run();
    CHECK(w.heard_by_us->said().empty());
    wire->send(R"({"type":"CANCEL"})");
    w.clock.run();
    CHECK(w.heard_by_us->said() == "late words|AGENT_EVENT_END|");
  }
  SECTION("deaf") {
    w.peer.obey_cancel(false);
    const auto wire = w.dial();
    wire->send(question("x"));
    w.clock.advance(1s);
    wire->send(R"({"type":"CANCEL"})");
    w.clock.run();
    CHECK(w.heard_by_us->said() == "a|b|AGENT_EVENT_END|");
  }
  CHECK(w.peer.of_type("CANCEL").size() == 1);
}

TEST_CASE("a script can wait for CONFIRM, and a CONFIRM can begin a turn") {
  world w;
  w.peer.use([](const heard& opening) -> std::vector<step> {
    if (opening.type == "CONFIRM")
      return {chunk("resumed"), end()};
    return {send({{"type", "AGENT_EVENT_CONFIRM"}, {"text", "ask"}}), await_confirm(), end()};
  });
  const auto wire = w.dial();
  wire->send(question("x"));
  w.clock.run();
  CHECK(w.heard_by_us->said() == "ask|");
  const std::string yes = R"({"type":"CONFIRM","confirmation_id":"1","decision":"yes"})";
  wire->send(yes);
  w.clock.run();
  CHECK(w.heard_by_us->said() == "ask|AGENT_EVENT_END|");
  wire->send(yes);
  w.clock.run();
  CHECK(w.heard_by_us->said() == "ask|AGENT_EVENT_END|resumed|AGENT_EVENT_END|");
  CHECK(w.peer.of_type("CONFIRM").size() == 2);
}

TEST_CASE("the link keeps its caps: frames waiting, bytes unread, size of a frame") {
  world w;
  auto r = w.request();
  SECTION("send_queue") {
    r.send_queue = 3;
    const auto wire = w.dial(r);
    for (int i = 0; i < 3; ++i)
      CHECK(wire->send("{}"));
    CHECK_FALSE(wire->send("{}"));
    w.clock.run();
    CHECK(wire->send("{}"));
  }
  SECTION("unread_limit") {
    r.unread_limit = 100;
    w.peer.use(always(std::vector<step>(10, chunk(std::string(60, 'x')))));
    const auto wire = w.dial(r);
    wire->send(question("x"));
    w.clock.run();
    const auto first = w.heard_by_us->texts.size();
    CHECK(first < 10);
    wire->consumed(1'000'000);
    w.clock.run();
    CHECK(w.heard_by_us->texts.size() > first);
  }
  SECTION("frame_limit") {
    r.frame_limit = 1000;
    w.peer.use(always({chunk(std::string(2000, 'x')), end()}));
    const auto wire = w.dial(r);
    wire->send(question("x"));
    w.clock.run();
    CHECK(w.heard_by_us->texts.empty());
    REQUIRE(w.heard_by_us->ends.size() == 1);
    CHECK(w.heard_by_us->ends[0].reason == link_closed::how::protocol);
    REQUIRE(w.peer.ends().size() == 1);
    CHECK(w.peer.ends()[0].why.code == 1009);
  }
}

TEST_CASE("message_id is echoed when asked for") {
  world w;
  w.peer.echo_message_id(true);
  const auto wire = w.dial();
  wire->send(question("x"));
  w.clock.run();
  for (const auto& text : w.heard_by_us->texts)
    CHECK(json::parse(text)["message_id"] == "m1");
}

TEST_CASE("the same agent serves behind a WebSocket handler") {
  struct direct final : pb::link {
    std::vector<std::string> sent;
    int code = 0;
    bool send(std::string text) override { return sent.push_back(std::move(text)), true; }
    void consumed(std::size_t) override {}
    void close(int c) override { code = c; }
  };
  world w;
  w.peer.use(always({chunk("a"), break_off()}));
  const auto wire = std::make_shared<direct>();
  server_request request;
  request.path = "/v1/agent_ws/5/";
  request.query = "a=b";
  const auto events = w.peer.handler()(request, wire);
  events->on_open();
  events->on_text(question("x"));
  CHECK(wire->sent.size() == 1);
  CHECK(wire->code == 1011);
  CHECK(w.peer.user_messages()[0].url == "/v1/agent_ws/5/?a=b");
  events->on_closed({});
  CHECK(wire.use_count() == 1);
}

TEST_CASE("when the dialer goes, its links let go of everybody") {
  const auto events = std::make_shared<ear>();
  {
    virtual_timers clock;
    agent peer(clock, echo());
    std::shared_ptr<pb::link> wire;
    {
      fake_dialer net(clock, peer);
      wire = net.dial({}, events);
      clock.run();
      CHECK(events->opened);
      CHECK(events.use_count() == 2);
    }
    CHECK(events.use_count() == 1);
    CHECK_FALSE(wire->send("x"));
  }
  CHECK(events->ends.empty());
}

TEST_CASE("every link breaks at once when the cable is pulled") {
  world w;
  w.dial();
  w.dial();
  w.clock.run();
  w.net.break_all();
  w.clock.run();
  CHECK(w.heard_by_us->ends.size() == 2);
  CHECK(w.net.open() == 0);
  CHECK(w.peer.ends().size() == 2);
}

TEST_CASE("a script waits for the decisions that it wants, in any order, and tells them") {
  world w;
  w.peer.use(
      always({confirm("a", "first?"), confirm("b", "second?", 60), wait(2s), await_confirm("b"),
              tell_decision(), await_confirm(), tell_decision(), end()}));
  const auto wire = w.dial();
  wire->send(question("x"));
  w.clock.advance(1s);
  wire->send(R"({"type":"CONFIRM","confirmation_id":"a","decision":"no"})");
  w.clock.advance(5s);
  CHECK(w.heard_by_us->texts.size() == 2);
  wire->send(R"({"type":"CONFIRM","confirmation_id":"b","decision":"yes"})");
  w.clock.run();
  REQUIRE(w.heard_by_us->texts.size() == 5);
  CHECK(json::parse(w.heard_by_us->texts[1])["expires_in"] == 60);
  CHECK(w.heard_by_us->said().ends_with("b=yes |a=no |AGENT_EVENT_END|"));
  CHECK(w.peer.confirms().size() == 2);
}

TEST_CASE("words choose a script; a CONFIRM that comes first is told; a push goes out of turn") {
  world w;
  w.peer.use(by_word({{"file", {send_file("out/a"), end(1, 2)}}}));
  const auto wire = w.dial();
  wire->send(R"({"type":"CONFIRM","confirmation_id":"q","decision":"yes"})");
  w.clock.run();
  CHECK(w.heard_by_us->said() == "q=yes |AGENT_EVENT_END|");
  wire->send(question("file it"));
  wire->send(question("ignored while one runs"));
  w.clock.run();
  CHECK(json::parse(w.heard_by_us->texts[2])["path"] == "out/a");
  CHECK(json::parse(w.heard_by_us->texts[3])["usage"]["output_tokens"] == 2);
  CHECK(w.peer.say(1, push_frame("e1", "task_done", "later")));
  CHECK_FALSE(w.peer.say(2, push_frame("e1", "task_done", "later")));
  w.clock.run();
  CHECK(json::parse(w.heard_by_us->texts.back())["event_id"] == "e1");
  wire->close(1000);
  w.clock.run();
  CHECK_FALSE(w.peer.say(1, push_frame("e1", "task_done", "later")));
}
