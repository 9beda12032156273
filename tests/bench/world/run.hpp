#pragma once
// One benchmark run: start the subject, load it, measure a window, stop it, report.

#include "tests/bench/common/json_object.hpp"
#include "tests/bench/world/agents.hpp"
#include "tests/bench/world/homeserver.hpp"
#include "tests/bench/world/server.hpp"
#include "tests/bench/world/subject.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace pb::bench {

struct plan {
  shape form;
  std::uint32_t open = 64; ///< messages that wait for their answer at any time
  double warm_up_s = 1, window_s = 5, start_s = 120, drain_s = 15;
  bool memory = false; ///< first, or only: memory before and after every room has spoken once
  /// Messages per second at fixed times, whatever the subject does; 0: `open` of them at any time.
  double rate = 0;
  std::uint32_t dead = 0; ///< so many agents never answer a handshake; their rooms speak as well
  bool may_fail = false;  ///< a message may be told to have no answer unless its agent had it
  /// All agents go away at once for so long, and every room speaks in that moment. 0: never.
  double outage_s = 0;
  past before;          ///< what the subject's database holds already
  bool restart = false; ///< no load: how soon what is unfinished gets its answers
  /// No steady load: this many responses with `burst_events` messages over `burst_rooms` rooms
  /// each.
  std::uint32_t bursts = 0, burst_events = 1'000, burst_rooms = 100;
  std::uint16_t port = 0;
  std::string log = "/dev/null"; ///< of the subject's stderr
  std::vector<std::string> argv;
};

inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Microseconds at the given share of sorted latencies.
inline double quantile_us(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty())
    return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]) / 1e3;
}

class run {
public:
  explicit run(plan p);

  /// Until the subject has ended. 0: measured, and the oracle is content; 1: no measurement;
  /// 2: measured, but messages were lost, doubled, changed or sent astray.
  int execute();
  /// One line of JSON.
  [[nodiscard]] std::string report() const;

private:
  using then = std::function<void()>;
  void after(double seconds, then next);
  void come_in();
  void warm_up();
  void open_window();
  void close_window();
  void drain(int polls_left);
  [[nodiscard]] int patience() const;
  void settle();
  /// Calls `next` once nothing but polls has come in for so long.
  void when_quiet(then next, double seconds = 1.0);
  void touch_all();
  void all_touched(int polls_left);
  void watch_restart();
  void read_log();
  void await_end(int polls_left);
  void next_burst();
  void inject_burst();
  void burst_written();
  void burst_admitted(std::uint64_t position);
  void await_answers(int polls_left);
  void report_load(json_object& o) const;
  void report_restart(json_object& o) const;
  void report_admission(json_object& o) const;
  void report_others(json_object& o, const usage& from, const usage& to) const;
  void fail(std::string why);
  void stop();
  void inject_one();
  void inject_into(std::uint32_t room);
  void load();
  // run_scale.cpp: many agents
  void keep_the_rate();
  [[nodiscard]] bool of_dead_agent(std::uint32_t room) const;
  void begin_storm();
  void watch_storm();
  void report_rate(json_object& o) const;
  void report_storm(json_object& o) const;

  plan plan_;
  boost::asio::io_context io_;
  topology rooms_;
  oracle oracle_;
  agents agents_;
  homeserver homeserver_;
  server server_;
  subject subject_;
  boost::asio::steady_timer timer_, guard_, pulse_;
  std::mt19937_64 chance_{20};
  std::vector<std::uint32_t>
      free_;                    ///< rooms that may speak, once for each message they may have open
  std::uint32_t untouched_ = 0; ///< rooms that have not spoken yet, in a memory run
  bool ready_ = false, polling_ = false, loading_ = false, stopping_ = false;
  std::string failure_;
  usage begin_, end_;
  tally first_, last_; ///< at both ends of the window
  memory idle_, touched_, size_;
  std::chrono::steady_clock::time_point started_;
  double start_up_s_ = 0;
  /// Of a restart: when the first unfinished message reached its agent, the last one was answered,
  /// and the subject said that its look at all rooms is over. Wall 0: not yet.
  usage first_reached_, all_answered_, walk_over_;
  std::size_t log_read_ = 0;
  std::string log_tail_;
  usage written_;          ///< wall 0: no response is being admitted
  std::size_t bursts_ = 0; ///< large responses so far
  std::vector<double> admission_ms_, admission_cpu_ms_;
  std::int64_t rate_began_ns_ = 0;
  std::uint64_t rate_sent_ = 0;
  std::int64_t due_ns_ = 0; ///< when the message that is written now was to be written; 0: now
  std::int64_t left_ns_ = 0, back_ns_ = 0, all_back_ns_ = 0; ///< of a storm
  std::deque<std::pair<std::int64_t, std::uint32_t>> again_; ///< rooms that ask again, and when
  std::vector<std::int64_t> back_after_ns_; ///< each room's final, from the agents' return on
  std::size_t kept_before_ = 0, kept_after_ = 0;
  memory before_storm_;
  int exit_code_ = -1;
};

} // namespace pb::bench
