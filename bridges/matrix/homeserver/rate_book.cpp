#include "bridges/matrix/homeserver/rate_book.hpp"

#include "bridges/matrix/homeserver/checks.hpp"

#include <algorithm>
#include <cmath>

namespace pb {

rate_limits rate_limits::synapse_defaults() {
  rate_limits out;
  out.message = {0.2, 10};
  out.room_creation = {0.016, 10};
  out.join = {0.1, 10};
  out.invite_room = {0.3, 10};
  out.invite_receiver = {0.003, 5};
  out.invite_issuer = {0.3, 10};
  return out;
}

namespace hs {

void rate_book::take(const std::optional<call_rate>& rate, const char* kind, const std::string& key,
                     unix_ms now) {
  if (!rate || rate->per_second <= 0)
    return;
  constexpr std::size_t cap = 100'000;
  if (buckets_.size() > cap)
    buckets_.clear();
  auto& b = buckets_[kind + (' ' + key)];
  const auto passed = static_cast<double>(std::max<unix_ms>(0, now - b.at)) / 1000;
  b.level = std::max(0.0, b.level - passed * rate->per_second);
  b.at = now;
  if (b.level > rate->burst - 1) {
    api_error error(429, "M_LIMIT_EXCEEDED", "Too Many Requests");
    if (limits.hints)
      error.body["retry_after_ms"] = static_cast<std::int64_t>(
          std::ceil((b.level - (rate->burst - 1)) / rate->per_second * 1000));
    throw error;
  }
  b.level += 1;
}

} // namespace hs
} // namespace pb
