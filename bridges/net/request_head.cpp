#include "bridges/net/request_head.hpp"

#include "bridges/net/address.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>

namespace pb::net {

namespace {

bool set_by_us(std::string_view name) {
  constexpr std::array<std::string_view, 4> names{"Host", "Content-Length", "Transfer-Encoding",
                                                  "Connection"};
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view n) { return boost::beast::iequals(name, n); });
}

void append(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

bool sendable(const request_line& line, const http_headers& headers) {
  return valid_token(line.method) && valid_target(line.target) &&
         std::all_of(headers.begin(), headers.end(), [](const http_header& h) {
           return valid_token(h.name) && valid_value(h.value);
         });
}

void append_head(std::string& out, const request_line& line, const http_headers& headers,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> usual,
                 std::uint64_t size, bool last) {
  out.append(line.method).append(" ").append(line.target).append(" HTTP/1.1\r\n");
  append(out, "Host", line.authority);
  for (const auto& h : headers)
    if (!set_by_us(h.name))
      append(out, h.name, h.value);
  for (const auto& [name, value] : usual)
    if (!value.empty() && find_header(headers, name) == nullptr)
      append(out, name, value);
  const bool carries = line.method == "POST" || line.method == "PUT" || line.method == "PATCH";
  if (size > 0 || carries)
    append(out, "Content-Length", std::to_string(size));
  if (last)
    append(out, "Connection", "close");
  out.append("\r\n");
}

} // namespace pb::net
