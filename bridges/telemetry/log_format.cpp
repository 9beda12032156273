#include "bridges/telemetry/log_format.hpp"

#include "messages/json_text.hpp"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace pb {
namespace {

struct decoded {
  char32_t point = 0;
  std::size_t length = 0; ///< 0: the byte at this place is not the start of valid UTF-8
};

decoded decode(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80)
    return {first, 1};
  std::size_t length = 0;
  char32_t point = 0;
  char32_t least = 0;
  if ((first & 0xE0U) == 0xC0U) {
    length = 2, point = first & 0x1FU, least = 0x80;
  } else if ((first & 0xF0U) == 0xE0U) {
    length = 3, point = first & 0x0FU, least = 0x800;
  } else if ((first & 0xF8U) == 0xF0U) {
    length = 4, point = first & 0x07U, least = 0x10000;
  } else {
    return {};
  }
  if (s.size() < length)
    return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U)
      return {};
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < least || point > 0x10FFFF || surrogate)
    return {};
  return {point, length};
}

/// What a terminal would obey or an eye would not see.
bool unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x061C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F && c != 0x200C && c != 0x200D) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

template <class... Args>
void append(std::string& out, const char* format, Args... args) {
  std::array<char, 24> buffer{};
  const int n = std::snprintf(buffer.data(), buffer.size(), format, args...);
  if (n > 0)
    out.append(buffer.data(), static_cast<std::size_t>(n));
}

/// Cuts without splitting a character.
void cut(std::string& s, std::size_t limit) {
  static constexpr std::string_view ellipsis = "…";
  if (s.size() <= limit)
    return;
  std::size_t end = limit > ellipsis.size() ? limit - ellipsis.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(s[end]) & 0xC0U) == 0x80U)
    --end;
  s.resize(end);
  s += ellipsis;
}

/// A field's value as one word: quoted where a reader could not tell where it ends.
std::string word(const std::string& value) {
  auto safe = escape_log(value);
  if (!safe.empty() && safe.find_first_of(" \"=") == std::string::npos)
    return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"')
      quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string without_braces(const nlohmann::ordered_json& object) {
  const auto text = json_text(object);
  return text.substr(1, text.size() - 2);
}

bool reserved(std::string_view key) {
  return key == "time" || key == "level" || key == "event" || key == "trace" || key == "text" ||
         key == "truncated";
}

} // namespace

std::string escape_log(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [point, length] = decode(text);
    if (length == 0) {
      append(out, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(text[0])));
      text.remove_prefix(1);
      continue;
    }
    if (point == '\\')
      out += "\\\\";
    else if (point == '\n')
      out += "\\n";
    else if (point == '\r')
      out += "\\r";
    else if (point == '\t')
      out += "\\t";
    else if (!unsafe(point))
      out += text.substr(0, length);
    else if (point < 0x80)
      append(out, "\\x%02x", static_cast<unsigned>(point));
    else
      append(out, "\\u{%x}", static_cast<unsigned>(point));
    text.remove_prefix(length);
  }
  return out;
}

std::string text_line(std::string_view event, const trace& about, std::string_view text,
                      log_fields fields, std::size_t limit) {
  std::string out = escape_log(event);
  if (!about.ref.empty())
    out += " trace=" + word(about.ref);
  for (const auto& f : fields)
    out += ' ' + escape_log(f.key) + '=' + word(f.value);
  if (!text.empty())
    out += ' ' + escape_log(text.substr(0, limit));
  cut(out, limit);
  return out;
}

std::string json_members(std::string_view event, const trace& about, std::string_view text,
                         log_fields fields, std::size_t limit) {
  nlohmann::ordered_json line;
  line["event"] = event;
  if (!about.ref.empty())
    line["trace"] = about.ref;
  line["text"] = text.substr(0, limit);
  for (const auto& f : fields) {
    // A field must not replace what every reader of the log relies on.
    std::string key(f.key);
    if (reserved(key))
      key += '_';
    const auto number = f.bare ? nlohmann::ordered_json::parse(f.value, nullptr, false)
                               : nlohmann::ordered_json(f.value);
    line[key] = number.is_discarded() ? nlohmann::ordered_json(f.value) : number;
  }
  auto out = without_braces(line);
  if (out.size() <= limit)
    return out;
  // Escaping makes a byte into six at most, so this stays under any limit of 2,000 bytes or more.
  nlohmann::ordered_json shorter;
  shorter["event"] = event.substr(0, 80);
  if (!about.ref.empty())
    shorter["trace"] = about.ref.substr(0, 80);
  shorter["text"] = text.substr(0, 120);
  shorter["truncated"] = true;
  return without_braces(shorter);
}

} // namespace pb
