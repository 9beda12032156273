// Many agents: messages at a fixed rate, agents that are dead, and all of them gone at once.

#include "tests/bench/world/run.hpp"

#include <algorithm>

namespace pb::bench {

namespace {

constexpr auto beat = std::chrono::microseconds(500);
/// A person who is told that there is no answer asks again after so long.
constexpr std::int64_t patience_ns = 1'000'000'000;
/// No longer than this is waited for the last one to be back.
constexpr std::int64_t storm_limit_ns = 180'000'000'000;

double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

} // namespace

bool run::of_dead_agent(std::uint32_t room) const { return agents_.is_dead(rooms_.agent_of(room)); }

/// Each message counts from the moment when it was to be written, however late we are.
void run::keep_the_rate() {
  const auto now = now_ns();
  if (rate_began_ns_ == 0)
    rate_began_ns_ = now;
  const auto due = [this] {
    return rate_began_ns_ +
           static_cast<std::int64_t>(static_cast<double>(rate_sent_) / plan_.rate * 1e9);
  };
  for (; due() <= now; ++rate_sent_) {
    due_ns_ = due();
    inject_one();
  }
  due_ns_ = 0;
  pulse_.expires_after(beat);
  pulse_.async_wait([this](boost::system::error_code ec) {
    if (!ec && loading_)
      keep_the_rate();
  });
}

/// Every room has spoken, so that each agent has its connection, where one is kept.
void run::begin_storm() {
  kept_before_ = agents_.open();
  before_storm_ = subject_.size();
  oracle_.may_fail = [](std::uint32_t) { return true; };
  oracle_.on_told = [this](std::uint32_t room) {
    again_.emplace_back(now_ns() + patience_ns, room);
  };
  homeserver_.on_answered = [this](std::uint32_t) {
    if (back_ns_ != 0)
      back_after_ns_.push_back(now_ns() - back_ns_);
  };
  agents_.watching = true;
  left_ns_ = now_ns();
  agents_.leave();
  for (std::uint32_t room = 0; room < plan_.form.rooms; ++room)
    inject_into(room);
  after(plan_.outage_s, [this] {
    back_ns_ = now_ns();
    agents_.come_back();
    watch_storm();
  });
}

void run::watch_storm() {
  const auto now = now_ns();
  for (; !again_.empty() && again_.front().first <= now; again_.pop_front())
    inject_into(again_.front().second);
  if (oracle_.open() == 0 && again_.empty()) {
    all_back_ns_ = now;
  } else if (now - back_ns_ < storm_limit_ns) {
    return after(0.01, [this] { watch_storm(); });
  }
  kept_after_ = agents_.open();
  size_ = subject_.size();
  settle();
}

void run::report_rate(json_object& o) const {
  auto sorted = oracle_.dispatch_ns;
  std::sort(sorted.begin(), sorted.end());
  o.add("rate", plan_.rate);
  o.add("dispatch_p50_us", quantile_us(sorted, 0.5));
  o.add("dispatch_p99_us", quantile_us(sorted, 0.99));
  o.add("dispatch_p999_us", quantile_us(sorted, 0.999));
}

void run::report_storm(json_object& o) const {
  const auto& asked = agents_.asked_ns;
  std::vector<double> by_second;
  for (const auto at : asked) {
    const auto second = static_cast<std::size_t>((at - left_ns_) / 1'000'000'000);
    if (second >= by_second.size())
      by_second.resize(second + 1);
    ++by_second[second];
  }
  // What leaves at once is no retry: the storm is what comes after the first second.
  const auto later = std::lower_bound(asked.begin(), asked.end(), left_ns_ + 1'000'000'000);
  auto sorted = back_after_ns_;
  std::sort(sorted.begin(), sorted.end());
  o.add("outage_s", plan_.outage_s);
  o.add("sessions_before", std::uint64_t{kept_before_});
  o.add("sessions_after", std::uint64_t{kept_after_});
  o.add("all_back_s", all_back_ns_ == 0 ? -1.0 : seconds(all_back_ns_ - back_ns_));
  o.add("back_p50_s", quantile_us(sorted, 0.5) / 1e6);
  o.add("back_p99_s", quantile_us(sorted, 0.99) / 1e6);
  o.add("handshakes", std::uint64_t{asked.size()});
  o.add("most_handshakes_in_a_second", std::uint64_t{most_in_a_second(asked)});
  o.add("most_later_in_a_second", std::uint64_t{most_in_a_second({later, asked.end()})});
  o.add("handshakes_by_second", by_second);
  o.add("threads_before", before_storm_.threads);
  o.add("files_before", before_storm_.files);
  o.add("files_after", size_.files);
}

} // namespace pb::bench
