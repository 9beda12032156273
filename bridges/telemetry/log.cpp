#include "bridges/telemetry/log.hpp"

#include "bridges/telemetry/log_format.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

namespace pb {
namespace {

constexpr std::size_t line_limit = 4'096; ///< PIPE_BUF: a pipe that can be written takes it whole
constexpr std::size_t head_room = 96;     ///< time, level, braces, newline
constexpr int patience_ms = 50;

/// Writes whole lines to a descriptor and never waits for a reader that has gone to sleep.
class descriptor_sink : public spdlog::sinks::base_sink<std::mutex> {
public:
  descriptor_sink(int descriptor, log_format format) : descriptor_(descriptor), format_(format) {}

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!writable(dropped_ == 0 ? patience_ms : 0)) {
      ++dropped_;
      return;
    }
    if (dropped_ != 0) {
      const auto lost = std::exchange(dropped_, 0);
      const log_fields fields{{"lines", lost}};
      constexpr std::string_view event = "log_lines_dropped";
      constexpr std::string_view text = "nobody read the log, these lines are lost";
      const auto payload = format_ == log_format::json
                               ? json_members(event, {}, text, fields, line_limit - head_room)
                               : text_line(event, {}, text, fields, line_limit - head_room);
      spdlog::details::log_msg note(message.time, {}, {}, spdlog::level::warn, payload);
      put(note);
      if (!writable(0)) {
        dropped_ = 1;
        return;
      }
    }
    put(message);
  }
  void flush_() override {}

private:
  bool writable(int timeout) const {
    pollfd p{descriptor_, POLLOUT, 0};
    return ::poll(&p, 1, timeout) == 1 && (p.revents & POLLOUT) != 0;
  }

  void put(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t buffer;
    formatter_->format(message, buffer);
    std::string_view rest(buffer.data(), std::min(buffer.size(), line_limit));
    while (!rest.empty()) {
      const auto n = ::write(descriptor_, rest.data(), rest.size());
      if (n > 0)
        rest.remove_prefix(static_cast<std::size_t>(n));
      else if (n >= 0 || errno != EINTR)
        return; // a log that cannot be written is no reason to stop
    }
  }

  const int descriptor_;
  const log_format format_;
  std::uint64_t dropped_ = 0;
};

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warning:
    return spdlog::level::warn;
  case log_level::error:
    return spdlog::level::err;
  }
  return spdlog::level::err;
}

class spd_logger final : public logger {
public:
  spd_logger(log_format format, log_level level, int descriptor)
      : format_(format), out_("patchbay", std::make_shared<descriptor_sink>(descriptor, format)) {
    out_.set_level(level_of(level));
    out_.set_error_handler([](const std::string&) { /* there is nowhere left to tell it */ });
    const char* pattern = format == log_format::json
                              ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                              : "%Y-%m-%dT%H:%M:%S.%eZ %L %v";
    out_.set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
  }

  [[nodiscard]] bool enabled(log_level level) const override {
    return out_.should_log(level_of(level));
  }

  void write(log_level level, std::string_view event, const trace& about, std::string_view text,
             log_fields fields) override try {
    if (!enabled(level))
      return;
    constexpr auto limit = line_limit - head_room;
    const auto line = format_ == log_format::json ? json_members(event, about, text, fields, limit)
                                                  : text_line(event, about, text, fields, limit);
    out_.log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {
    // Out of memory while logging: the line is lost, the caller goes on.
  }

private:
  const log_format format_;
  spdlog::logger out_;
};

class silent_logger final : public logger {
public:
  [[nodiscard]] bool enabled(log_level) const override { return false; }
  void write(log_level, std::string_view, const trace&, std::string_view, log_fields) override {}
};

constexpr std::size_t memory_cap = 10'000;

} // namespace

logger::~logger() = default;

void logger::debug(std::string_view event, const trace& about, std::string_view text,
                   log_fields fields) {
  write(log_level::debug, event, about, text, fields);
}
void logger::info(std::string_view event, const trace& about, std::string_view text,
                  log_fields fields) {
  write(log_level::info, event, about, text, fields);
}
void logger::warning(std::string_view event, const trace& about, std::string_view text,
                     log_fields fields) {
  write(log_level::warning, event, about, text, fields);
}
void logger::error(std::string_view event, const trace& about, std::string_view text,
                   log_fields fields) {
  write(log_level::error, event, about, text, fields);
}

std::shared_ptr<logger> make_logger(log_format format, log_level level, int descriptor) {
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
      now.sa_handler == SIG_DFL)
    std::signal(SIGPIPE, SIG_IGN);
  return std::make_shared<spd_logger>(format, level, descriptor);
}

std::shared_ptr<logger> make_logger(log_format format, log_level level) {
  return make_logger(format, level, STDERR_FILENO);
}

std::shared_ptr<logger> null_logger() { return std::make_shared<silent_logger>(); }

memory_logger::memory_logger(log_level level) : level_(level) {}
memory_logger::~memory_logger() = default;

bool memory_logger::enabled(log_level level) const { return level >= level_; }

void memory_logger::write(log_level level, std::string_view event, const trace& about,
                          std::string_view text, log_fields fields) {
  if (!enabled(level))
    return;
  line l{level, std::string(event), about.ref, std::string(text), {}};
  for (const auto& f : fields)
    l.fields.emplace_back(f.key, f.value);
  const std::lock_guard hold(mutex_);
  if (lines_.size() < memory_cap) {
    lines_.push_back(std::move(l));
    return;
  }
  lines_[next_] = std::move(l);
  next_ = (next_ + 1) % memory_cap;
}

std::vector<memory_logger::line> memory_logger::lines() const {
  const std::lock_guard hold(mutex_);
  auto out = lines_;
  std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(next_), out.end());
  return out;
}

std::size_t memory_logger::count(std::string_view event) const {
  const std::lock_guard hold(mutex_);
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(), [&](const line& l) { return l.event == event; }));
}

} // namespace pb
