#pragma once
// What the cases of a check work with: links, time, and waiting until something has come. Knows no
// sockets: a run gives it real ones, a test gives it virtual time.

#include "bridges/link.hpp"
#include "cli/agent_check/mailbox.hpp"
#include "cli/agent_check/transcript.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pb::agent_check {

using std::chrono::milliseconds;

struct environment {
  dialer& net;
  std::function<milliseconds()> now; ///< never goes back
  /// Returns when something may have come, after `most` at the latest.
  std::function<void(mailbox&, milliseconds most)> rest;
};

/// Whoever speaks over lines. Takes its lines back (bench::forget) before it goes.
class line_user {
public:
  virtual ~line_user() = default;
  virtual void line_opened(line_id line) = 0;
  virtual void line_said(line_id line, std::string text) = 0;
  virtual void line_closed(line_id line, const link_closed& why) = 0;
  /// When ring() is to be called.
  [[nodiscard]] virtual std::optional<milliseconds> alarm_at() const { return std::nullopt; }
  virtual void ring() {}
};

/// Totals of a run.
struct frame_totals {
  std::size_t frames = 0, bytes = 0, largest = 0;
  std::map<std::string, std::size_t> unknown; ///< types nobody knows → how often; 32 kinds at most
};

/// One thread.
class bench {
public:
  explicit bench(environment around);
  ~bench();
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;

  line_id dial(link_request to, std::int64_t chat, line_user& user);
  /// False: it is closed, or takes nothing more.
  bool send(line_id line, std::string text);
  void close(line_id line);
  [[nodiscard]] bool is_open(line_id line) const;

  void join(line_user& user); ///< for its alarms
  void forget(line_user& user);

  /// Lets things come until it holds. False: `most` has passed.
  bool until(const std::function<bool()>& holds, milliseconds most);
  void pause(milliseconds time);

  [[nodiscard]] milliseconds now() const { return around_.now(); }
  [[nodiscard]] std::size_t lines() const { return lines_.size(); } ///< not closed yet
  transcript& log() { return log_; }
  frame_totals& totals() { return totals_; }
  void remark(std::int64_t chat, std::string_view text);

private:
  struct line {
    std::shared_ptr<link> wire;
    line_user* user = nullptr;
    std::int64_t chat = 0;
    bool open = false;
  };
  void deliver(letter l);
  [[nodiscard]] std::optional<milliseconds> next_alarm() const;
  void ring_alarms();

  environment around_;
  std::shared_ptr<mailbox> box_ = std::make_shared<mailbox>();
  std::map<line_id, line> lines_;
  std::vector<line_user*> users_;
  line_id last_ = 0;
  transcript log_;
  frame_totals totals_;
};

/// "refused", "rejected with 403", … and the cause.
std::string words(const link_closed& why);

} // namespace pb::agent_check
