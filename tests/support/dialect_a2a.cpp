// An A2A server, 1.0 or 0.3: tasks live here, whatever links do.

#include "tests/support/dialect_parts.hpp"

#include <algorithm>
#include <map>

namespace pb::scripted {
namespace {

struct manner {
  bool newer = true; ///< 1.0, else 0.3
  bool streams = true;
};

std::string state_name(const manner& how, const std::string& plain) {
  if (!how.newer)
    return plain;
  std::string out = "TASK_STATE_";
  for (const char c : plain)
    out += c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
  return out;
}

json part(const manner& how, const std::string& text) {
  return how.newer ? json{{"text", text}} : json{{"kind", "text"}, {"text", text}};
}

/// Who wants to hear of a task: a stream, or somebody who waits for the end or a question.
struct hearer {
  std::shared_ptr<outbox> out;
  json rpc_id;
  bool streams = true;
};

class task : public std::enable_shared_from_this<task> {
public:
  task(const manner& how, timers& clock, std::string id, std::string context)
      : how_(how), clock_(clock), id_(std::move(id)), context_(std::move(context)) {}

  void begin(agent& behind, const std::string& url, const json& message) {
    mind_ = std::make_unique<mind>(
        behind, url,
        mind::callbacks{
            [this](const json& frame, const std::string& text) { return says(frame, text); },
            [this](int) { die([](outbox& o) { o.close(200); }); },
            [this] { die([](outbox& o) { o.cut(); }); }});
    mind_->hear_message(message.at("parts").at(0).at("text"), message.at("messageId"));
  }
  void add(hearer who) {
    if (who.streams)
      tell(who, how_.newer ? json{{"task", snapshot()}} : snapshot());
    hearers_.push_back(std::move(who));
    if (is_settled())
      settle();
  }
  /// A message about this task: the answer to its question, if it has one.
  void decide_for(hearer who, bool yes) {
    const auto alive = shared_from_this();
    if (!asks())
      return add(std::move(who));
    const auto question = asked_.front().first;
    asked_.pop_front();
    state_ = "working";
    words_.clear();
    add(std::move(who));
    mind_->hear_decision(question, yes);
    if (!asked_.empty())
      ask();
  }
  void cancel(hearer who) {
    cancelling_.push_back(std::move(who));
    if (is_over())
      return settle();
    if (mind_)
      mind_->hear_cancel();
  }

  [[nodiscard]] json snapshot() const {
    json out{{"id", id_}, {"contextId", context_}, {"status", status()}};
    if (!text_.empty())
      out["artifacts"] = {{{"artifactId", "a"}, {"parts", {part(how_, text_)}}}};
    if (!how_.newer)
      out["kind"] = "task";
    return out;
  }
  [[nodiscard]] bool asks() const { return state_ == "input-required"; }
  [[nodiscard]] bool is_over() const {
    return state_ == "completed" || state_ == "failed" || state_ == "canceled";
  }
  [[nodiscard]] bool lives() const { return lives_; }
  [[nodiscard]] const std::string& context() const { return context_; }

private:
  [[nodiscard]] bool is_settled() const { return is_over() || asks(); }
  [[nodiscard]] json status() const {
    json out{{"state", state_name(how_, state_)}};
    if (!words_.empty()) {
      out["message"] = {{"messageId", asks() ? asked_.front().first : "w"},
                        {"role", how_.newer ? "ROLE_AGENT" : "agent"},
                        {"parts", {part(how_, words_)}}};
      if (!how_.newer)
        out["message"]["kind"] = "message";
    }
    return out;
  }

  void tell(const hearer& who, json result) {
    who.out->say(rpc_result(who.rpc_id, std::move(result)).dump());
  }
  void tell_streams(const char* name, const char* kind, json what) {
    what["taskId"] = id_;
    what["contextId"] = context_;
    if (!how_.newer)
      what["kind"] = kind;
    for (const auto& who : hearers_)
      if (who.streams)
        tell(who, how_.newer ? json{{name, what}} : what);
  }
  void move_to(const std::string& state, const std::string& words = {}) {
    state_ = state;
    words_ = words;
    json what{{"status", status()}};
    if (!how_.newer)
      what["final"] = is_settled();
    tell_streams("statusUpdate", "status-update", std::move(what));
    if (is_settled())
      settle();
  }
  void ask() { move_to("input-required", asked_.front().second); }

