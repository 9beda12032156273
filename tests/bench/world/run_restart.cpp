// A restart: the subject finds unfinished messages in its database. Nobody writes anything new.

#include "tests/bench/world/run.hpp"

#include <fstream>
#include <iterator>
#include <string_view>

namespace pb::bench {

namespace {
constexpr std::string_view walk_is_over = "matrix_reconcile_complete";
constexpr double log_poll_s = 0.005;
} // namespace

void run::watch_restart() {
  oracle_.on_reached = [this] {
    if (first_reached_.wall_ns == 0)
      first_reached_ = subject_.measure();
  };
  homeserver_.on_answered = [this](std::uint32_t) {
    if (oracle_.open() == 0 && all_answered_.wall_ns == 0)
      all_answered_ = subject_.measure();
  };
  read_log();
}

/// The subject says in its log when it has looked at all rooms; only its log knows.
void run::read_log() {
  if (std::ifstream log(plan_.log, std::ios::binary); log) {
    log.seekg(static_cast<std::streamoff>(log_read_));
    const std::string fresh(std::istreambuf_iterator<char>(log), {});
    log_read_ += fresh.size();
    log_tail_ += fresh;
  }
  if (log_tail_.find(walk_is_over) != std::string::npos) {
    walk_over_ = subject_.measure();
    guard_.cancel();
    return await_end(patience());
  }
  if (log_tail_.size() > walk_is_over.size()) // the word may be cut by the end of what was read
    log_tail_.erase(0, log_tail_.size() - walk_is_over.size());
  after(log_poll_s, [this] { read_log(); });
}

/// Ends when every message is answered, or when for a while none has been.
void run::await_end(int polls_left) {
  if (oracle_.open() == 0 || polls_left == 0) {
    end_ = subject_.measure();
    size_ = subject_.size();
    return settle();
  }
  const auto before = oracle_.counts.answered;
  after(0.05, [this, polls_left, before] {
    await_end(oracle_.counts.answered == before ? polls_left - 1 : patience());
  });
}

void run::report_restart(json_object& o) const {
  o.add("settled", plan_.before.settled);
  o.add("unfinished", plan_.before.unfinished);
  const auto point = [&](const char* wall, const char* cpu, const char* world, const usage& at) {
    if (at.wall_ns == 0)
      return;
    const auto start = std::chrono::nanoseconds(started_.time_since_epoch()).count();
    o.add(wall, static_cast<double>(at.wall_ns - start) / 1e6); // from just before the fork
    o.add(cpu, static_cast<double>(at.subject_ns) / 1e6);
    o.add(world, static_cast<double>(at.world_ns - begin_.world_ns) / 1e6);
  };
  point("first_ms", "first_cpu_ms", "first_world_cpu_ms", first_reached_);
  point("all_ms", "all_cpu_ms", "all_world_cpu_ms", all_answered_);
  point("walk_ms", "walk_cpu_ms", "walk_world_cpu_ms", walk_over_);
  o.add("states_read", oracle_.counts.states);
  if (end_.wall_ns != 0)
    report_others(o, begin_, end_);
}

} // namespace pb::bench
