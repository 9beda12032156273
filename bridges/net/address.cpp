#include "bridges/net/address.hpp"

#include <algorithm>
#include <charconv>

namespace pb::net {

namespace {

constexpr bool alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool valid_host(std::string_view host, bool brackets) {
  if (host.empty() || host.size() > 253)
    return false;
  return std::all_of(host.begin(), host.end(), [&](char c) {
    return alnum(c) || c == '.' || (brackets ? c == ':' || c == '%' : c == '-' || c == '_');
  });
}

bool same_scheme(std::string_view given, std::string_view want) {
  return std::equal(given.begin(), given.end(), want.begin(), want.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

} // namespace

std::optional<address> parse_address(std::string_view url, std::string_view family) {
  address out;
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos)
    return std::nullopt;
  const auto scheme = url.substr(0, scheme_end);
  out.tls = same_scheme(scheme, std::string(family) + "s");
  if (!out.tls && !same_scheme(scheme, family))
    return std::nullopt;
  url.remove_prefix(scheme_end + 3);

  const auto path = std::min(url.find_first_of("/?#"), url.size());
  auto authority = url.substr(0, path);
  out.target = url.substr(path);
  if (out.target.empty() || out.target.front() == '?')
    out.target.insert(out.target.begin(), '/');
  if (!valid_target(out.target))
    return std::nullopt;

  const bool brackets = !authority.empty() && authority.front() == '[';
  std::string_view host, port;
  if (brackets) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos)
      return std::nullopt;
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (!valid_host(host, brackets))
    return std::nullopt;
  const std::uint16_t usual = out.tls ? 443 : 80;
  out.port = usual;
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (ec != std::errc{} || end != port.data() + port.size() || out.port == 0)
      return std::nullopt;
  }
  out.host = host;
  out.authority = brackets ? "[" + out.host + "]" : out.host;
  if (out.port != usual)
    out.authority += ":" + std::to_string(out.port);
  return out;
}

bool valid_target(std::string_view target) {
  return !target.empty() && target.front() == '/' &&
         std::all_of(target.begin(), target.end(), [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#';
         });
}

bool valid_token(std::string_view name) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return alnum(c) || others.find(c) != std::string_view::npos;
  });
}

bool valid_value(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

} // namespace pb::net
