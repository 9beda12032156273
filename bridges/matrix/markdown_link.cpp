#include "bridges/matrix/markdown_link.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utf8proc.h>

namespace pb::matrix {
namespace {

constexpr std::size_t max_address = 2048;
constexpr std::array<std::string_view, 5> schemes{"http", "https", "ftp", "mailto", "magnet"};

std::string lower(std::string_view s) {
  std::string out{s};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// As a browser reads a host: wide letters, invisible characters and other dots count as what they
/// look like. Empty: it is none.
std::string plain_host(std::string_view host) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(host.data()),
      static_cast<utf8proc_ssize_t>(host.size()), &mapped,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                                     UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0)
    return {};
  std::string out(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  constexpr std::string_view dot = "\u3002";
  for (auto at = out.find(dot); at != std::string::npos; at = out.find(dot, at))
    out.replace(at, dot.size(), 1, '.');
  while (out.ends_with('.'))
    out.pop_back();
  return out;
}

int hex(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::string decoded(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
      out += static_cast<char>(hex(s[i + 1]) * 16 + hex(s[i + 2]));
      i += 2;
    } else {
      out += s[i];
    }
  }
  return out;
}

/// "#/@alice:hs", "#/room/!r", "#/user/@a:hs": where web clients keep people and rooms.
bool names_somebody(std::string_view fragment) {
  std::string f = lower(decoded(decoded(fragment)));
  f.erase(0, f.find_first_not_of("#/"));
  for (const std::string_view place : {"user/", "room/", "group/"})
    if (f.starts_with(place))
      return true;
  return !f.empty() && (f[0] == '@' || f[0] == '!' || f[0] == '+') && f.find(':') != f.npos;
}

bool good_place(std::string_view rest) {
  if (!rest.starts_with("//"))
    return false;
  rest.remove_prefix(2);
  std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  // Neither names before an "@", which hide the host, nor a host in disguise.
  if (host.find_first_of("@%") != host.npos)
    return false;
  if (const auto colon = host.rfind(':'); colon != host.npos && !host.ends_with(']'))
    host = host.substr(0, colon);
  const std::string plain = plain_host(host);
  if (plain.empty() || plain == "matrix.to" || plain.ends_with(".matrix.to"))
    return false;
  const auto fragment = rest.find('#');
  return fragment == rest.npos || !names_somebody(rest.substr(fragment));
}

} // namespace

std::optional<std::string> link_target(std::string_view address) {
  const auto colon = address.find(':');
  if (address.size() > max_address || colon == address.npos)
    return std::nullopt;
  const std::string scheme = lower(address.substr(0, colon));
  if (std::find(schemes.begin(), schemes.end(), scheme) == schemes.end())
    return std::nullopt;
  // Browsers take "\" for "/" and skip tabs and line ends.
  for (const char c : address)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\')
      return std::nullopt;
  const std::string_view rest = address.substr(colon + 1);
  if (scheme == "magnet"   ? !rest.starts_with('?')
      : scheme == "mailto" ? rest.find_first_not_of("/ ") != 0 || rest.find('@') == rest.npos
                           : !good_place(rest))
    return std::nullopt;
  std::string out = scheme + ':';
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : rest) {
    if (std::string_view{" \"<>^`{|}"}.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += digits[static_cast<unsigned char>(c) >> 4U];
      out += digits[static_cast<unsigned char>(c) & 15U];
    }
  }
  return out;
}

} // namespace pb::matrix
