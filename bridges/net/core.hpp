#pragma once
// Internal to bridges/net: the shared state of one I/O thread.

#include "bridges/net/io.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace pb::net {

namespace asio = boost::asio;
using error_code = boost::system::error_code;
using steady = std::chrono::steady_clock;
using time_point = steady::time_point;
using tcp = asio::ip::tcp;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;

/// Something with sockets that io_runtime::stop() has to end. Both run on the I/O thread.
class stoppable {
public:
  virtual ~stoppable() = default;
  virtual void wind_down() = 0; ///< begin to end; may take a while
  virtual void cut() = 0;       ///< end now: callbacks are made and sockets closed when it returns
};

/// A deadline that moves often. Moving it later costs one assignment: the timer underneath wakes at
/// the old time, sees that nothing is due and sleeps on. Handlers keep the owner alive only while
/// they run.
class lazy_timer {
public:
  explicit lazy_timer(asio::io_context& io) : timer_(io.get_executor()) {}
  void bind(std::weak_ptr<void> owner, std::function<void()> fire);
  void set(time_point due);
  void clear() { due_ = time_point::max(); }
  void cancel();

private:
  void arm(time_point at);

  asio::basic_waitable_timer<steady, asio::wait_traits<steady>, executor> timer_;
  time_point due_ = time_point::max();
  time_point armed_ = time_point::max();
  std::weak_ptr<void> owner_;
  std::function<void()> fire_;
};

/// The I/O context, its thread, and who lives on it. User-facing objects share ownership of it;
/// objects that the context itself may own (sessions, connections) refer to it plainly, so there is
/// no cycle.
class core final : public timers, public std::enable_shared_from_this<core> {
public:
  core() = default;
  void start();
  void stop(std::chrono::milliseconds grace);
  ~core() override;

  [[nodiscard]] bool on_thread() const { return std::this_thread::get_id() == thread_id_; }
  [[nodiscard]] bool stopping() const { return stopping_; } ///< I/O thread only
  /// False: the thread has ended and `f` was dropped. What was accepted runs, even during stop().
  bool post(std::function<void()> f);
  /// Runs `f` on the I/O thread and waits for it; in place if called there or if the thread has
  /// ended.
  void run_sync(const std::function<void()>& f);

  void add(const std::shared_ptr<stoppable>& s) { stoppables_.emplace(s.get(), s); }
  void remove(stoppable* s) { stoppables_.erase(s); }

  void after(std::chrono::milliseconds delay, std::function<void()> run) override;
  void on_signals(std::vector<int> signals, std::function<void(int)> f);

  /// Calls what a user gave us: an exception must not end the thread.
  template <class F>
  bool guarded(F&& f) noexcept {
    try {
      f();
      return true;
    } catch (...) {
      ++counters.callback_exceptions;
      return false;
    }
  }

  net_counters counters;

private:
  struct signals;
  std::unordered_map<stoppable*, std::weak_ptr<stoppable>> stoppables_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::function<void()>>
      inbox_; ///< one wake-up of the thread serves all that wait here
  std::vector<std::function<void()>> batch_;
  bool scheduled_ = false;
  bool closed_ = false;   ///< nothing is accepted any more
  bool finished_ = false; ///< the thread will touch nothing any more
  bool stopping_ = false;
  std::once_flag stop_once_;
  std::thread thread_;
  std::atomic<std::thread::id> thread_id_{};
  std::multimap<time_point, std::function<void()>> due_;

public:
  /// Destroyed before everything above: handlers that never ran may own objects that still use it.
  asio::io_context io{1};

private:
  std::optional<asio::executor_work_guard<executor>> guard_;
  lazy_timer alarm_{io};
  std::vector<std::shared_ptr<signals>> signal_sets_;

  void run();
  void drain();
  void take(std::vector<std::function<void()>>& batch);
  void wind_down();
  void cut_all();
  void ring();
};

inline void close_quietly(tcp_socket& s) {
  error_code ignored;
  s.close(ignored);
}

/// now + d without overflow for absurd values of d.
inline time_point from_now(std::chrono::milliseconds d) {
  constexpr std::chrono::milliseconds least{0}, most = std::chrono::hours(24 * 365);
  return steady::now() + std::clamp(d, least, most);
}

} // namespace pb::net
