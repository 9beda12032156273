#pragma once
// How fast an account may send: learned from what the homeserver refuses. Pure: time is passed in,
// on any clock that only goes forward.
//
// Nothing is limited before the first 429. From then on it is a token bucket. Two refusals and what
// was accepted between them give the rate almost exactly, because the homeserver's bucket was empty
// at both; what it asks us to wait says when the next place is free. Between refusals the rate
// creeps up (additive), a refusal sets it back (multiplicative), and after a long time without one
// it grows faster and faster until nothing is limited any more: the operator has lifted the limit.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <optional>

namespace pb {

class send_budget {
public:
  using time = std::chrono::milliseconds;

  [[nodiscard]] bool limited() const { return limited_; }
  /// Messages a second; 0: nothing is limited.
  [[nodiscard]] double rate() const { return limited_ ? rate_ : 0; }
  /// Messages at once after a rest.
  [[nodiscard]] double burst() const { return limited_ ? burst_ : 0; }

  /// How long a request of that cost has to wait; zero: it may go.
  [[nodiscard]] time wait_for(time now, double cost) const {
    if (!limited_)
      return time{0};
    const auto missing = std::min(cost, burst_) - tokens(now);
    if (missing <= 1e-9)
      return time{0};
    return time{static_cast<std::int64_t>(std::ceil(missing / rate_ * 1000))};
  }

  /// A request leaves.
  void spent(time now, double cost) {
    if (!limited_)
      return;
    const auto found = uncut(now);
    // A rest that filled the bucket: what is counted between refusals says nothing of the rate.
    rested_ = rested_ || found >= burst_ + 1;
    pressed_ = found < std::min(burst_ + 1, 3.0);
    tokens_ = std::min(burst_, found);
    at_ = now;
    tokens_ -= cost;
  }

  /// It was taken. `sent`: when it left.
  void accepted(time sent, double cost) {
    history_.push_back({sent, cost});
    if (history_.size() > history_cap) {
      // Without news for so long: as if the homeserver's bucket had been empty then.
      empty_at_ = std::max(empty_at_, history_.front().at);
      history_.pop_front();
    }
    if (!limited_)
      return;
    if (sent <= refused_at_) { // it left before the refusal and was answered after it
      if (!measured_)
        burst_ = std::max(burst_, std::floor(level(sent, rate_, time{0}, 0)));
      return;
    }
    taken_ += cost;
    if (!pressed_)
      return; // nobody waited: it says nothing of what would be too fast
    ++streak_;
    if (streak_ <= (measured_ ? patience : slow_start)) {
      rate_ += base_ * creep;
    } else if (sent - leapt_at_ >= time{1000}) { // what was stored up at the homeserver goes first
      rate_ *= leap;
      leapt_at_ = sent;
    }
    if (rate_ > no_limit)
      *this = send_budget{};
  }

  /// It was refused for its rate. `hint`: how long the homeserver asks us to wait.
  void refused(time now, time sent, std::optional<time> hint) {
    const auto wait = hint.value_or(time{0});
    const auto free = now + wait;
    // What left before we knew is the same news again; only its hint may say more.
    if (limited_ && sent <= refused_at_) {
      if (wait > time{0} && free > empty_at_)
        empty_until(now, free);
      return;
    }
    const double by_hint = wait > time{0} ? 1000.0 / static_cast<double>(wait.count()) : 0;
    double next = rate_;
    if (!limited_) {
      limited_ = true;
      next = by_hint > 0 ? by_hint : first_guess;
      rate_ = bounded(next);
      burst_ = std::max(1.0, std::floor(level(sent, rate_, time{0}, 0)));
    } else if (taken_ >= (by_hint > 0 ? 1 : 3) && free > empty_at_) {
      next = measured(free) * backed_off;
      measured_ = true;
    } else {
      next = rate_ * (taken_ > 0 ? eased : by_hint > 0 ? 1 : halved);
      if (by_hint > 0) // the next place becomes free within one interval
        next = std::min(next, by_hint);
    }
    if (rested_)
      burst_ = std::max(1.0, burst_ * eased);
    rate_ = bounded(next);
    base_ = rate_;
    refused_at_ = at_ = now;
    empty_at_ = free;
    taken_ = 0;
    streak_ = 0;
    rested_ = false;
    tokens_ = 0;
    if (wait > time{0}) {
      tokens_ = 1;
      empty_until(now, free);
    }
  }

  /// The next place is free then: for refusals of others that share the account.
  void hold_until(time now, time free) {
    if (limited_ && free > now && tokens(free) > 1)
      empty_until(now, free);
  }

private:
  static constexpr double first_guess = 1;    ///< a second, without a hint
  static constexpr double slowest = 1.0 / 64; ///< Synapse's slowest bucket of an account
  static constexpr double no_limit = 50;      ///< faster than rooms ever talk
  static constexpr double creep = 0.0025, leap = 1.1;
  static constexpr double backed_off = 0.97, eased = 0.8, halved = 0.5;
  static constexpr unsigned patience = 40;  ///< messages without a refusal before it leaps
  static constexpr unsigned slow_start = 4; ///< the same before the rate was ever measured
  static constexpr std::size_t history_cap = 128;
  struct sending {
    time at;
    double cost;
  };

  [[nodiscard]] double uncut(time now) const {
    const auto passed = std::chrono::duration<double>(std::max(now - at_, time{0})).count();
    return tokens_ + passed * rate_;
  }
  [[nodiscard]] double tokens(time now) const { return std::min(burst_, uncut(now)); }
  /// Exactly one place is free at `free`, and a little later than that, for the way there.
  void empty_until(time now, time free) {
    empty_at_ = std::max(empty_at_, free);
    at_ = now;
    const auto wait = std::chrono::duration<double>(free + margin - now).count();
    tokens_ = std::min(tokens_, 1 - wait * rate_);
  }
  /// How full the homeserver's bucket is, by what it took, if it leaks at that rate.
  [[nodiscard]] double level(time now, double rate, time from, double full) const {
    const auto leak = [&](time to) {
      const auto passed = std::chrono::duration<double>(std::max(to - from, time{0})).count();
      full = std::max(0.0, full - passed * rate);
      from = std::max(from, to);
    };
    const auto start = from; // answers come in any order
    for (const auto& s : history_)
      if (s.at >= start) {
        leak(s.at);
        full += s.cost;
      }
    leak(now);
    return full;
  }
  /// The slowest rate at which what it took since the last refusal leaves one place free at `now`.
  [[nodiscard]] double measured(time now) const {
    double low = rate_ / 8, high = rate_ * 2;
    for (int i = 0; i < 24; ++i) {
      const auto middle = (low + high) / 2;
      (level(now, middle, empty_at_, burst_ - 1) > burst_ - 1 + 1e-6 ? low : high) = middle;
    }
    return high;
  }
  static double bounded(double rate) { return std::clamp(rate, slowest, no_limit / 2); }

  static constexpr time margin{20};

  bool limited_ = false, rested_ = false, pressed_ = false;
  bool measured_ = false; ///< refused twice with something taken in between
  double rate_ = 0, base_ = 0, burst_ = 1, tokens_ = 0, taken_ = 0;
  unsigned streak_ = 0;
  time at_{0}, refused_at_{0}, leapt_at_{0};
  time empty_at_{0}; ///< when the homeserver's bucket had room for exactly one
  std::deque<sending> history_;
};

} // namespace pb