  /// Streams end, and who waited gets the whole.
  void settle() {
    for (const auto& who : std::exchange(hearers_, {})) {
      if (!who.streams)
        tell(who, how_.newer ? json{{"task", snapshot()}} : snapshot());
      who.out->close_soon(200);
      late_.push_back(who);
    }
    if (!is_over())
      return;
    for (const auto& who : std::exchange(cancelling_, {})) {
      tell(who, snapshot());
      who.out->close_soon(200);
    }
  }

  bool says(const json& frame, const std::string& text) {
    if (std::any_of(hearers_.begin(), hearers_.end(), [](auto& h) { return h.out->full(); }))
      return false;
    const auto type = type_of(frame);
    if (is_over() || !is_frame(frame)) {
      say_as_it_is(is_frame(frame) ? more_after_the_end(frame) : text);
    } else if (type == "AGENT_EVENT_TEXT_CHUNK") {
      const bool first = text_.empty();
      const auto piece = frame.at("text").get<std::string>();
      text_ += piece;
      json artifact{{"artifactId", "a"}, {"parts", {part(how_, piece)}}};
      tell_streams("artifactUpdate", "artifact-update",
                   {{"artifact", std::move(artifact)}, {"append", !first}, {"lastChunk", false}});
    } else if (type == "AGENT_EVENT_CONFIRM") {
      asked_.emplace_back(frame.at("confirmation_id"), frame.at("prompt"));
      if (!asks())
        ask();
    } else if (type == "AGENT_EVENT_END") {
      move_to(cancelling_.empty() ? "completed" : "canceled");
    } else if (type == "ERROR") {
      move_to("failed", frame.at("code").get<std::string>() + " " + frame.value("details", ""));
    } else if (type == "AGENT_EVENT_CUSTOM_UPDATE" || type == "STATUS") {
      move_to("working", "at it");
    }
    return true;
  }
  void say_as_it_is(const std::string& text) {
    for (const auto& who : is_over() ? late_ : hearers_)
      who.out->say(text);
  }
  std::string more_after_the_end(const json& frame) {
    json what{{"taskId", id_}, {"contextId", context_}};
    if (type_of(frame) == "AGENT_EVENT_TEXT_CHUNK")
      what["artifact"] = {{"artifactId", "late"}, {"parts", {part(how_, frame.at("text"))}}};
    else
      what["status"] = status();
    const bool text = what.contains("artifact");
    if (!how_.newer)
      what["kind"] = text ? "artifact-update" : "status-update";
    const auto id = late_.empty() ? json(1) : late_.front().rpc_id;
    return rpc_result(id,
                      how_.newer ? json{{text ? "artifactUpdate" : "statusUpdate", what}} : what)
        .dump();
  }

  /// The server forgets the task in the middle of it.
  template <class Ending>
  void die(Ending ending) {
    lives_ = false;
    for (const auto& who : std::exchange(hearers_, {}))
      ending(*who.out);
    clock_.after(std::chrono::milliseconds(0),
                 [self = shared_from_this()] { self->mind_.reset(); });
  }

  const manner& how_;
  timers& clock_;
  std::string id_, context_;
  std::string state_ = "submitted", words_, text_;
  std::deque<std::pair<std::string, std::string>> asked_; ///< id and prompt; the first is open
  std::vector<hearer> hearers_, cancelling_, late_;
  std::unique_ptr<mind> mind_;
  bool lives_ = true;
};

class a2a final : public dialect {
public:
  a2a(timers& clock, agent& behind, manner how) : clock_(clock), behind_(behind), how_(how) {}
  std::shared_ptr<link_listener> accept(far_end far) override {
    return std::make_shared<exchange>(*this, std::move(far));
  }
  void forget() override { tasks_.clear(); }

private:
  class exchange final : public link_listener {
  public:
    exchange(a2a& server, far_end far)
        : server_(server), request_(far.request),
          out_(std::make_shared<outbox>(server.clock_, std::move(far))) {}
    void on_open() override {}
    void on_closed(link_closed) override { out_->forget(); }
    void on_text(std::string text) override {
      if (request_.http.method == "GET")
        return server_.tell_card(request_, *out_);
      const auto body = json::parse(text, nullptr, false);
      if (body.is_object())
        server_.serve(body, request_.url, out_);
    }

