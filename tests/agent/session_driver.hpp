#pragma once
// One session of a protocol on the test's leash: what it wants is collected, what it hears is the
// test's.

#include "bridges/agent/session.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pb::test {

/// Does what the connection does, without a socket: keeps the memory, tells turn_ended() after the
/// end. Links are opened by the test.
class session_driver {
public:
  struct written {
    wire_id wire = 0;
    std::string text;
    bool hands_over = false;
  };

  explicit session_driver(const agent_protocol& protocol, agent_spec spec = {},
                          std::string base_url = "http://agent.test/base",
                          platform_chat_id chat = platform_chat_id{41})
      : protocol_(protocol), spec_(std::move(spec)), base_url_(std::move(base_url)), chat_(chat) {
    renew();
  }

  /// A new session, as after a link that was lost or a restart. The memory stays.
  void renew() {
    session_ = protocol_.make({spec_, chat_, base_url_});
    REQUIRE(session_);
    open_wires.clear();
  }

  void begin(session_turn turn) {
    turn.memory = memory;
    turn.what.chat = chat_;
    running = true;
    take(session_->begin(turn));
  }
  void begin(std::string text, std::vector<std::string> attachments = {},
             std::string turn = "turn-1") {
    session_turn t;
    t.what.id = turn_id{std::move(turn)};
    t.what.text = std::move(text);
    t.what.attachments = std::move(attachments);
    begin(std::move(t));
  }
  /// False: the next write that hands a turn over is on its way until this is called.
  bool hand_over_at_once = true;
  void handed() { session_->handed(); }

  /// The link that was wanted last.
  void opened() { opened(last_wire()); }
  void opened(wire_id wire) { take(session_->opened(wire)); }
  void says(std::string_view text) { take(session_->said(last_wire(), text)); }
  void says(wire_id wire, std::string_view text) { take(session_->said(wire, text)); }
  void says_json(const nlohmann::json& text) { says(std::string_view(text.dump())); }
  void closed(link_closed::how reason = link_closed::how::closed, int code = 1000,
              std::string cause = {}) {
    closed(last_wire(), {reason, code, std::move(cause)});
  }
  void closed(wire_id wire, const link_closed& why) {
    std::erase(open_wires, wire);
    take(session_->closed(wire, why));
  }
  void decide(std::string_view confirmation, bool yes) {
    take(session_->decide(confirmation, yes));
  }
  void cancel() { take(session_->cancel()); }
  void alarm() {
    alarm_after.reset();
    take(session_->alarm());
  }
  /// As the connection does when a clock ends the turn.
  void end_by_force() { finish(); }
  [[nodiscard]] bool keep() const { return session_->keep(); }

  /// Events of a kind, oldest first.
  template <class T>
  std::vector<T> heard() const {
    std::vector<T> out;
    for (const auto& frame : said)
      if (const auto* event = std::get_if<T>(&frame.event))
        out.push_back(*event);
    return out;
  }
  /// All text chunks joined.
  [[nodiscard]] std::string answer() const {
    std::string out;
    for (const auto& chunk : heard<agent_says::text_chunk>())
      out += chunk.text;
    return out;
  }
  /// What was written last, as JSON.
  [[nodiscard]] nlohmann::json last() const {
    REQUIRE_FALSE(writes.empty());
    return nlohmann::json::parse(writes.back().text);
  }
  [[nodiscard]] wire_id last_wire() const {
    REQUIRE_FALSE(links.empty());
    return links.back().wire;
  }
  void forget() {
    writes.clear();
    said.clear();
    files.clear();
    strays = 0;
  }

  std::vector<agent_wants::open> links;
  std::vector<wire_id> open_wires, closes;
  std::vector<written> writes;
  std::vector<agent_frame> said;
  std::vector<agent_wants::put_file> files;
  std::vector<std::string> order; ///< kinds of steps as they came
  std::size_t strays = 0;
  std::string memory;
  std::optional<std::chrono::milliseconds> alarm_after;
  std::optional<agent_wants::give_up> gave_up;
  bool running = false;

private:
  void take(agent_steps steps) {
    bool over = false;
    for (auto& step : steps)
      std::visit([&](auto& s) { over = on(s) || over; }, step);
    if (over)
      finish();
  }
  void finish() {
    if (!running)
      return;
    running = false;
    take(session_->turn_ended());
  }

  bool on(agent_wants::open& s) {
    order.emplace_back("open");
    for (const auto& link : links)
      REQUIRE(link.wire != s.wire);
    open_wires.push_back(s.wire);
    links.push_back(std::move(s));
    return false;
  }
  bool on(agent_wants::write& s) {
    order.emplace_back("write");
    writes.push_back({s.wire, std::move(s.text), s.hands_over});
    if (s.hands_over && std::exchange(hand_over_at_once, true))
      session_->handed();
    return false;
  }
  bool on(agent_wants::close& s) {
    order.emplace_back("close");
    closes.push_back(s.wire);
    std::erase(open_wires, s.wire);
    return false;
  }
  bool on(agent_wants::say& s) {
    order.emplace_back("say");
    said.push_back(std::move(s.frame));
    const auto& event = said.back().event;
    return std::holds_alternative<agent_says::end>(event) ||
           std::holds_alternative<agent_says::error>(event);
  }
  bool on(agent_wants::stray&) {
    order.emplace_back("stray");
    ++strays;
    return false;
  }
  bool on(agent_wants::put_file& s) {
    order.emplace_back("put_file");
    files.push_back(std::move(s));
    return false;
  }
  bool on(agent_wants::remember& s) {
    order.emplace_back("remember");
    memory = std::move(s.memory);
    return false;
  }
  bool on(agent_wants::wait& s) {
    order.emplace_back("wait");
    alarm_after = s.time.count() == 0 ? std::nullopt : std::optional(s.time);
    return false;
  }
  bool on(agent_wants::give_up& s) {
    order.emplace_back("give_up");
    gave_up = std::move(s);
    return true;
  }

  agent_protocol protocol_;
  agent_spec spec_;
  std::string base_url_;
  platform_chat_id chat_;
  std::unique_ptr<agent_session> session_;
};

} // namespace pb::test
