#pragma once
// A JSON text of an agent, read tolerantly: what is missing, or of another type, is not there.

#include "bridges/agent/agent_ws/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pb::agent_json {

/// A value in a parsed document, or nothing. Lives as long as the document does: until the same
/// thread parses again. Strings come out as UTF-8 without NUL.
class value {
public:
  value() = default;
  explicit value(element found) : found_(found) {}

  /// It is there, and not null.
  explicit operator bool() const { return found_ && !found_->is_null(); }
  /// A field of an object; of a repeated one the last counts. Nothing: it has none of that name.
  value operator[](std::string_view key) const;
  [[nodiscard]] bool is_object() const { return found_ && found_->is_object(); }
  [[nodiscard]] bool is_array() const { return found_ && found_->is_array(); }
  /// The string, or nothing.
  [[nodiscard]] std::optional<std::string> string() const;
  /// The string, or "".
  [[nodiscard]] std::string text() const { return string().value_or(std::string()); }
  /// As JSON text without spaces; missing is "null".
  [[nodiscard]] std::string json() const;
  /// A number, nothing for anything else.
  [[nodiscard]] std::optional<double> number() const;
  /// A whole number of 64 bits, nothing for anything else.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  /// True only for true.
  [[nodiscard]] bool truth() const;
  /// The items of an array; else none.
  [[nodiscard]] std::vector<value> items() const;
  /// The fields of an object; else none.
  [[nodiscard]] std::vector<std::pair<std::string, value>> fields() const;

private:
  std::optional<element> found_;
};

/// A name that an agent chose, for the log: short, and nothing that could pass for a log line.
std::string loggable(std::string_view name);

} // namespace pb::agent_json
