#include "bridges/admin/guard.hpp"

#include <algorithm>
#include <cstdint>

namespace pb::admin {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

bool digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Four numbers, dots between them: never a name that somebody else owns.
bool ipv4(std::string_view s) {
  int parts = 0;
  for (;;) {
    const auto dot = s.find('.');
    const auto part = s.substr(0, dot);
    if (!digits(part) || part.size() > 3)
      return false;
    ++parts;
    if (dot == std::string_view::npos)
      return parts == 4;
    s.remove_prefix(dot + 1);
  }
}

bool ipv6(std::string_view s) {
  return s.find(':') != std::string_view::npos &&
         s.find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
}

int hex(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

} // namespace

bool same_secret(std::string_view shown, std::string_view secret) {
  if (secret.empty())
    return false;
  volatile unsigned different = shown.size() == secret.size() ? 0U : 1U;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto a = static_cast<unsigned char>(shown[i]);
    const auto b = static_cast<unsigned char>(secret[i % secret.size()]);
    different = different | static_cast<unsigned>(a ^ b);
  }
  return different == 0;
}

std::string bearer_of(const http_headers& headers) {
  const auto* value = find_header(headers, "authorization");
  constexpr std::string_view scheme = "bearer ";
  if (value == nullptr || lower(std::string_view(*value).substr(0, scheme.size())) != scheme)
    return {};
  const auto begin = value->find_first_not_of(' ', scheme.size());
  if (begin == std::string::npos)
    return {};
  const auto end = value->find_last_not_of(" \t");
  return value->substr(begin, end - begin + 1);
}

std::string host_name(std::string_view host_header) {
  std::string_view host = host_header;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos)
      return {};
    const auto port = host.substr(end + 1);
    if (!port.empty() && (port[0] != ':' || !digits(port.substr(1))))
      return {};
    const auto literal = lower(host.substr(1, end - 1));
    return ipv6(literal) ? literal : std::string();
  }
  if (const auto colon = host.find(':'); colon != std::string_view::npos) {
    if (!digits(host.substr(colon + 1)))
      return {};
    host = host.substr(0, colon);
  }
  if (host.ends_with('.'))
    host.remove_suffix(1);
  return lower(host);
}

bool loopback_name(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
         (host.starts_with("127.") && ipv4(host));
}

bool host_allowed(std::string_view host_header, std::string_view listen,
                  const std::vector<std::string>& more) {
  const auto host = host_name(host_header);
  if (host.empty())
    return false;
  if (loopback_name(host) || host == lower(listen))
    return true;
  if ((listen == "0.0.0.0" || listen == "::") && (ipv4(host) || ipv6(host)))
    return true;
  return std::any_of(more.begin(), more.end(),
                     [&](const std::string& name) { return lower(name) == host; });
}

bool origin_allowed(const http_headers& headers) {
  const auto* origin = find_header(headers, "origin");
  if (origin == nullptr)
    return true;
  const auto* host = find_header(headers, "host");
  if (host == nullptr)
    return false;
  const auto o = lower(*origin);
  const auto h = lower(*host);
  return o == "http://" + h || o == "https://" + h;
}

std::string decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus) {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 &&
               hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::map<std::string, std::string> decode_query(std::string_view query) {
  std::map<std::string, std::string> out;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    if (!pair.empty()) {
      const auto equals = pair.find('=');
      const auto value =
          equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
      out.emplace(decode(pair.substr(0, equals), true), decode(value, true));
    }
    if (end == std::string_view::npos)
      break;
    query.remove_prefix(end + 1);
  }
  return out;
}

std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos)
    return {};
  const auto name = lower(url.substr(0, scheme));
  if (name != "http" && name != "https")
    return {};
  const auto rest = url.substr(scheme + 3);
  const auto authority = lower(rest.substr(0, rest.find_first_of("/?#")));
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]";
  if (authority.empty() || authority.find_first_not_of(good) != std::string::npos)
    return {};
  return name + "://" + authority;
}

} // namespace pb::admin