  private:
    a2a& server_;
    link_request request_;
    std::shared_ptr<outbox> out_;
  };

  void tell_card(const link_request& asked, outbox& out) {
    const auto base = asked.url.substr(0, asked.url.find("/.well-known"));
    json card{{"name", "scripted"}, {"capabilities", {{"streaming", how_.streams}}}};
    if (how_.newer) {
      card["supportedInterfaces"] = {
          {{"url", base + "/rpc"}, {"protocolBinding", "JSONRPC"}, {"protocolVersion", "1.0"}}};
    } else {
      card["url"] = base + "/rpc";
      card["protocolVersion"] = "0.3.0";
      card["preferredTransport"] = "JSONRPC";
    }
    out.say(card.dump());
    out.close(200);
  }

  void serve(const json& body, const std::string& url, const std::shared_ptr<outbox>& out) {
    const auto id = body.value("id", json());
    const auto method = body.value("method", std::string());
    const auto params = body.value("params", json::object());
    const bool streams = method == "SendStreamingMessage" || method == "message/stream";
    if (streams || method == "SendMessage" || method == "message/send")
      return send(params.at("message"), {out, id, streams}, url);
    const auto known = tasks_.find(params.value("id", std::string()));
    if (known == tasks_.end() || !known->second->lives())
      return refuse(id, -32001, "no such task", *out);
    auto& task = *known->second;
    if (method == "CancelTask" || method == "tasks/cancel")
      return task.cancel({out, id, false});
    if (method == "SubscribeToTask" || method == "tasks/resubscribe") {
      if (!how_.streams || task.is_over())
        return refuse(id, -32004, "nothing to subscribe to", *out);
      return task.add({out, id, true});
    }
    out->say(rpc_result(id, task.snapshot()).dump());
    out->close(200);
  }

  void send(const json& message, hearer who, const std::string& url) {
    if (const auto of = message.value("taskId", std::string()); !of.empty()) {
      const auto known = tasks_.find(of);
      if (known == tasks_.end() || !known->second->lives())
        return refuse(who.rpc_id, -32001, "no such task", *who.out);
      if (known->second->is_over())
        return refuse(who.rpc_id, -32004, "the task is over", *who.out);
      const auto yes = message.at("parts").at(0).value("text", "") == "yes";
      return known->second->decide_for(std::move(who), yes);
    }
    const auto id = "t" + std::to_string(++last_);
    const auto made = std::make_shared<task>(
        how_, clock_, id, message.value("contextId", "c" + std::to_string(last_)));
    tasks_[id] = made;
    made->add(std::move(who));
    made->begin(behind_, url, message);
  }

  static void refuse(const json& id, int code, const std::string& why, outbox& out) {
    out.say(rpc_error(id, code, why).dump());
    out.close(200);
  }

  timers& clock_;
  agent& behind_;
  manner how_;
  std::map<std::string, std::shared_ptr<task>> tasks_;
  std::size_t last_ = 0;
};

} // namespace

std::unique_ptr<dialect> speak_a2a(timers& clock, agent& behind) {
  return std::make_unique<a2a>(clock, behind, manner{true, true});
}
std::unique_ptr<dialect> speak_a2a_0_3(timers& clock, agent& behind) {
  return std::make_unique<a2a>(clock, behind, manner{false, true});
}
std::unique_ptr<dialect> speak_a2a_without_streams(timers& clock, agent& behind) {
  return std::make_unique<a2a>(clock, behind, manner{true, false});
}

} // namespace pb::scripted
