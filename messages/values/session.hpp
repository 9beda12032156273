#pragma once
// The bot's session with its homeserver.

#include "messages/values/ids.hpp"

#include <array>
#include <string>
#include <string_view>

namespace pb {

struct session_ref {
  std::string origin; ///< scheme://host[:port]
  std::string
      prefix; ///< path prefix of the homeserver's URL, empty or "/…" without a slash at the end
  std::string access_token;
  user_id user;
  device_id device;

  /// Where our transaction ids count: the device, and the token, because servers before 2023
  /// (Synapse 1.67 is one) forget them with the token. A row of another scope may have been sent:
  /// its room says so. The token itself cannot be found from its 32-bit fingerprint.
  [[nodiscard]] device_id scope() const {
    std::uint32_t print = 2166136261U; // FNV-1a: the same in every build
    for (const char c : access_token)
      print = (print ^ static_cast<unsigned char>(c)) * 16777619U;
    constexpr std::string_view digits = "0123456789abcdef";
    auto text = device.value + "/";
    for (int shift = 28; shift >= 0; shift -= 4)
      text.push_back(digits[(print >> shift) & 15U]);
    return device_id{std::move(text)};
  }
};

} // namespace pb
