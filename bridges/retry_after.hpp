#pragma once
// How long a server asks to be left alone (RFC 9110, 5.6.7 and 10.2.3). Pure.

#include "bridges/http.hpp"
#include "messages/values/ids.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace pb {

/// Seconds or an HTTP date in any of the three forms of RFC 9110, 5.6.7; 0 to 1 h; nothing if it is
/// neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, unix_ms now);

/// An HTTP date in any of the three forms; `now` tells the century of the one with two digits.
std::optional<unix_ms> parse_http_date(std::string_view text, unix_ms now);

/// What the headers of an answer ask for; nothing if they do not. A date is measured against the
/// answer's own Date, because the server's clock may be a day off; `now` where it has none.
std::optional<std::chrono::milliseconds> retry_after(const http_headers& headers, unix_ms now);

} // namespace pb
