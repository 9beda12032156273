#pragma once
// What all dialects are made of: the scripted agent's own link, and a link's way out.

#include "tests/support/dialects.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace pb::scripted {

/// Texts to the router in order, though its queue may be full, and then the end.
class outbox final : public std::enable_shared_from_this<outbox> {
public:
  outbox(timers& clock, far_end far) : clock_(clock), far_(std::move(far)) {}

  [[nodiscard]] bool full() const { return !waiting_.empty(); }
  void say(std::string text) {
    waiting_.push_back(std::move(text));
    flush();
  }
  /// With this code, or HTTP status, when all is said.
  void close(int code) {
    code_ = code;
    flush();
  }
  /// The same a moment later: a script may say more than it should.
  void close_soon(int code) {
    clock_.after(std::chrono::milliseconds(2), [weak = weak_from_this(), code] {
      if (const auto self = weak.lock())
        self->close(code);
    });
  }
  /// At once.
  void end(link_closed why) {
    waiting_.clear();
    if (far_.wire)
      std::exchange(far_, {}).end(std::move(why));
  }
  void cut() { end({link_closed::how::broken, 0, "cut"}); }
  /// Nobody is there any more.
  void forget() {
    waiting_.clear();
    far_ = {};
  }

private:
  void flush() {
    while (far_.wire && !waiting_.empty() && far_.wire->send(waiting_.front()))
      waiting_.pop_front();
    if (!far_.wire)
      return waiting_.clear();
    if (!waiting_.empty() && !std::exchange(again_, true))
      clock_.after(std::chrono::milliseconds(5), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->again_ = false;
          self->flush();
        }
      });
    if (waiting_.empty() && code_)
      std::exchange(far_, {}).wire->close(*code_);
  }

  timers& clock_;
  far_end far_;
  std::deque<std::string> waiting_;
  std::optional<int> code_;
  bool again_ = false;
};

/// The scripted agent, which believes that somebody speaks agent-ws with it.
class mind {
public:
  struct callbacks {
    std::function<bool(const json& frame, const std::string& text)> says; ///< false: try later
    std::function<void(int code)> hangs_up;
    std::function<void()> breaks;
  };

  mind(agent& behind, const std::string& url, callbacks to)
      : to_(std::make_shared<callbacks>(std::move(to))) {
    ear_ = behind.accept(url, std::make_shared<mouth>(to_), [to = std::weak_ptr<callbacks>(to_)] {
      if (const auto there = to.lock(); there && there->breaks)
        there->breaks();
    });
    ear_->on_open();
  }
  ~mind() { leave({link_closed::how::closed, 1000, "left"}); }
  mind(const mind&) = delete;
  mind& operator=(const mind&) = delete;

  void hear(const json& frame) {
    if (const auto ear = ear_)
      ear->on_text(frame.dump());
  }
  void hear_message(const std::string& text, const json& id = {}) {
    json frame{{"type", "USER_MESSAGE"}, {"text", text}};
    if (!id.is_null())
      frame["message_id"] = id;
    hear(frame);
  }
  void hear_decision(const std::string& question, bool yes) {
    hear({{"type", "CONFIRM"}, {"confirmation_id", question}, {"decision", yes ? "yes" : "no"}});
  }
  void hear_cancel() { hear({{"type", "CANCEL"}}); }
  void leave(link_closed why) {
    *to_ = {};
    if (const auto ear = std::exchange(ear_, nullptr))
      ear->on_closed(std::move(why));
  }

private:
  class mouth final : public link {
  public:
    explicit mouth(std::weak_ptr<callbacks> to) : to_(std::move(to)) {}
    bool send(std::string text) override {
      const auto to = to_.lock();
      if (!to || !to->says)
        return false;
      const auto says = to->says; // what it leads to may end us
      return says(json::parse(text, nullptr, false), text);
    }
    void consumed(std::size_t) override {}
    void close(int code) override {
      if (const auto to = to_.lock(); to && to->hangs_up) {
        const auto hangs_up = to->hangs_up;
        hangs_up(code);
      }
    }

  private:
    std::weak_ptr<callbacks> to_;
  };

  std::shared_ptr<callbacks> to_;
  std::shared_ptr<link_listener> ear_;
};

inline std::string type_of(const json& frame) {
  return frame.is_object() && frame.contains("type") && frame["type"].is_string()
             ? frame["type"].get<std::string>()
             : std::string();
}

/// Whether agent-ws has it: then a dialect says it in its own words.
inline bool is_frame(const json& frame) {
  const auto type = type_of(frame);
  return type.starts_with("AGENT_EVENT_") || type == "ERROR" || type == "STATUS" ||
         type == "GRACEFUL_DISCONNECT";
}

/// Of a content that is a string or a list of parts with the text first.
inline std::string text_of(const json& content) {
  const auto& text = content.is_string() ? content : content.at(0).at("text");
  return text.get<std::string>();
}

/// A field as text; what is not there is empty.
inline std::string field(const json& frame, const char* name) {
  const auto i = frame.find(name);
  return i == frame.end() ? std::string() : i->is_string() ? i->get<std::string>() : i->dump();
}

inline json rpc_result(const json& id, json result) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}
inline json rpc_error(const json& id, int code, const std::string& message) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

} // namespace pb::scripted
