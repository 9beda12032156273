#include "tests/bench/world/run.hpp"

#include <algorithm>

namespace pb::bench {

namespace {

double since(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

std::uint64_t settled_requests(const tally& t) { return t.requests - t.polls; }

} // namespace

run::run(plan p)
    : plan_(std::move(p)), io_(1), rooms_(plan_.form), oracle_(rooms_),
      agents_(plan_.form.agents, plan_.dead), homeserver_(rooms_, oracle_),
      server_(io_, homeserver_, oracle_, agents_, plan_.form, plan_.port), subject_(io_),
      timer_(io_), guard_(io_), pulse_(io_) {
  if (plan_.may_fail)
    oracle_.may_fail = [](std::uint32_t) { return true; };
  else if (plan_.dead > 0)
    oracle_.may_fail = [this](std::uint32_t room) { return of_dead_agent(room); };
  oracle_.remember(plan_.before);
  homeserver_.on_poll = [this](std::uint64_t position) {
    polling_ = true;
    if (plan_.bursts > 0)
      burst_admitted(position);
    come_in();
  };
  server_.on_news_written = [this] { burst_written(); };
  homeserver_.on_answered = [this](std::uint32_t room) {
    free_.push_back(room);
    if (loading_ && rate_began_ns_ == 0)
      inject_one();
  };
  oracle_.on_told = homeserver_.on_answered;
}

int run::execute() {
  started_ = std::chrono::steady_clock::now();
  const auto ready = [this] {
    ready_ = true;
    come_in();
  };
  const auto gone = [this] {
    if (!stopping_)
      fail("the subject ended by itself, see " + plan_.log);
  };
  if (plan_.bursts > 0 && plan_.before.size() > 0)
    inject_burst(); // written while the subject was away
  subject_.start(plan_.argv, plan_.log, ready, gone);
  begin_ = subject_.measure();
  if (plan_.restart)
    watch_restart();
  guard_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(plan_.start_s)));
  guard_.async_wait([this](boost::system::error_code ec) {
    if (!ec)
      fail(!ready_     ? "the subject did not say ready"
           : !polling_ ? "the subject did not poll"
                       : "what was to happen after the start did not happen");
  });
  while (!stopping_ && io_.run_one() != 0) {
  }
  subject_.terminate();
  const auto asked = std::chrono::steady_clock::now();
  while (!subject_.ended()) { // it may still need us to end well
    if (since(asked) > 30)
      subject_.kill();
    io_.run_for(std::chrono::milliseconds(10));
    io_.restart();
  }
  exit_code_ = subject_.exit_code();
  if (!failure_.empty())
    return 1;
  return oracle_.counts.faultless() ? 0 : 2;
}

void run::after(double seconds, then next) {
  timer_.expires_after(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
  timer_.async_wait([next = std::move(next)](boost::system::error_code ec) {
    if (!ec)
      next();
  });
}

void run::come_in() {
  if (!ready_ || !polling_ || loading_ || start_up_s_ > 0 || stopping_)
    return;
  start_up_s_ = since(started_);
  if (plan_.restart)
    return;
  if (plan_.bursts > 0)
    return when_quiet([this] {
      guard_.cancel();
      await_answers(patience());
    });
  if (plan_.memory)
    return when_quiet(
        [this] {
          idle_ = subject_.size();
          touch_all();
        },
        3.0); // a walk over many rooms thinks for a while between its requests
  load();
}

void run::load() {
  // Every room once for each message that it may have open, so that the load is even.
  const auto& form = plan_.form;
  for (std::uint32_t round = 0; round < (plan_.open + form.rooms - 1) / form.rooms; ++round)
    for (std::uint32_t room = 0; room < form.rooms; ++room)
      free_.push_back(room);
  loading_ = true;
  if (plan_.rate > 0)
    keep_the_rate();
  else
    for (std::uint32_t i = 0; i < plan_.open; ++i)
      inject_one();
  warm_up();
}

/// The clock of the warm-up begins with the first answer: a start may include a reconciliation.
void run::warm_up() {
  after(0.02, [this] {
    if (oracle_.counts.answered == 0)
      return warm_up();
    guard_.cancel();
    after(plan_.warm_up_s, [this] { open_window(); });
  });
}

void run::open_window() {
  oracle_.recording = true;
  first_ = oracle_.counts;
  begin_ = subject_.measure();
  after(plan_.window_s, [this] { close_window(); });
}

void run::close_window() {
  end_ = subject_.measure();
  last_ = oracle_.counts;
  size_ = subject_.size();
  oracle_.recording = false;
  loading_ = false;
  drain(patience());
}

/// Ends when every message is answered, or when for a while none has been.
void run::drain(int polls_left) {
  if (oracle_.open() == 0 || polls_left == 0)
    return settle();
  const auto before = oracle_.counts.answered;
  after(0.05, [this, polls_left, before] {
    drain(oracle_.counts.answered == before ? polls_left - 1 : patience());
  });
}

int run::patience() const { return static_cast<int>(plan_.drain_s / 0.05); }

/// A moment more, in which a second final would still be seen.
void run::settle() {
  after(0.3, [this] { stop(); });
}

void run::when_quiet(then next, double seconds) {
  const auto before = settled_requests(oracle_.counts);
  after(seconds, [this, before, seconds, next = std::move(next)] {
    if (settled_requests(oracle_.counts) != before)
      return when_quiet(next, seconds);
    next();
  });
}

void run::touch_all() {
  guard_.cancel();
  loading_ = true;
  untouched_ = plan_.form.rooms;
  for (std::uint32_t i = 0; i < std::min(plan_.open, plan_.form.rooms); ++i)
    inject_one();
  all_touched(patience());
}

/// Quiet alone does not say it: what walks over its rooms first asks nobody anything for a while.
void run::all_touched(int polls_left) {
  const auto before = oracle_.counts.answered;
  if (polls_left > 0 && (untouched_ > 0 || oracle_.open() > 0))
    return after(0.05, [this, polls_left, before] {
      all_touched(oracle_.counts.answered == before ? polls_left - 1 : patience());
    });
  when_quiet([this] {
    touched_ = size_ = subject_.size();
    loading_ = false;
    if (plan_.outage_s > 0)
      return begin_storm();
    if (plan_.rate == 0 || oracle_.open() != 0)
      return drain(patience());
    plan_.memory = false;
    load();
  });
}

void run::inject_one() {
  if (plan_.memory) {
    if (untouched_ > 0)
      inject_into(--untouched_);
    return;
  }
  if (free_.empty()) // only at a fixed rate: any room, one behind the other
    return inject_into(
        std::uniform_int_distribution<std::uint32_t>(0, plan_.form.rooms - 1)(chance_));
  auto& chosen = free_[std::uniform_int_distribution<std::size_t>(0, free_.size() - 1)(chance_)];
  std::swap(chosen, free_.back());
  const auto room = free_.back();
  free_.pop_back();
  inject_into(room);
}

void run::inject_into(std::uint32_t room) {
  oracle_.inject(room, due_ns_ != 0 ? due_ns_ : now_ns());
  server_.wake();
}

void run::fail(std::string why) {
  if (failure_.empty())
    failure_ = std::move(why);
  stop();
}

void run::stop() {
  stopping_ = true;
  loading_ = false;
  timer_.cancel();
  guard_.cancel();
  pulse_.cancel();
}

} // namespace pb::bench
