// A server of models, chat completions or Responses: one request, one answer, nothing kept.

#include "tests/support/dialect_parts.hpp"

namespace pb::scripted {
namespace {

class answer final : public link_listener, public std::enable_shared_from_this<answer> {
public:
  answer(timers& clock, agent& behind, bool responses, far_end far)
      : behind_(behind), responses_(responses), url_(far.request.url),
        out_(std::make_shared<outbox>(clock, std::move(far))) {}

  void on_open() override {}
  void on_closed(link_closed why) override {
    out_->forget();
    if (mind_)
      mind_->leave(std::move(why));
  }
  void on_text(std::string text) override {
    const auto alive = shared_from_this();
    const auto body = json::parse(text, nullptr, false);
    if (mind_ || !body.is_object())
      return;
    mind_ = std::make_unique<mind>(
        behind_, url_,
        mind::callbacks{
            [this](const json& frame, const std::string& raw) { return says(frame, raw); },
            [out = out_](int) { out->close(200); }, [out = out_] { out->cut(); }});
    mind_->hear_message(text_of(body.at(responses_ ? "input" : "messages").back().at("content")));
  }

private:
  void chat(json choices, json usage = {}) {
    out_->say(json{{"id", "c"},
                   {"object", "chat.completion.chunk"},
                   {"model", "m"},
                   {"choices", std::move(choices)},
                   {"usage", std::move(usage)}}
                  .dump());
  }
  void delta(json what, json finish = {}) {
    chat({{{"index", 0}, {"delta", std::move(what)}, {"finish_reason", std::move(finish)}}});
  }
  void event(const std::string& type, json what) {
    what["type"] = type;
    what["sequence_number"] = ++sequence_;
    out_->say(what.dump());
  }

  bool says(const json& frame, const std::string& text) {
    if (out_->full())
      return false;
    const auto type = type_of(frame);
    if (!is_frame(frame))
      out_->say(text);
    else if (type == "ERROR")
      fail(frame);
    else if (responses_)
      say_as_responses(type, frame);
    else
      say_as_chat(type, frame);
    return true;
  }

  void say_as_chat(const std::string& type, const json& frame) {
    if (type == "AGENT_EVENT_TEXT_CHUNK")
      return delta({{"content", frame.at("text")}});
    if (type != "AGENT_EVENT_END")
      return; // a model has no such words
    delta(json::object(), "stop");
    if (const auto used = frame.value("usage", json()); used.is_object())
      chat(json::array(), {{"prompt_tokens", used.at("input_tokens")},
                           {"completion_tokens", used.at("output_tokens")}});
    out_->say("[DONE]");
    over();
  }

  void say_as_responses(const std::string& type, const json& frame) {
    if (type == "AGENT_EVENT_TEXT_CHUNK")
      return event("response.output_text.delta",
                   {{"output_index", 0}, {"delta", frame.at("text")}});
    if (type != "AGENT_EVENT_END")
      return;
    json response{{"id", "r"}, {"status", "completed"}};
    if (const auto used = frame.value("usage", json()); used.is_object())
      response["usage"] = used;
    event("response.completed", {{"response", std::move(response)}});
    over();
  }

  void fail(const json& frame) {
    const json error{{"message", frame.value("details", "")}, {"code", frame.at("code")}};
    out_->say(
        (responses_ ? json{{"type", "error"}, {"error", error}} : json{{"error", error}}).dump());
    over();
  }

  /// The stream ends a moment later: a script may have more to say than it should.
  void over() { out_->close_soon(200); }

  agent& behind_;
  bool responses_;
  std::string url_;
  std::shared_ptr<outbox> out_;
  std::unique_ptr<mind> mind_;
  int sequence_ = 0;
};

class openai final : public dialect {
public:
  openai(timers& clock, agent& behind, bool responses)
      : clock_(clock), behind_(behind), responses_(responses) {}
  std::shared_ptr<link_listener> accept(far_end far) override {
    return std::make_shared<answer>(clock_, behind_, responses_, std::move(far));
  }

private:
  timers& clock_;
  agent& behind_;
  bool responses_;
};

} // namespace

std::unique_ptr<dialect> speak_openai_chat(timers& clock, agent& behind) {
  return std::make_unique<openai>(clock, behind, false);
}
std::unique_ptr<dialect> speak_openai_responses(timers& clock, agent& behind) {
  return std::make_unique<openai>(clock, behind, true);
}

} // namespace pb::scripted
