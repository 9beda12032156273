#pragma once
// Internal to bridges/net: the first line and the headers of a request that we send.

#include "bridges/http.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace pb::net {

struct request_line {
  std::string_view method, target, authority;
};

/// What would break out of the request line or a header line never reaches a socket.
bool sendable(const request_line& line, const http_headers& headers);

/// `usual`: headers that are sent unless `headers` has them; without a value they are not sent
/// either. Host, lengths and Connection are ours to say, whatever `headers` has. `size` of the
/// body; 0 is told only for methods that carry one. `last`: no other request follows.
void append_head(std::string& out, const request_line& line, const http_headers& headers,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> usual,
                 std::uint64_t size, bool last);

} // namespace pb::net
