#pragma once
// Leaky buckets, counted as Synapse counts them.

#include "bridges/matrix/homeserver/homeserver.hpp"

#include <map>
#include <string>

namespace pb::hs {

class rate_book {
public:
  rate_limits limits;

  /// Throws api_error 429 M_LIMIT_EXCEEDED with retry_after_ms when the bucket is full.
  void take(const std::optional<call_rate>& rate, const char* kind, const std::string& key,
            unix_ms now);

private:
  struct bucket {
    double level = 0;
    unix_ms at = 0;
  };
  std::map<std::string, bucket> buckets_;
};

} // namespace pb::hs
