#include "config/urls.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace pb::config {

namespace {

constexpr std::size_t longest = 2'048;

bool is_printable_ascii(char c) { return c > 0x20 && c < 0x7f; }

verdict check_port(std::string_view port) {
  std::uint32_t value = 0;
  const auto* end = port.data() + port.size();
  const auto [stopped, code] = std::from_chars(port.data(), end, value);
  if (port.empty() || code != std::errc{} || stopped != end || value == 0 || value > 65'535)
    return wrong{"the address has no port from 1 to 65535 after its colon"};
  return std::nullopt;
}

/// host, host:port, [v6], [v6]:port
verdict check_authority(std::string_view authority) {
  if (authority.find('@') != std::string_view::npos)
    return wrong{"the address holds a user or a password",
                 "take it out: secrets stand behind {env: NAME} or {file: PATH}"};
  std::string_view host = authority, port;
  bool has_port = false;
  const bool v6 = authority.starts_with('[');
  if (v6) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos)
      return wrong{"the address has a [ without its ]"};
    host = authority.substr(1, end - 1);
    const auto rest = authority.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port)
      return wrong{"the address has something between ] and its path"};
    port = has_port ? rest.substr(1) : rest;
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    has_port = true;
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (host.empty())
    return wrong{"the address has no host"};
  const auto allowed = [&](char c) {
    const bool alnum = std::isalnum(static_cast<unsigned char>(c)) != 0;
    return alnum || c == '.' || (v6 ? c == ':' : c == '-' || c == '_');
  };
  if (host.size() > 253 || !std::all_of(host.begin(), host.end(), allowed))
    return wrong{"the address has no valid host"};
  return has_port ? check_port(port) : std::nullopt;
}

parsed<std::string> check(const std::string& text, const std::vector<std::string_view>& schemes) {
  const auto mark = text.find("://");
  if (mark == std::string::npos || mark == 0)
    return no("the address has no scheme");
  auto scheme = text.substr(0, mark);
  for (auto& c : scheme)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (std::find(schemes.begin(), schemes.end(), scheme) == schemes.end())
    return no("the address has a scheme that is not spoken here");
  if (text.size() > longest)
    return no("the address is longer than " + std::to_string(longest) + " bytes");
  const std::string_view rest = std::string_view{text}.substr(mark + 3);
  const auto slash = std::min(rest.find_first_of("/?#"), rest.size());
  // The authority first: an unescaped '@' behind a strange character is a password all the same.
  if (auto bad = check_authority(rest.substr(0, slash)))
    return tl::unexpected(std::move(*bad));
  if (!std::all_of(text.begin(), text.end(), is_printable_ascii))
    return no("the address has spaces or characters outside ASCII", "write them percent-encoded");
  if (rest.find_first_of("?#") != std::string_view::npos)
    return no("the address has a query or a fragment", "end it with the host or a path prefix");
  return scheme + text.substr(mark);
}

} // namespace

parsed<std::string> homeserver_url(const std::string& text) {
  auto out = check(text, {"http", "https"});
  if (out)
    while (out->ends_with('/'))
      out->pop_back();
  return out;
}

parsed<std::string> agent_base_url(const std::string& text) {
  return check(text, {"http", "https", "ws", "wss"});
}

std::string base_of_ws_url(const std::string& text) {
  static constexpr std::string_view chat = "/v1/agent_ws";
  const auto at = text.rfind(chat);
  if (at == std::string::npos)
    return text;
  // Only a whole last part: "/v1/agent_ws", "/v1/agent_ws/", "/v1/agent_ws/7", "/v1/agent_ws/7/".
  std::string_view rest = std::string_view{text}.substr(at + chat.size());
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  const bool whole = rest.empty() || (rest.front() == '/' && rest.find('/', 1) == rest.npos);
  return whole ? text.substr(0, at) : text;
}

} // namespace pb::config
