#pragma once
// Internal to bridges/net: the parts of a URL that we connect to.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pb::net {

struct address {
  bool tls = false;
  std::string host; ///< without brackets
  std::uint16_t port = 0;
  std::string authority; ///< for the Host header: the port only if it is not the scheme's own
  std::string target;    ///< path and query, "/" if there was none
};

/// `family` is "http" or "ws"; the scheme may be that or the same with an "s". nullopt: not such a
/// URL, or one with user information, a fragment or characters that do not belong into a URL.
std::optional<address> parse_address(std::string_view url, std::string_view family);

/// Can be written into a request line: begins with "/", no spaces, no control characters, no "#".
bool valid_target(std::string_view target);
/// RFC 9110 section 5.6.2.
bool valid_token(std::string_view name);
/// No CR, LF or NUL: cannot break out of a header line.
bool valid_value(std::string_view value);

} // namespace pb::net
