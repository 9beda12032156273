#pragma once
// Log lines with stable event ids. Every line about an event of the outside carries its trace.

#include "messages/values/ids.hpp"
#include "messages/values/settings.hpp"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pb {

/// One named value of a line. `key` must outlive the call: use a literal.
struct log_field {
  std::string_view key;
  std::string value;
  bool bare = false; ///< a number or a boolean: JSON writes it without quotes

  log_field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  log_field(std::string_view k, std::string_view v) : key(k), value(v) {}
  log_field(std::string_view k, const char* v) : key(k), value(v == nullptr ? "" : v) {}
  log_field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), bare(true) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) log_field(std::string_view k, T v)
      : key(k), value(std::to_string(v)), bare(true) {}
  template <class Tag>
  log_field(std::string_view k, const name<Tag>& v) : key(k), value(v.value) {}
};

using log_fields = std::initializer_list<log_field>;

/// Thread-safe. `event` is a snake_case name that stays the same between versions; `text` is for
/// people. At level info and above no field and no text may hold a secret or a message's words.
class logger {
public:
  virtual ~logger();
  [[nodiscard]] virtual bool enabled(log_level level) const = 0;
  virtual void write(log_level level, std::string_view event, const trace& about,
                     std::string_view text, log_fields fields = {}) = 0;

  void debug(std::string_view event, const trace& about, std::string_view text,
             log_fields fields = {});
  void info(std::string_view event, const trace& about, std::string_view text,
            log_fields fields = {});
  void warning(std::string_view event, const trace& about, std::string_view text,
               log_fields fields = {});
  void error(std::string_view event, const trace& about, std::string_view text,
             log_fields fields = {});
};

/// Writes to stderr. Text: `2026-01-31T12:00:00.000Z I room_turn_started trace=t1 room=!r:s words`;
/// JSON: one object a line with time, level, event, trace, text and the fields. A line has 4,096
/// bytes at most. When nobody reads stderr, lines are dropped and their number is told later: no
/// call waits longer than 50 ms, and none fails. Sets SIGPIPE to be ignored if it was at its
/// default.
std::shared_ptr<logger> make_logger(log_format format, log_level level);

/// The same on another file descriptor, which stays the caller's.
std::shared_ptr<logger> make_logger(log_format format, log_level level, int descriptor);

/// Writes nothing and is enabled for nothing.
std::shared_ptr<logger> null_logger();

/// Keeps the newest 10,000 lines, for tests and for an operator's view.
class memory_logger : public logger {
public:
  struct line {
    log_level level;
    std::string event, trace, text;
    std::vector<std::pair<std::string, std::string>> fields;
  };

  explicit memory_logger(log_level level = log_level::debug);
  ~memory_logger() override;
  [[nodiscard]] bool enabled(log_level level) const override;
  void write(log_level level, std::string_view event, const trace& about, std::string_view text,
             log_fields fields = {}) override;
  [[nodiscard]] std::vector<line> lines() const;
  [[nodiscard]] std::size_t count(std::string_view event) const;

private:
  const log_level level_;
  mutable std::mutex mutex_;
  std::vector<line> lines_;
  std::size_t next_ = 0; ///< where the ring writes once it is full
};

} // namespace pb
