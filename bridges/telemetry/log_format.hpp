#pragma once
// Pure text of log lines; hostile input is what this file is about.

#include "bridges/telemetry/log.hpp"

#include <string>
#include <string_view>

namespace pb {

/// Makes any bytes safe for a terminal and for tools that read lines: control characters (C0, C1,
/// DEL), bidirectional marks, invisible separators and tag characters become \n, \r, \t, \xNN or
/// \u{NNNN}; a backslash is doubled; bytes that are not UTF-8 become \xNN. Everything else stays.
std::string escape_log(std::string_view text);

/// What follows time and level in the text format, at most `limit` bytes (a cut ends with "…").
std::string text_line(std::string_view event, const trace& about, std::string_view text,
                      log_fields fields, std::size_t limit);

/// The members of the JSON object after time and level, without the braces. Over `limit` bytes the
/// fields are left out, `text` is shortened and "truncated":true is added. Invalid UTF-8 becomes
/// U+FFFD.
std::string json_members(std::string_view event, const trace& about, std::string_view text,
                         log_fields fields, std::size_t limit);

} // namespace pb
