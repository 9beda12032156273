#include "bridges/agent/acp/file_uri.hpp"

#include <algorithm>
#include <cstddef>
#include <simdjson.h>

namespace pb::acp {
namespace {

constexpr std::string_view hex = "0123456789ABCDEF";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").find(c) != std::string_view::npos;
}

int digit(char c) {
  if (c >= 'a' && c <= 'f')
    c = static_cast<char>(c - 'a' + 'A');
  const auto at = hex.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// As it stands where the bytes behind it are no text.
std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high >= 0 ? digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  const bool good = out.find('\0') == std::string::npos && simdjson::validate_utf8(out);
  return good ? out : std::string(text);
}

bool starts_without_case(std::string_view text, std::string_view with) {
  return text.size() >= with.size() &&
         std::equal(with.begin(), with.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
         });
}

} // namespace

std::string file_uri(std::string_view folder, std::string_view path) {
  while (folder.ends_with('/'))
    folder.remove_suffix(1);
  std::string all(folder);
  all += '/';
  all += path;
  std::string out = "file://";
  for (const char c : all) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
  return out;
}

std::optional<std::string> path_of(std::string_view uri) {
  if (uri.starts_with('/') && !uri.starts_with("//"))
    return std::string(uri);
  if (!starts_without_case(uri, "file:"))
    return std::nullopt;
  uri.remove_prefix(5);
  if (uri.starts_with("//")) {
    uri.remove_prefix(2);
    if (starts_without_case(uri, "localhost/"))
      uri.remove_prefix(9);
  }
  if (!uri.starts_with('/'))
    return std::nullopt;
  return decoded(uri.substr(0, uri.find_first_of("?#")));
}

std::string below(std::string_view folder, std::string_view path) {
  while (folder.ends_with('/'))
    folder.remove_suffix(1);
  if (path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/')
    return std::string(path.substr(folder.size() + 1));
  return std::string(path);
}

std::string last_part(std::string_view uri) {
  uri = uri.substr(0, uri.find_first_of("?#"));
  while (uri.ends_with('/'))
    uri.remove_suffix(1);
  return decoded(uri.substr(uri.rfind('/') + 1));
}

} // namespace pb::acp
