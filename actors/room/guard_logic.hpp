#pragma once
// Two bots that answer each other never stop by themselves. Who is let in besides the owner and
// writes right behind each of our answers, again and again, is not listened to for a while. Pure.

#include "messages/values/ids.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace pb {

class loop_guard {
public:
  using time = std::chrono::milliseconds; ///< on the room's clock
  static constexpr std::chrono::milliseconds too_fast{2'000};
  static constexpr unsigned bounces = 5; ///< in a row
  static constexpr std::chrono::milliseconds silence{600'000};
  static constexpr std::size_t cap = 64; ///< people; the room lets no more in

  enum class verdict { listen, tell, ignore };

  /// An answer of ours to this person left.
  void answered(const user_id& who, time now) {
    if (people_.size() < cap || people_.contains(who))
      people_[who].answered = now;
  }

  /// They write. `tell`: this once they are told why nobody listens.
  verdict wrote(const user_id& who, time now) {
    const auto i = people_.find(who);
    if (i == people_.end())
      return verdict::listen;
    auto& p = i->second;
    if (now < p.deaf_until)
      return verdict::ignore;
    const bool fast = p.answered > time{0} && now - p.answered < too_fast;
    p.answered = time{0};
    p.fast = fast ? p.fast + 1 : 0;
    if (p.fast < bounces)
      return verdict::listen;
    p.fast = 0;
    p.deaf_until = now + silence;
    return verdict::tell;
  }

  /// Somebody is not listened to: who forgot it would begin to listen again.
  [[nodiscard]] bool deaf(time now) const {
    return std::any_of(people_.begin(), people_.end(),
                       [&](const auto& p) { return now < p.second.deaf_until; });
  }

private:
  struct person {
    time answered{0}, deaf_until{0};
    unsigned fast = 0;
  };
  std::map<user_id, person> people_;
};

} // namespace pb
