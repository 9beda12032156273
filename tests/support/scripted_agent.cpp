#include "tests/support/scripted_agent.hpp"

#include <utility>

namespace pb::scripted {

step send(const json& frame) { return raw(frame.dump()); }
step raw(std::string text) { return {step::what::send, std::move(text), {}, 0}; }
step wait(std::chrono::milliseconds delay) { return {step::what::wait, {}, delay, 0}; }
step hang_up(int code) { return {step::what::close, {}, {}, code}; }
step break_off() { return {step::what::break_off, {}, {}, 0}; }
step await_cancel() { return {step::what::await_cancel, {}, {}, 0}; }
step await_confirm(std::string id) { return {step::what::await_confirm, std::move(id), {}, 0}; }
step tell_decision() { return {step::what::tell_decision, {}, {}, 0}; }

step chunk(std::string_view text) {
  return send({{"type", "AGENT_EVENT_TEXT_CHUNK"}, {"text", std::string(text)}});
}
step tool_call(std::string_view id, std::string_view name, std::string_view args) {
  return send({{"type", "AGENT_EVENT_TOOL_CALL_CHUNK"},
               {"tool_call_id", std::string(id)},
               {"tool_name", std::string(name)},
               {"args_chunk", std::string(args)}});
}
step tool_result(std::string_view id, std::string_view name, const json& result) {
  return send({{"type", "AGENT_EVENT_TOOL_RESULT"},
               {"tool_call_id", std::string(id)},
               {"tool_name", std::string(name)},
               {"result", result}});
}
step confirm(std::string_view id, std::string_view prompt, std::int64_t expires_in) {
  json frame{{"type", "AGENT_EVENT_CONFIRM"},
             {"confirmation_id", std::string(id)},
             {"prompt", std::string(prompt)}};
  if (expires_in > 0)
    frame["expires_in"] = expires_in;
  return send(frame);
}
step send_file(std::string_view path) {
  return send({{"type", "AGENT_EVENT_SEND_FILE"}, {"path", std::string(path)}});
}
json push_frame(std::string_view event_id, std::string_view kind, std::string_view text) {
  return {{"type", "AGENT_EVENT_PUSH"},
          {"event_id", std::string(event_id)},
          {"kind", std::string(kind)},
          {"text", std::string(text)}};
}
step push(std::string_view event_id, std::string_view kind, std::string_view text) {
  return send(push_frame(event_id, kind, text));
}
step end() { return send({{"type", "AGENT_EVENT_END"}}); }
step end(std::int64_t input_tokens, std::int64_t output_tokens) {
  return send({{"type", "AGENT_EVENT_END"},
               {"usage", {{"input_tokens", input_tokens}, {"output_tokens", output_tokens}}}});
}
step error(std::string_view code, std::string_view details) {
  return send({{"type", "ERROR"}, {"code", std::string(code)}, {"details", std::string(details)}});
}

script always(std::vector<step> steps) {
  return [steps = std::move(steps)](const heard&) { return steps; };
}

script echo() {
  return [](const heard& opening) {
    return std::vector<step>{chunk(opening.frame.value("text", std::string())), end()};
  };
}

script by_opening(script message, script confirmation) {
  return [message = std::move(message), confirmation = std::move(confirmation)](const heard& h) {
    return h.type == "CONFIRM" ? confirmation(h) : message(h);
  };
}

script by_word(std::map<std::string, std::vector<step>> words) {
  return by_opening(
      [words = std::move(words)](const heard& h) {
        const auto text = h.frame.value("text", std::string());
        const auto known = words.find(text.substr(0, text.find(' ')));
        return known != words.end() ? known->second : echo()(h);
      },
      always({tell_decision(), end()}));
}

struct agent::shared {
  explicit shared(timers& c) : clock(c) {}
  timers& clock;
  mutable std::mutex guard; ///< of all that follows
  script what;
  bool obeys = true;
  bool echoes = false;
  std::size_t connections = 0;
  std::vector<heard> got;
  std::vector<connection_end> ended;
  std::map<std::size_t, std::weak_ptr<link>> wires;
};

/// One connection, played step by step.
class agent::conversation final : public link_listener,
                                  public std::enable_shared_from_this<conversation> {
public:
  conversation(std::shared_ptr<shared> state, std::size_t number, std::string url,
               std::shared_ptr<link> wire, std::function<void()> cut)
      : state_(std::move(state)), number_(number), url_(std::move(url)), wire_(std::move(wire)),
        cut_(std::move(cut)) {}

  void on_open() override {
    const std::lock_guard lock(state_->guard);
    state_->wires[number_] = wire_;
  }

  void on_text(std::string text) override {
    if (!wire_)
      return;
    wire_->consumed(text.size());
    heard got{number_, url_, {}, json::parse(text, nullptr, false)};
    if (got.frame.is_object() && got.frame.contains("type") && got.frame["type"].is_string())
      got.type = got.frame["type"].get<std::string>();
    script what;
    bool obeys = false;
    {
      const std::lock_guard lock(state_->guard);
      state_->got.push_back(got);
      what = state_->what;
      obeys = state_->obeys;
    }
    if (got.type == "CANCEL")
      return cancel(obeys);
    if (got.type == "CONFIRM" && running()) {
      answers_.push_back(got.frame);
      return awaits(step::what::await_confirm) ? go_on() : void();
    }
    if (running() || (got.type != "USER_MESSAGE" && got.type != "CONFIRM"))
      return;
    message_id_ = got.frame.value("message_id", json());
    answers_.clear();
    decision_ = got.frame;
    play(what(got));
  }

  void on_closed(link_closed why) override {
    ++epoch_;
    steps_.clear();
    next_ = 0;
    wire_.reset();
    cut_ = nullptr;
    const std::lock_guard lock(state_->guard);
    state_->wires.erase(number_);
    state_->ended.push_back({number_, std::move(why)});
  }

private:
  [[nodiscard]] bool running() const { return next_ < steps_.size(); }
  [[nodiscard]] bool awaits(step::what what) const {
    return running() && steps_[next_].act == what;
  }

  void cancel(bool obeys) {
    if (awaits(step::what::await_cancel))
      past_wait();
    else if (running() && obeys)
      play({end()});
  }

  void past_wait() {
    ++next_;
    go_on();
  }

  void play(std::vector<step> steps) {
    steps_ = std::move(steps);
    next_ = 0;
    ++epoch_;
    go_on();
  }

  void go_on() {
    while (wire_ && running()) {
      auto& now = steps_[next_];
      switch (now.act) {
      case step::what::send:
        if (!wire_->send(addressed(now.frame)))
          return later(std::chrono::milliseconds(5)); // the queue is full: again
        break;
      case step::what::wait:
        if (const auto delay = std::exchange(now.delay, std::chrono::milliseconds(0));
            delay.count() > 0)
          return later(delay);
        break;
      case step::what::close:
        steps_.resize(next_ + 1);
        wire_->close(now.code);
        break;
      case step::what::break_off:
        steps_.resize(next_ + 1);
        if (cut_)
          cut_();
        else
          wire_->close(1011);
        break;
      case step::what::await_confirm:
        if (!take_answer(now.frame))
          return;
        break;
      case step::what::tell_decision:
        if (!wire_->send(addressed(chunk(decision_text()).frame)))
          return later(std::chrono::milliseconds(5));
        break;
      case step::what::await_cancel:
        return;
      }
      ++next_;
    }
  }

  bool take_answer(const std::string& id) {
    for (auto i = answers_.begin(); i != answers_.end(); ++i)
      if (id.empty() || i->value("confirmation_id", "") == id) {
        decision_ = *i;
        answers_.erase(i);
        return true;
      }
    return false;
  }
  [[nodiscard]] std::string decision_text() const {
    return decision_.value("confirmation_id", "?") + "=" + decision_.value("decision", "?") + " ";
  }

  std::string addressed(const std::string& frame) const {
    {
      const std::lock_guard lock(state_->guard);
      if (!state_->echoes || !message_id_.is_string())
        return frame;
    }
    auto object = json::parse(frame, nullptr, false);
    if (!object.is_object() || object.contains("message_id"))
      return frame;
    object["message_id"] = message_id_;
    return object.dump();
  }

  void later(std::chrono::milliseconds delay) {
    state_->clock.after(delay, [weak = weak_from_this(), epoch = epoch_] {
      if (const auto self = weak.lock(); self && self->epoch_ == epoch)
        self->go_on();
    });
  }

  std::shared_ptr<shared> state_;
  std::size_t number_;
  std::string url_;
  std::shared_ptr<link> wire_; ///< gone once it is closed: the link holds us
  std::function<void()> cut_;
  std::vector<step> steps_;
  std::size_t next_ = 0;
  json message_id_;
  std::vector<json> answers_; ///< CONFIRMs of this turn that no step has waited for yet
  json decision_;             ///< the last one that was
  std::uint64_t epoch_ = 0;
};

agent::agent(timers& clock, script what) : state_(std::make_shared<shared>(clock)) {
  state_->what = std::move(what);
}
agent::~agent() = default;

void agent::use(script what) {
  const std::lock_guard lock(state_->guard);
  state_->what = std::move(what);
}

void agent::obey_cancel(bool yes) {
  const std::lock_guard lock(state_->guard);
  state_->obeys = yes;
}

bool agent::say(std::size_t connection, const json& frame) {
  std::shared_ptr<link> wire;
  {
    const std::lock_guard lock(state_->guard);
    if (const auto i = state_->wires.find(connection); i != state_->wires.end())
      wire = i->second.lock();
  }
  return wire && wire->send(frame.dump());
}

void agent::echo_message_id(bool yes) {
  const std::lock_guard lock(state_->guard);
  state_->echoes = yes;
}

ws_handler agent::handler() {
  return [state = state_](const server_request& request, std::shared_ptr<link> wire) {
    const std::lock_guard lock(state->guard);
    auto url = request.query.empty() ? request.path : request.path + "?" + request.query;
    return std::make_shared<conversation>(state, ++state->connections, std::move(url),
                                          std::move(wire), std::function<void()>());
  };
}

std::shared_ptr<link_listener> agent::accept(std::string url, std::shared_ptr<link> wire,
                                             std::function<void()> cut) {
  const std::lock_guard lock(state_->guard);
  return std::make_shared<conversation>(state_, ++state_->connections, std::move(url),
                                        std::move(wire), std::move(cut));
}

std::vector<heard> agent::all() const {
  const std::lock_guard lock(state_->guard);
  return state_->got;
}

std::vector<heard> agent::of_type(std::string_view type) const {
  std::vector<heard> out;
  for (auto& got : all())
    if (got.type == type)
      out.push_back(std::move(got));
  return out;
}

std::size_t agent::connections() const {
  const std::lock_guard lock(state_->guard);
  return state_->connections;
}

std::size_t agent::open() const {
  const std::lock_guard lock(state_->guard);
  return state_->connections - state_->ended.size();
}

std::vector<connection_end> agent::ends() const {
  const std::lock_guard lock(state_->guard);
  return state_->ended;
}

} // namespace pb::scripted
