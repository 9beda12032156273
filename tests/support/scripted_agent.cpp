#include "tests/support/scripted_agent.hpp"

#include <utility>

namespace pb::scripted {

step send(const json& frame) { return raw(frame.dump()); }
step raw(std::string text) { return {step::what::send, std::move(text), {}, 0}; }
step wait(std::chrono::milliseconds delay) { return {step::what::wait, {}, delay, 0}; }
step hang_up(int code) { return {step::what::close, {}, {}, code}; }
step break_off() { return {step::what::break_off, {}, {}, 0}; }
step await_cancel() { return {step::what::await_cancel, {}, {}, 0}; }
step await_confirm() { return {step::what::await_confirm, {}, {}, 0}; }

step chunk(std::string_view text) {
  return send({{"type", "AGENT_EVENT_TEXT_CHUNK"}, {"text", std::string(text)}});
}
step end() { return send({{"type", "AGENT_EVENT_END"}}); }
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
};

/// One connection, played step by step.
class agent::conversation final : public link_listener,
                                  public std::enable_shared_from_this<conversation> {
public:
  conversation(std::shared_ptr<shared> state, std::size_t number, std::string url,
               std::shared_ptr<link> wire, std::function<void()> cut)
      : state_(std::move(state)), number_(number), url_(std::move(url)), wire_(std::move(wire)),
        cut_(std::move(cut)) {}

  void on_open() override {}

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
    if (got.type == "CONFIRM" && awaits(step::what::await_confirm))
      return past_wait();
    if (running() || (got.type != "USER_MESSAGE" && got.type != "CONFIRM"))
      return;
    message_id_ = got.frame.value("message_id", json());
    play(what(got));
  }

  void on_closed(link_closed why) override {
    ++epoch_;
    steps_.clear();
    next_ = 0;
    wire_.reset();
    cut_ = nullptr;
    const std::lock_guard lock(state_->guard);
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
      case step::what::await_cancel:
      case step::what::await_confirm:
        return;
      }
      ++next_;
    }
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
