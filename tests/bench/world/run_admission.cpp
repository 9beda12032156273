// Large sync responses, one by one: how long until their messages are on disk. The subject says
// that by its next poll, which may only leave after the commit.

#include "tests/bench/world/run.hpp"

#include <chrono>

namespace pb::bench {

void run::next_burst() {
  if (admission_ms_.size() != bursts_)
    return fail("the next poll after a large response was not seen");
  if (admission_ms_.size() == plan_.bursts) {
    size_ = subject_.size();
    end_ = subject_.measure();
    return settle();
  }
  if (bursts_ == 0)
    begin_ = subject_.measure();
  inject_burst();
  server_.wake();
  await_answers(patience());
}

void run::inject_burst() {
  ++bursts_;
  written_ = {};
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::steady_clock::now().time_since_epoch())
                       .count();
  for (std::uint32_t i = 0; i < plan_.burst_events; ++i)
    oracle_.inject(i % plan_.burst_rooms, now);
}

void run::burst_written() {
  if (plan_.bursts > 0 && written_.wall_ns == 0)
    written_ = subject_.measure();
}

void run::burst_admitted(std::uint64_t position) {
  if (written_.wall_ns == 0 || position != oracle_.size())
    return;
  const auto now = subject_.measure();
  admission_ms_.push_back(static_cast<double>(now.wall_ns - written_.wall_ns) / 1e6);
  admission_cpu_ms_.push_back(static_cast<double>(now.subject_ns - written_.subject_ns) / 1e6);
  written_ = {};
}

/// The next response comes when all is answered and the subject rests.
void run::await_answers(int polls_left) {
  if (oracle_.open() == 0)
    return when_quiet([this] { next_burst(); });
  if (polls_left == 0)
    return fail("not every message of a large response was answered");
  const auto before = oracle_.counts.answered;
  after(0.05, [this, polls_left, before] {
    await_answers(oracle_.counts.answered == before ? polls_left - 1 : patience());
  });
}

void run::report_admission(json_object& o) const {
  o.add("settled", plan_.before.settled);
  o.add("burst_events", std::uint64_t{plan_.burst_events});
  o.add("burst_rooms", std::uint64_t{plan_.burst_rooms});
  o.add("admission_ms", admission_ms_);
  o.add("admission_cpu_ms", admission_cpu_ms_);
  o.add("pages_read", oracle_.counts.pages);
  if (end_.wall_ns != 0)
    report_others(o, begin_, end_);
}

} // namespace pb::bench
