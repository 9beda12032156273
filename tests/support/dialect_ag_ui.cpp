// An AG-UI agent: every request is a run, and a run that ends with an interrupt goes on in another
// one.

#include "tests/support/dialect_parts.hpp"

#include <map>

namespace pb::scripted {
namespace {

/// One turn of the scripted agent, over as many runs as it asks questions.
class thread_of_runs : public std::enable_shared_from_this<thread_of_runs> {
public:
  thread_of_runs(timers& clock, std::string name) : clock_(clock), name_(std::move(name)) {}

  void begin(agent& behind, const std::string& url) {
    mind_ = std::make_unique<mind>(
        behind, url,
        mind::callbacks{
            [this](const json& frame, const std::string& text) { return says(frame, text); },
            [this](int) { die([](outbox& o) { o.close(200); }); },
            [this] { die([](outbox& o) { o.cut(); }); }});
  }
  void run(std::shared_ptr<outbox> out, std::string id) {
    out_ = std::move(out);
    run_ = std::move(id);
    speaks_ = false;
    interrupts_ = json::array();
    event("RUN_STARTED", {{"threadId", name_}, {"runId", run_}});
  }
  [[nodiscard]] bool waits() const { return mind_ && !interrupts_.empty(); }
  [[nodiscard]] bool runs_on(const std::shared_ptr<outbox>& out) const { return out_ == out; }
  mind* thinks() { return mind_.get(); }
  /// Its link is gone: what is not interrupted ends.
  void abandon(link_closed why) {
    out_ = nullptr;
    if (mind_ && interrupts_.empty())
      mind_->leave(std::move(why));
  }

private:
  void event(const std::string& type, json what = json::object()) {
    what["type"] = type;
    if (out_)
      out_->say(what.dump());
  }
  void end_message() {
    if (std::exchange(speaks_, false))
      event("TEXT_MESSAGE_END", {{"messageId", run_ + "m"}});
  }

  bool says(const json& frame, const std::string& text) {
    if (!out_)
      return true;
    if (out_->full())
      return false;
    const auto type = type_of(frame);
    if (!is_frame(frame)) {
      out_->say(text);
    } else if (type == "AGENT_EVENT_TEXT_CHUNK") {
      if (!std::exchange(speaks_, true))
        event("TEXT_MESSAGE_START", {{"messageId", run_ + "m"}, {"role", "assistant"}});
      event("TEXT_MESSAGE_CONTENT", {{"messageId", run_ + "m"}, {"delta", frame.at("text")}});
    } else if (type == "AGENT_EVENT_TOOL_CALL_CHUNK") {
      end_message();
      const auto id = field(frame, "tool_call_id");
      event("TOOL_CALL_START", {{"toolCallId", id}, {"toolCallName", field(frame, "tool_name")}});
      event("TOOL_CALL_ARGS", {{"toolCallId", id}, {"delta", field(frame, "args_chunk")}});
      event("TOOL_CALL_END", {{"toolCallId", id}});
    } else if (type == "AGENT_EVENT_TOOL_RESULT") {
      event("TOOL_CALL_RESULT", {{"messageId", run_ + "r"},
                                 {"toolCallId", field(frame, "tool_call_id")},
                                 {"content", field(frame, "result")}});
    } else if (type == "AGENT_EVENT_CONFIRM") {
      ask(frame);
    } else if (type == "AGENT_EVENT_END") {
      end_message();
      json last{{"threadId", name_}, {"runId", run_}, {"outcome", {{"type", "success"}}}};
      if (const auto used = frame.value("usage", json()); used.is_object())
        last["usage"] = {
            {{"inputTokens", used.at("input_tokens")}, {"outputTokens", used.at("output_tokens")}}};
      event("RUN_FINISHED", std::move(last));
      out_->close_soon(200);
    } else if (type == "ERROR") {
      event("RUN_ERROR", {{"code", frame.at("code")}, {"message", frame.value("details", "")}});
      out_->close_soon(200);
    } else {
      event("CUSTOM", {{"name", "update"}, {"value", 1}});
    }
    return true;
  }

