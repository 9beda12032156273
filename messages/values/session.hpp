#pragma once
// The bot's session with its homeserver.

#include "messages/values/ids.hpp"

#include <string>

namespace pb {

struct session_ref {
  std::string origin; ///< scheme://host[:port]
  std::string
      prefix; ///< path prefix of the homeserver's URL, empty or "/…" without a slash at the end
  std::string access_token;
  user_id user;
  device_id device; ///< scope of our transaction ids
};

} // namespace pb
