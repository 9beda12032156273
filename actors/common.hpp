#pragma once
// What actors share: the clock for people, telemetry, chance, errors from faults, HTTP with
// callbacks.

#include "actors/chance.hpp"
#include "bridges/http.hpp"
#include "bridges/telemetry/log.hpp"
#include "bridges/telemetry/metrics.hpp"
#include "messages/actors.hpp"
#include "messages/values/fault.hpp"

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>

namespace pb {

/// Handed to every actor. Copies share what they point to; cli owns the originals.
struct surroundings {
  std::shared_ptr<logger> log;
  std::shared_ptr<metrics> numbers;
  std::function<unix_ms()> wall; ///< time for rows and people; virtual in tests
  std::uint64_t seed = 0;        ///< each actor mixes its own name in
  /// Gives free memory back to the system; null: nobody does. For the end of work that held much.
  std::function<void()> tidy{};
};

/// For requests to actors of this process. They answer, or end, which the request hears of: no
/// timer is needed to notice, and in CAF 0.17 a timer for each request wakes the clock's thread
/// twice and is kept until it rings.
constexpr caf::infinite_t in_house = caf::infinite;

/// An engine of an actor's own: the same seed and name give the same chances.
inline std::mt19937_64 engine_for(const surroundings& around, std::string_view who) {
  return std::mt19937_64{around.seed ^ std::hash<std::string_view>{}(who)};
}

/// The same, small: for actors of which there are many.
inline chance chance_for(const surroundings& around, std::string_view who) {
  return chance{around.seed ^ std::hash<std::string_view>{}(who)};
}

/// 128 random bits as 32 hex digits.
std::string random_id(random_bits engine);

/// Backoff with full jitter: between half of and all of min(cap, base · 2ⁿ).
std::chrono::milliseconds backoff(random_bits engine, unsigned failures,
                                  std::chrono::milliseconds base, std::chrono::milliseconds cap);

/// A fault as CAF's error and back: the code survives, and so do cause and sentence.
caf::error to_error(const fault& f);
fault to_fault(const caf::error& e);

/// JSON text of a string, quotes included; invalid UTF-8 is replaced.
std::string json_quote(std::string_view text);

/// HTTP for one actor: answers come back as messages of the actor and find their continuation here.
class http_calls {
public:
  using then = std::function<void(http_result&)>;

  http_calls(std::shared_ptr<http_client> client, const caf::strong_actor_ptr& self)
      : client_(std::move(client)), self_(caf::actor_cast<caf::weak_actor_ptr>(self)) {}

  /// `next` runs inside the actor, exactly once, unless the actor ends before.
  std::uint64_t send(http_request request, then next);
  void cancel(std::uint64_t call);
  void finish(http_finished& message);
  [[nodiscard]] std::size_t open() const { return waiting_.size(); }
  void cancel_all();

private:
  struct entry {
    then next;
    http_ticket ticket = 0;
  };
  std::shared_ptr<http_client> client_;
  caf::weak_actor_ptr self_; ///< weak: a request never keeps an actor, or the shutdown, alive
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, entry> waiting_;
};

} // namespace pb
