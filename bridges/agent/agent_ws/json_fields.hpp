#pragma once
// The fields of one JSON object as a codec wants them: by our names, tolerant of wrong types.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

namespace pb::agent_json {

/// Every field of every event that an agent sends.
enum class field : std::uint8_t {
  type,
  message_id,
  text,
  tool_call_id,
  tool_name,
  args_chunk,
  result,
  is_error,
  name,
  payload,
  path,
  confirmation_id,
  prompt,
  expires_in,
  event_id,
  kind,
  attachments,
  tokens_used,
  usage,
  input_tokens,
  output_tokens,
  code,
  details,
  retryable,
  message,
  status,
  chat_id,
};
inline constexpr std::size_t field_count = 27;
inline constexpr std::array<std::string_view, field_count> field_labels{
    "type",    "message_id",   "text",          "tool_call_id", "tool_name",   "args_chunk",
    "result",  "is_error",     "name",          "payload",      "path",        "confirmation_id",
    "prompt",  "expires_in",   "event_id",      "kind",         "attachments", "tokens_used",
    "usage",   "input_tokens", "output_tokens", "code",         "details",     "retryable",
    "message", "status",       "chat_id"};

/// Names on the wire → our fields: ours and the agent's aliases.
using field_names = std::map<std::string, field, std::less<>>;

using element = simdjson::dom::element;

/// UTF-8 without NUL, which neither Matrix nor a file name can hold: U+FFFD stands for it.
std::string scrubbed(std::string_view text);

/// The known fields of an object; of a repeated one the last counts, as in most languages.
class fields {
public:
  fields() = default;
  fields(const simdjson::dom::object& object, const field_names& names);

  [[nodiscard]] bool has(field f) const { return find(f).has_value(); }
  /// The string, or nothing: missing or of another type.
  [[nodiscard]] std::optional<std::string> string(field f) const;
  /// A string as it is, anything else as JSON text, missing and null as "".
  [[nodiscard]] std::string loose(field f) const;
  /// As JSON text; missing is "null".
  [[nodiscard]] std::string json(field f) const;
  /// A number, or a string that is one; out of range: the end of the range.
  [[nodiscard]] std::optional<double> number(field f) const;
  /// True only for true.
  [[nodiscard]] bool truth(field f) const;
  /// The strings of an array; other items are left out.
  [[nodiscard]] std::vector<std::string> strings(field f) const;
  /// Missing, null, or an array of nothing but strings.
  [[nodiscard]] bool only_strings(field f) const;
  /// The fields of an object; empty if it is none.
  [[nodiscard]] fields nested(field f, const field_names& names) const;

private:
  [[nodiscard]] const std::optional<element>& find(field f) const {
    return values_[static_cast<std::size_t>(f)];
  }
  std::array<std::optional<element>, field_count> values_;
};

/// A parsed frame: what is wrong with it (empty: nothing), or its object. The object lives until
/// the same thread parses again.
struct parsed {
  std::string_view wrong;
  simdjson::dom::object object{};
  element root{}; ///< the same
};
parsed parse(std::string_view text, std::size_t depth);
/// Gives back the memory that an unusually large frame took. Ends the life of the parsed object.
void release_large();

} // namespace pb::agent_json
