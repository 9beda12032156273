#include "bridges/matrix/text.hpp"

#include <algorithm>

namespace pb::matrix {
namespace {

constexpr std::string_view blank = " \t\r\n";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Length of the well-formed character at the front (1 to 4); 0: none, and `bad` bytes are to be
/// replaced together.
std::size_t character(std::string_view s, std::size_t& bad) {
  const auto byte = [&](std::size_t i) {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U;
  };
  const unsigned lead = byte(0);
  bad = 1;
  if (lead < 0x80)
    return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0)
    return 0;
  // The second byte's range keeps out long forms, surrogates and what is past U+10FFFF.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high)
    return 0;
  for (bad = 2; bad < length; ++bad)
    if (byte(bad) < 0x80 || byte(bad) > 0xBF)
      return 0;
  return length;
}

std::string_view trim_front(std::string_view s) {
  s.remove_prefix(std::min(s.find_first_not_of(blank), s.size()));
  return s;
}

/// Blank lines at the front go, the first line's indentation stays.
std::string_view trim_lines(std::string_view s) {
  const std::size_t text = s.find_first_not_of(blank);
  if (text == std::string_view::npos)
    return {};
  const std::size_t line = s.rfind('\n', text);
  return line == std::string_view::npos ? s : s.substr(line + 1);
}

std::string_view trim_back(std::string_view s) {
  const std::size_t last = s.find_last_not_of(blank);
  return s.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

} // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t bad = 0;
    const std::size_t n = character(text, bad);
    if (n != 0)
      out.append(text, 0, n);
    else
      out += "\xEF\xBF\xBD";
    text.remove_prefix(n != 0 ? n : bad);
  }
  return out;
}

std::string_view cut_utf8(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes)
    return text;
  while (bytes > 0 && continues(text[bytes]))
    --bytes;
  return text.substr(0, bytes);
}

std::size_t escaped_size(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) {
    if (c == '"' || c == '\\' || (c >= '\b' && c <= '\r' && c != '\v'))
      n += 2;
    else
      n += static_cast<unsigned char>(c) < 0x20 ? 6 : 1;
  }
  return n;
}

std::string_view cut_part(std::string_view text) {
  text = cut_utf8(text, part_bytes);
  while (escaped_size(text) > part_escaped_bytes) {
    // Escaping makes six bytes of one at most: a sixth of what is too much may certainly go.
    const std::size_t over = escaped_size(text) - part_escaped_bytes;
    text = cut_utf8(text, text.size() - std::max<std::size_t>(1, over / 6));
  }
  return text;
}

std::vector<std::string> split_text(std::string_view text) {
  const std::string valid = valid_utf8(text);
  std::vector<std::string> parts;
  std::string_view rest = trim_back(trim_lines(valid));
  while (!rest.empty()) {
    std::string_view part = cut_part(rest);
    if (part.size() < rest.size()) {
      // A border in the first half would leave a part of a few words: the next kind is better.
      const std::size_t least = part.size() / 2;
      for (const std::string_view border : {"\n\n", "\n", " "}) {
        const std::size_t at = part.rfind(border);
        if (at != std::string_view::npos && at >= least) {
          part = part.substr(0, at);
          break;
        }
      }
    }
    rest.remove_prefix(part.size());
    if (const std::string_view kept = trim_back(part); !kept.empty())
      parts.emplace_back(kept);
    rest = rest.find('\n') < rest.find_first_not_of(blank) ? trim_lines(rest) : trim_front(rest);
  }
  return parts;
}

} // namespace pb::matrix
