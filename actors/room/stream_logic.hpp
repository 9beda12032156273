#pragma once
// When a running answer is shown: a draft soon after its first word, then edits at a slowing pace,
// at most so many. Pure; times are those of the room's clock.

#include "messages/values/settings.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace pb {

struct stream_rules {
  streaming_mode mode = streaming_mode::edits;
  std::chrono::milliseconds min_interval{1'000}, max_interval{5'000};
  std::uint32_t max_edits = 30;
  /// An answer that is over by then needs no draft.
  std::chrono::milliseconds first_after{100};
};

class stream_plan {
public:
  using time = std::chrono::milliseconds;

  stream_plan() = default;
  explicit stream_plan(stream_rules rules) : rules_(rules) {}

  /// There is something new to show.
  void changed(time now) {
    if (!news_since_)
      news_since_ = now;
  }

  /// When the news is to be shown; nothing: there is none, or no edit is left for it.
  [[nodiscard]] std::optional<time> due() const {
    if (!news_since_ || rules_.mode != streaming_mode::edits || shown_ > rules_.max_edits)
      return std::nullopt;
    if (shown_ == 0)
      return *news_since_ + rules_.first_after;
    return std::max(*news_since_, last_ + interval_);
  }

  /// What there was has been shown: the draft, or one more edit.
  void shown(time now) {
    interval_ = shown_ == 0 ? std::min(rules_.min_interval, rules_.max_interval)
                            : std::min(interval_ + interval_ / 6, rules_.max_interval);
    ++shown_;
    last_ = now;
    news_since_.reset();
  }

  [[nodiscard]] std::uint32_t requests() const { return shown_; }

private:
  stream_rules rules_;
  std::optional<time> news_since_;
  time last_{0}, interval_{0};
  std::uint32_t shown_ = 0;
};

} // namespace pb