  /// Questions of one moment interrupt the run together.
  void ask(const json& frame) {
    interrupts_.push_back(
        {{"id", frame.at("confirmation_id")},
         {"reason", "confirmation"},
         {"message", frame.at("prompt")},
         {"responseSchema",
          {{"type", "object"}, {"properties", {{"approved", {{"type", "boolean"}}}}}}}});
    if (interrupts_.size() > 1)
      return;
    clock_.after(std::chrono::milliseconds(0), [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || !self->out_)
        return;
      self->end_message();
      self->event("RUN_FINISHED",
                  {{"threadId", self->name_},
                   {"runId", self->run_},
                   {"outcome", {{"type", "interrupt"}, {"interrupts", self->interrupts_}}}});
      self->out_->close_soon(200);
    });
  }

  template <class Ending>
  void die(Ending ending) {
    if (out_)
      ending(*out_);
    interrupts_ = json::array();
    clock_.after(std::chrono::milliseconds(0),
                 [self = shared_from_this()] { self->mind_.reset(); });
  }

  timers& clock_;
  std::string name_, run_;
  std::shared_ptr<outbox> out_; ///< null: nobody listens
  std::unique_ptr<mind> mind_;
  bool speaks_ = false; ///< a message has begun
  json interrupts_ = json::array();
};

class ag_ui final : public dialect {
public:
  ag_ui(timers& clock, agent& behind) : clock_(clock), behind_(behind) {}
  std::shared_ptr<link_listener> accept(far_end far) override {
    return std::make_shared<exchange>(*this, std::move(far));
  }
  void forget() override {
    threads_.clear();
    newest_.clear();
  }

private:
  class exchange final : public link_listener {
  public:
    exchange(ag_ui& server, far_end far)
        : server_(server), url_(far.request.url),
          out_(std::make_shared<outbox>(server.clock_, std::move(far))) {}
    void on_open() override {}
    void on_closed(link_closed why) override {
      out_->forget();
      server_.ended(out_, why);
    }
    void on_text(std::string text) override {
      const auto body = json::parse(text, nullptr, false);
      if (body.is_object())
        server_.serve(body, url_, out_);
    }

  private:
    ag_ui& server_;
    std::string url_;
    std::shared_ptr<outbox> out_;
  };

  void serve(const json& input, const std::string& url, const std::shared_ptr<outbox>& out) {
    const auto name = input.at("threadId").get<std::string>();
    const auto decided = input.value("resume", json::array());
    bool goes_on = false;
    for (const auto& one : decided)
      goes_on = goes_on || one.value("status", "") == "resolved";
    // A decision that comes along with another message: the message is what counts.
    auto message = json::object();
    for (const auto& one : input.at("messages"))
      if (one.value("role", "") == "user")
        message = one;
    auto& newest = newest_[name];
    goes_on = goes_on && (newest.empty() || newest == message.value("id", ""));
    newest = message.value("id", "");
    auto& mine = threads_[name];
    if (!goes_on || !mine || !mine->waits()) {
      mine = std::make_shared<thread_of_runs>(clock_, name);
      mine->begin(behind_, url);
    }
    const auto now = mine;
    now->run(out, input.at("runId"));
    if (goes_on) {
      for (const auto& one : decided)
        if (now->thinks())
          now->thinks()->hear_decision(one.at("interruptId"),
                                       one.at("payload").value("approved", false));
      return;
    }
    now->thinks()->hear_message(text_of(message.at("content")), input.at("runId"));
  }
  void ended(const std::shared_ptr<outbox>& out, const link_closed& why) {
    for (const auto& [name, one] : threads_)
      if (one->runs_on(out))
        return one->abandon(why);
  }

  timers& clock_;
  agent& behind_;
  std::map<std::string, std::shared_ptr<thread_of_runs>> threads_;
  std::map<std::string, std::string> newest_; ///< by thread: the last message of a person
};

} // namespace

std::unique_ptr<dialect> speak_ag_ui(timers& clock, agent& behind) {
  return std::make_unique<ag_ui>(clock, behind);
}

} // namespace pb::scripted
