#include "bridges/agent/demo/demo_agent.hpp"

#include "bridges/agent/demo/demo_plan.hpp"
#include "bridges/agent/demo/demo_workspace.hpp"
#include "messages/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pb {

namespace {

using nlohmann::json;

/// A frame that finds the link's queue full is tried again this often, this many times.
constexpr std::chrono::milliseconds full_pause{20};
constexpr int full_most = 1500;

/// What a conversation leaves behind between its connections.
struct memory {
  std::int64_t chat = 0;
  std::int64_t messages = 0;
  std::string open_confirmation;
  std::vector<std::string> said; ///< the newest messages, cut
};

/// The conversations that the agent remembers, the least recently used one at the back.
class memories {
public:
  explicit memories(std::size_t most) : most_(most == 0 ? 1 : most) {}

  /// Valid until the next call.
  memory& of(std::int64_t chat) {
    if (const auto i = places_.find(chat); i != places_.end()) {
      order_.splice(order_.begin(), order_, i->second);
      return order_.front();
    }
    if (order_.size() == most_) {
      places_.erase(order_.back().chat);
      order_.pop_back();
    }
    order_.push_front({chat, 0, {}, {}});
    places_[chat] = order_.begin();
    return order_.front();
  }

private:
  std::size_t most_;
  std::list<memory> order_;
  std::unordered_map<std::int64_t, std::list<memory>::iterator> places_;
};

struct surroundings {
  timers& clock;
  std::function<unix_ms()> now;
  memories remembered;
  std::unique_ptr<demo::shelf> files;
};

std::string text_field(const json& frame, const char* name) {
  const auto i = frame.find(name);
  return i != frame.end() && i->is_string() ? i->get<std::string>() : std::string();
}

/// One connection: plays one plan after the other.
class conversation final : public link_listener, public std::enable_shared_from_this<conversation> {
public:
  conversation(std::shared_ptr<surroundings> around, std::int64_t chat, std::shared_ptr<link> wire)
      : around_(std::move(around)), chat_(chat), wire_(std::move(wire)) {}

  void on_open() override {}

  void on_text(std::string text) override {
    if (!wire_)
      return;
    wire_->consumed(text.size());
    const auto frame = json::parse(text, nullptr, false);
    if (!frame.is_object())
      return play(demo::refusal("bad_frame", "a frame must be a JSON object"), {});
    const auto type = text_field(frame, "type");
    if (type == "USER_MESSAGE")
      user_message(frame);
    else if (type == "CONFIRM")
      confirm(frame);
    else if (type == "CANCEL" && running_)
      cancel();
  }

  void on_closed(link_closed) override {
    ++epoch_;
    running_ = false;
    wire_.reset();
  }

private:
  void user_message(const json& frame) {
    if (running_) {
      deliver(demo::refusal("busy", "one message at a time").front().frame,
              text_field(frame, "message_id"));
      return;
    }
    auto& known = around_->remembered.of(chat_);
    demo::question asked;
    asked.chat = chat_;
    asked.number = ++known.messages;
    asked.text = text_field(frame, "text");
    asked.now = around_->now();
    if (const auto i = frame.find("attachments"); i != frame.end() && i->is_array())
      for (const auto& path : *i)
        if (path.is_string())
          asked.attachments.push_back(path.get<std::string>());
    asked.files = around_->files.get();
    asked.said = &known.said;
    auto what = demo::answer(asked);
    remember(known, asked.text);
    play(std::move(what), text_field(frame, "message_id"));
  }

  static void remember(memory& known, std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    known.said.emplace_back(demo::clipped(text, demo::said_bytes));
    if (known.said.size() > demo::said_most)
      known.said.erase(known.said.begin());
  }

  void confirm(const json& frame) {
    auto& known = around_->remembered.of(chat_);
    const auto id = text_field(frame, "confirmation_id");
    if (id.empty() || id != known.open_confirmation) {
      if (!running_)
        play(demo::refusal("unknown_confirmation", "nothing is waiting for this answer"), {});
      return;
    }
    known.open_confirmation.clear();
    // As the first frame of a turn it belongs to no message that we could name.
    play(demo::confirmed(text_field(frame, "decision") == "yes"),
         running_ ? message_id_ : std::string());
  }

