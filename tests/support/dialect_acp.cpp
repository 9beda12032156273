// An ACP agent, version 1: one connection, one session, prompts one after the other.

#include "tests/support/dialect_parts.hpp"

namespace pb::scripted {
namespace {

class acp_talk final : public link_listener, public std::enable_shared_from_this<acp_talk> {
public:
  acp_talk(timers& clock, agent& behind, std::size_t& sessions, far_end far)
      : behind_(behind), sessions_(sessions), url_(far.request.url),
        out_(std::make_shared<outbox>(clock, std::move(far))) {}

  void on_open() override {
    mind_ = std::make_unique<mind>(
        behind_, url_,
        mind::callbacks{
            [this](const json& frame, const std::string& text) { return says(frame, text); },
            [out = out_](int code) { out->close(code); }, [out = out_] { out->cut(); }});
  }
  void on_closed(link_closed why) override {
    out_->forget();
    if (mind_)
      mind_->leave(std::move(why));
  }

  void on_text(std::string text) override {
    const auto alive = shared_from_this();
    const auto m = json::parse(text, nullptr, false);
    if (!m.is_object() || !mind_)
      return;
    const auto method = m.value("method", std::string());
    const auto params = m.value("params", json::object());
    if (method == "initialize")
      return answer(m.at("id"), {{"protocolVersion", 1},
                                 {"agentCapabilities",
                                  {{"loadSession", true},
                                   {"sessionCapabilities", {{"resume", json::object()}}}}},
                                 {"authMethods", json::array()}});
    if (method == "session/new") {
      session_ = "s-" + std::to_string(++sessions_);
      return answer(m.at("id"), {{"sessionId", session_}});
    }
    if (method == "session/resume" || method == "session/load") {
      session_ = params.at("sessionId");
      return answer(m.at("id"), json::object());
    }
    if (method == "session/prompt") {
      prompt_ = m.at("id");
      cancelled_ = false;
      std::string words;
      for (const auto& block : params.at("prompt"))
        words += block.value("text", "");
      return mind_->hear_message(words);
    }
    if (method == "session/cancel") {
      cancelled_ = true;
      return mind_->hear_cancel();
    }
    if (m.contains("result") && m.value("id", json()).is_string()) {
      const auto outcome = m["result"].value("outcome", json::object());
      if (outcome.value("outcome", "") == "selected")
        mind_->hear_decision(m["id"], outcome.value("optionId", "") == "y");
    }
  }

private:
  void answer(const json& id, json result) { out_->say(rpc_result(id, std::move(result)).dump()); }

  void update(json what) {
    out_->say(json{{"jsonrpc", "2.0"},
                   {"method", "session/update"},
                   {"params", {{"sessionId", session_}, {"update", std::move(what)}}}}
                  .dump());
  }
  void message(json content) {
    update({{"sessionUpdate", "agent_message_chunk"}, {"content", std::move(content)}});
  }

  bool says(const json& frame, const std::string& text) {
    if (out_->full())
      return false;
    const auto type = type_of(frame);
    if (!is_frame(frame)) {
      out_->say(text);
    } else if (type == "AGENT_EVENT_TEXT_CHUNK") {
      message({{"type", "text"}, {"text", frame.at("text")}});
    } else if (type == "AGENT_EVENT_TOOL_CALL_CHUNK") {
      update({{"sessionUpdate", "tool_call"},
              {"toolCallId", field(frame, "tool_call_id")},
              {"title", field(frame, "tool_name")},
              {"status", "in_progress"},
              {"rawInput", field(frame, "args_chunk")}});
    } else if (type == "AGENT_EVENT_TOOL_RESULT") {
      update({{"sessionUpdate", "tool_call_update"},
              {"toolCallId", field(frame, "tool_call_id")},
              {"status", "completed"},
              {"rawOutput", frame.value("result", json())}});
    } else if (type == "AGENT_EVENT_SEND_FILE") {
      const auto path = frame.at("path").get<std::string>();
      message({{"type", "resource_link"}, {"uri", "file:///workspace/" + path}, {"name", path}});
    } else if (type == "AGENT_EVENT_CONFIRM") {
      const auto id = frame.at("confirmation_id").get<std::string>();
      out_->say(json{{"jsonrpc", "2.0"},
                     {"id", id},
                     {"method", "session/request_permission"},
                     {"params",
                      {{"sessionId", session_},
                       {"toolCall", {{"toolCallId", "ask-" + id}, {"title", frame.at("prompt")}}},
                       {"options",
                        {{{"optionId", "y"}, {"name", "Allow"}, {"kind", "allow_once"}},
                         {{"optionId", "n"}, {"name", "Reject"}, {"kind", "reject_once"}}}}}}}
                    .dump());
    } else if (type == "AGENT_EVENT_END") {
      json result{{"stopReason", cancelled_ ? "cancelled" : "end_turn"}};
      if (const auto used = frame.value("usage", json()); used.is_object())
        result["usage"] = {{"inputTokens", used.at("input_tokens")},
                           {"outputTokens", used.at("output_tokens")}};
      answer(prompt_, std::move(result));
    } else if (type == "ERROR") {
      out_->say(rpc_error(prompt_, -32603,
                          frame.at("code").get<std::string>() + frame.value("details", ""))
                    .dump());
    } else {
      update({{"sessionUpdate", "plan"}, {"entries", json::array()}});
    }
    return true;
  }

  agent& behind_;
  std::size_t& sessions_;
  std::string url_;
  std::shared_ptr<outbox> out_;
  std::unique_ptr<mind> mind_;
  std::string session_;
  json prompt_;
  bool cancelled_ = false;
};

class acp final : public dialect {
public:
  acp(timers& clock, agent& behind) : clock_(clock), behind_(behind) {}
  std::shared_ptr<link_listener> accept(far_end far) override {
    return std::make_shared<acp_talk>(clock_, behind_, sessions_, std::move(far));
  }

private:
  timers& clock_;
  agent& behind_;
  std::size_t sessions_ = 0;
};

} // namespace

std::unique_ptr<dialect> speak_acp(timers& clock, agent& behind) {
  return std::make_unique<acp>(clock, behind);
}

} // namespace pb::scripted
