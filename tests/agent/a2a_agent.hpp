#pragma once
// An A2A agent on the other side of a session: cards and frames as they are on the wire.

#include "session_driver.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pb::test::a2a {

using nlohmann::json;

inline json card_1_0(bool streaming = true, std::string url = "http://agent.test/base/rpc") {
  return {
      {"name", "Tester"},
      {"description", "for tests"},
      {"version", "1"},
      {"supportedInterfaces",
       {{{"url", "grpc.agent.test:50051"}, {"protocolBinding", "GRPC"}, {"protocolVersion", "1.0"}},
        {{"url", std::move(url)}, {"protocolBinding", "JSONRPC"}, {"protocolVersion", "1.0"}}}},
      {"capabilities", {{"streaming", streaming}}},
      {"skills", json::array()}};
}

inline json card_0_3(bool streaming = true) {
  return {{"name", "Tester"},
          {"protocolVersion", "0.3.0"},
          {"url", "http://agent.test/base/rpc"},
          {"preferredTransport", "JSONRPC"},
          {"capabilities", {{"streaming", streaming}}}};
}

inline json result(json what) {
  return {{"jsonrpc", "2.0"}, {"id", 1}, {"result", std::move(what)}};
}
inline json fault(int code, std::string message = "no") {
  return {
      {"jsonrpc", "2.0"}, {"id", 1}, {"error", {{"code", code}, {"message", std::move(message)}}}};
}

inline json text(std::string words) { return {{"text", std::move(words)}}; }

inline json words(std::string id, std::string text_of_it) {
  return {{"messageId", std::move(id)},
          {"role", "ROLE_AGENT"},
          {"parts", {text(std::move(text_of_it))}}};
}

inline json status(const std::string& state, json message = nullptr) {
  json out{{"taskId", "t1"}, {"contextId", "c1"}, {"status", {{"state", "TASK_STATE_" + state}}}};
  if (!message.is_null())
    out["status"]["message"] = std::move(message);
  return result({{"statusUpdate", std::move(out)}});
}

/// Lists are vectors: one json in braces is an array for one compiler and a copy for another.
inline json artifact_of(const std::string& id, std::vector<json> parts) {
  return {{"artifactId", id}, {"parts", std::move(parts)}};
}

inline json artifact(const std::string& id, std::vector<json> parts, bool append = false) {
  json out{{"taskId", "t1"}, {"contextId", "c1"}, {"artifact", artifact_of(id, std::move(parts))}};
  if (append)
    out["append"] = true;
  return result({{"artifactUpdate", std::move(out)}});
}

/// A snapshot of the task.
inline json task_of(const std::string& state, std::vector<json> artifacts = {},
                    json message = nullptr) {
  json out{{"id", "t1"},
           {"contextId", "c1"},
           {"status", {{"state", "TASK_STATE_" + state}}},
           {"artifacts", std::move(artifacts)}};
  if (!message.is_null())
    out["status"]["message"] = std::move(message);
  return out;
}
inline json task(const std::string& state, std::vector<json> artifacts = {},
                 json message = nullptr) {
  return result({{"task", task_of(state, std::move(artifacts), std::move(message))}});
}

/// A session whose agent has told its card and was sent the message.
struct talk : session_driver {
  explicit talk(json card = card_1_0(), agent_spec spec = {},
                std::string base = "http://agent.test/base")
      : session_driver(*find_protocol("a2a"), std::move(spec), std::move(base)),
        card_(std::move(card)) {}

  void says(const json& frame) { says_json(frame); }
  void says(const std::string& text_of_it) { session_driver::says(std::string_view(text_of_it)); }
  void says(const char* text_of_it) { session_driver::says(std::string_view(text_of_it)); }
  void says(wire_id wire, const std::string& frame) {
    session_driver::says(wire, std::string_view(frame));
  }

  void renew() {
    session_driver::renew();
    links.clear(); // a new session names them anew
  }

  /// The link for the card opens, and the card comes.
  void tell_card() {
    opened();
    says(card_);
  }
  void ask(const std::string& question = "hello", std::string turn = "turn-1") {
    begin(question, {}, std::move(turn));
    if (links.back().to.http.method == "GET")
      tell_card();
    opened();
  }
  /// A task that works, with the first piece of an answer.
  void start() {
    ask();
    says(task("WORKING"));
    says(artifact("a1", {text("Found 1 flight. ")}));
  }
  /// After our restart.
  void restart(std::string turn = "turn-1") {
    renew();
    forget();
    session_turn t;
    t.what.id = turn_id{std::move(turn)};
    t.what.text = "hello";
    t.again = true;
    begin(std::move(t));
  }
  [[nodiscard]] std::string method() const { return last().value("method", ""); }
  [[nodiscard]] json sent_message() const { return last().at("params").at("message"); }
  [[nodiscard]] bool ended_well() const { return heard<agent_says::end>().size() == 1; }
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto* value = find_header(links.back().to.headers, name);
    return value == nullptr ? "" : *value;
  }

private:
  json card_;
};

} // namespace pb::test::a2a
