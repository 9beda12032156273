#pragma once
// Somebody who talks to the demonstration agent, in virtual time.

#include "bridges/agent/demo/demo_agent.hpp"
#include "tests/support/virtual_timers.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pb::test {

using namespace std::chrono_literals;
using nlohmann::json;

struct fake_link final : pb::link {
  std::vector<json> sent;
  std::size_t worked_off = 0;
  std::size_t room = 100'000; ///< how many frames it still takes
  int closed_with = 0;
  bool send(std::string text) override {
    if (room == 0)
      return false;
    --room;
    sent.push_back(json::parse(text));
    return true;
  }
  void consumed(std::size_t bytes) override { worked_off += bytes; }
  void close(int code) override { closed_with = code; }
};

/// One connection to the demonstration agent.
struct caller {
  std::shared_ptr<fake_link> wire = std::make_shared<fake_link>();
  std::shared_ptr<link_listener> agent;
  void say(const std::string& text, const std::string& id = "m") const {
    tell({{"type", "USER_MESSAGE"},
          {"text", text},
          {"attachments", json::array()},
          {"message_id", id},
          {"chat_id", 1}});
  }
  void tell(const json& frame) const { agent->on_text(frame.dump()); }
  [[nodiscard]] std::string answer() const {
    std::string text;
    for (const auto& frame : wire->sent)
      if (frame["type"] == "AGENT_EVENT_TEXT_CHUNK")
        text += frame["text"].get<std::string>();
    return text;
  }
  [[nodiscard]] std::size_t count(const std::string& type) const {
    std::size_t n = 0;
    for (const auto& frame : wire->sent)
      n += frame["type"] == type ? 1 : 0;
    return n;
  }
  [[nodiscard]] std::string last() const {
    return wire->sent.empty() ? "" : wire->sent.back()["type"].get<std::string>();
  }
};

struct world {
  virtual_timers clock;
  ws_handler handler;
  explicit world(demo_options options = {}) {
    handler = make_demo_agent(
        clock, [this] { return 1'700'000'000'000 + clock.now().count(); }, options);
  }
  std::shared_ptr<link_listener> open(const std::string& path,
                                      std::shared_ptr<pb::link> wire) const {
    server_request request;
    request.method = "GET";
    request.path = path;
    return handler(request, std::move(wire));
  }
  caller connect(std::int64_t chat = 1) const {
    caller c;
    c.agent = open("/v1/agent_ws/" + std::to_string(chat) + "/", c.wire);
    REQUIRE(c.agent);
    c.agent->on_open();
    return c;
  }
  /// A whole turn on a connection of its own, as the router makes it.
  caller ask(const std::string& text, std::int64_t chat = 1) {
    auto c = connect(chat);
    c.say(text);
    clock.run();
    c.agent->on_closed({});
    return c;
  }
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace pb::test
