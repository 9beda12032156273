#include "bridges/http.hpp"

#include <algorithm>

namespace pb {

namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

const std::string* find_header(const http_headers& headers, std::string_view name) {
  auto same = [](char a, char b) { return lower(a) == lower(b); };
  for (const auto& h : headers)
    if (std::equal(h.name.begin(), h.name.end(), name.begin(), name.end(), same))
      return &h.value;
  return nullptr;
}

std::string_view to_string(http_error e) {
  switch (e) {
  case http_error::bad_address:
    return "bad_address";
  case http_error::resolve:
    return "resolve";
  case http_error::connect:
    return "connect";
  case http_error::tls:
    return "tls";
  case http_error::timeout:
    return "timeout";
  case http_error::closed:
    return "closed";
  case http_error::too_large:
    return "too_large";
  case http_error::malformed:
    return "malformed";
  case http_error::busy:
    return "busy";
  case http_error::cancelled:
    return "cancelled";
  case http_error::disk:
    return "disk";
  case http_error::disk_full:
    return "disk_full";
  }
  return "unknown";
}

} // namespace pb
