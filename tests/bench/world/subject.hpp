#pragma once
// The program that is measured: a child process, its clocks and its memory.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pb::bench {

/// CPU of both programs and of the machine at one moment.
struct usage {
  std::int64_t wall_ns = 0, subject_ns = 0, world_ns = 0;
  std::int64_t machine_ns = 0; ///< all cores: user, nice, system, interrupts
  std::int64_t stolen_ns = 0;  ///< what the hypervisor took
};

struct memory {
  std::uint64_t rss_kb = 0, peak_kb = 0, threads = 0;
  std::uint64_t files = 0; ///< open descriptors
};

class subject {
public:
  explicit subject(boost::asio::io_context& io) : out_(io) {}
  ~subject();
  subject(const subject&) = delete;
  subject& operator=(const subject&) = delete;

  /// Starts it with its stderr in `log`. `on_ready` when a line of its stdout begins with "ready",
  /// `on_gone` when it has closed its stdout. Throws std::system_error.
  void start(const std::vector<std::string>& argv, const std::string& log,
             std::function<void()> on_ready, std::function<void()> on_gone);

  [[nodiscard]] usage measure() const;
  [[nodiscard]] memory size() const;

  void terminate() const;
  void kill();
  /// True when it has ended and its exit code is known.
  [[nodiscard]] bool ended();
  /// 128 + signal when a signal ended it.
  [[nodiscard]] int exit_code() const;

private:
  void read();

  boost::asio::posix::stream_descriptor out_;
  pid_t pid_ = 0;
  bool gone_ = false;
  int status_ = 0;
  std::string line_, chunk_;
  std::function<void()> on_ready_, on_gone_;
};

} // namespace pb::bench
