#pragma once
// What an agent that speaks ACP would say, in the tests of its sessions.

#include "bridges/agent/acp/session.hpp"

#include "session_driver.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace pb::test {

using nlohmann::json;
namespace says = pb::agent_says;

inline agent_spec acp_spec() {
  agent_spec spec;
  spec.id = agent_id{"coder"};
  spec.protocol = "acp";
  spec.path.clear();
  spec.workspace = "/srv/agents/1";
  return spec;
}

inline agent_spec acp_child_spec() {
  auto spec = acp_spec();
  spec.process.command = {"coder", "--acp"};
  spec.process.env = {{"MODE", "fast"}};
  spec.process.secret_env = {{"KEY", secret{"hidden"}}};
  return spec;
}

/// A session, and the agent at its other end.
struct acp_agent : session_driver {
  explicit acp_agent(agent_spec spec = acp_spec())
      : session_driver(acp_protocol(), std::move(spec)) {}

  void result(json it) { answer_to(last_request(), std::move(it)); }
  void answer_to(const json& id, json result) {
    says_json({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
  }
  void refuse(int code, const std::string& why = "no") {
    says_json({{"jsonrpc", "2.0"},
               {"id", last_request()},
               {"error", {{"code", code}, {"message", why}}}});
  }
  void tells(const std::string& method, json params) {
    says_json({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
  }
  void asks(const json& id, const std::string& method, json params) {
    says_json({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
  }
  void updates(json update, const std::string& session = "s-1") {
    tells("session/update", {{"sessionId", session}, {"update", std::move(update)}});
  }
  void chunk(const std::string& text) {
    updates({{"sessionUpdate", "agent_message_chunk"},
             {"content", {{"type", "text"}, {"text", text}}}});
  }
  void content(json block) {
    updates({{"sessionUpdate", "agent_message_chunk"}, {"content", std::move(block)}});
  }
  void asks_permission(const json& id, json call, json options = usual_options()) {
    asks(id, "session/request_permission",
         {{"sessionId", "s-1"}, {"toolCall", std::move(call)}, {"options", std::move(options)}});
  }
  static json usual_options() {
    return {{{"optionId", "always"}, {"name", "Always"}, {"kind", "allow_always"}},
            {{"optionId", "y"}, {"name", "Allow"}, {"kind", "allow_once"}},
            {{"optionId", "never"}, {"name", "Never"}, {"kind", "reject_always"}},
            {{"optionId", "n"}, {"name", "Reject"}, {"kind", "reject_once"}}};
  }

  void initialized(json capabilities = json::object()) {
    result({{"protocolVersion", 1}, {"agentCapabilities", std::move(capabilities)}});
  }
  /// Up to the prompt, which is on its way.
  void prompted(const std::string& text = "hello", std::vector<std::string> attachments = {}) {
    begin(text, std::move(attachments));
    opened();
    initialized();
    result({{"sessionId", "s-1"}});
    REQUIRE(last()["method"] == "session/prompt");
    forget();
  }
  void ends(const std::string& reason = "end_turn") { result({{"stopReason", reason}}); }

  /// The id of our last request.
  json last_request() {
    for (; read_ < writes_seen(); ++read_)
      if (const auto frame = json::parse(writes[read_ - forgotten_].text);
          frame.contains("method") && frame.contains("id"))
        request_ = frame["id"];
    return request_;
  }
  void forget() {
    (void)last_request();
    forgotten_ += writes.size();
    session_driver::forget();
  }

private:
  [[nodiscard]] std::size_t writes_seen() const { return forgotten_ + writes.size(); }
  std::size_t read_ = 0, forgotten_ = 0;
  json request_;
};

} // namespace pb::test