  void cancel() {
    around_->remembered.of(chat_).open_confirmation.clear();
    play(demo::stopped(), message_id_);
  }

  void play(demo::plan what, std::string message_id) {
    plan_ = std::move(what);
    next_ = 0;
    message_id_ = std::move(message_id);
    running_ = true;
    full_ = 0;
    ++epoch_;
    go_on();
  }

  /// Does what is due now, and has the clock wake it for the rest.
  void go_on() {
    while (wire_ && running_) {
      if (next_ == plan_.size())
        return end();
      if (plan_[next_].act == demo::step::what::later) {
        speak_up(std::move(plan_[next_++]));
        continue;
      }
      if (const auto wait = std::exchange(plan_[next_].wait, std::chrono::milliseconds(0));
          wait.count() > 0)
        return later(wait, [](conversation& self) { self.go_on(); });
      if (!perform(plan_[next_]))
        return;
      ++next_;
    }
  }

  /// False: the plan does not go on by itself.
  bool perform(const demo::step& now) {
    if (now.act == demo::step::what::die) {
      end();
      wire_->close(1011);
      return false;
    }
    if (!deliver(now.frame, message_id_)) {
      if (++full_ < full_most)
        later(full_pause, [](conversation& self) { self.go_on(); });
      else
        wire_->close(1008);
      return false;
    }
    full_ = 0;
    if (now.act == demo::step::what::say)
      return true;
    around_->remembered.of(chat_).open_confirmation = text_field(now.frame, "confirmation_id");
    later(demo::confirmation_time, [](conversation& self) { self.unanswered(); });
    return false;
  }

  /// Outside the turn, whatever goes on then.
  void speak_up(demo::step what) {
    around_->clock.after(what.wait, [weak = weak_from_this(), frame = std::move(what.frame)] {
      if (const auto self = weak.lock(); self && self->wire_)
        self->deliver(frame, {});
    });
  }

  void unanswered() {
    around_->remembered.of(chat_).open_confirmation.clear();
    play(demo::confirmed(false), message_id_);
  }

  void end() {
    running_ = false;
    plan_.clear();
    plan_.shrink_to_fit();
    next_ = 0;
  }

  bool deliver(json frame, const std::string& message_id) {
    if (!message_id.empty())
      frame["message_id"] = message_id;
    return wire_->send(json_text(frame));
  }

  /// Unless something else has begun by then.
  void later(std::chrono::milliseconds wait, void (*then)(conversation&)) {
    around_->clock.after(wait, [weak = weak_from_this(), epoch = epoch_, then] {
      if (const auto self = weak.lock(); self && self->epoch_ == epoch && self->wire_)
        then(*self);
    });
  }

  std::shared_ptr<surroundings> around_;
  std::int64_t chat_;
  std::shared_ptr<link> wire_; ///< gone once it is closed: the link holds us
  demo::plan plan_;
  std::size_t next_ = 0;
  std::string message_id_;
  bool running_ = false;
  int full_ = 0;
  std::uint64_t epoch_ = 0;
};

/// The number behind "agent_ws/", or nothing: not an address of ours.
std::optional<std::int64_t> chat_of_path(std::string_view path) {
  if (!path.empty() && path.back() == '/')
    path.remove_suffix(1);
  const auto slash = path.rfind('/');
  constexpr std::string_view parent = "/agent_ws";
  if (slash == std::string_view::npos || slash < parent.size() ||
      path.substr(slash - parent.size(), parent.size()) != parent)
    return std::nullopt;
  const auto number = path.substr(slash + 1);
  std::int64_t chat = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), chat);
  if (error != std::errc{} || end != number.data() + number.size())
    return std::nullopt;
  return chat;
}

} // namespace

ws_handler make_demo_agent(timers& clock, std::function<unix_ms()> now, demo_options options) {
  auto around = std::make_shared<surroundings>(
      surroundings{clock, std::move(now), memories(options.chats), {}});
  if (!options.workspace.empty())
    around->files = std::make_unique<demo::workspace>(std::move(options.workspace));
  return [around](const server_request& request,
                  std::shared_ptr<link> wire) -> std::shared_ptr<link_listener> {
    const auto chat = chat_of_path(request.path);
    if (!chat || !wire)
      return nullptr;
    return std::make_shared<conversation>(around, *chat, std::move(wire));
  };
}

} // namespace pb
