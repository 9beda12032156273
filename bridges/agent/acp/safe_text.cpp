#include "bridges/agent/acp/safe_text.hpp"

#include <algorithm>

namespace pb::acp {
namespace {

/// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, as UTF-8 at `at`: their length.
std::size_t direction_mark(std::string_view text, std::size_t at) {
  const auto rest = text.substr(at);
  if (rest.starts_with("\xD8\x9C"))
    return 2;
  if (rest.size() < 3 || rest[0] != '\xE2')
    return 0;
  const auto second = static_cast<unsigned char>(rest[1]);
  const auto third = static_cast<unsigned char>(rest[2]);
  const bool mark = (second == 0x80 && (third == 0x8E || third == 0x8F)) ||
                    (second == 0x80 && third >= 0xAA && third <= 0xAE) ||
                    (second == 0x81 && third >= 0xA6 && third <= 0xA9);
  return mark ? 3 : 0;
}

std::string harmless(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto length = direction_mark(text, i)) {
      out += "\xEF\xBF\xBD";
      i += length - 1;
    } else if (const auto c = static_cast<unsigned char>(text[i]);
               c == 0x7F || (c < 0x20 && !(keep_lines && c == '\n'))) {
      out += ' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

std::size_t longest_run_of_backticks(std::string_view text) {
  std::size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

} // namespace

std::string cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes)
    return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U)
    --bytes;
  return std::string(text.substr(0, bytes)) + "…";
}

std::string one_line(std::string_view text, std::size_t bytes) {
  return harmless(cut(text, bytes), false);
}

std::string code(std::string_view line) {
  const std::string fence(longest_run_of_backticks(line) + 1, '`');
  const bool space = line.starts_with('`') || line.ends_with('`') || line.empty();
  const std::string pad = space ? " " : "";
  return fence + pad + std::string(line) + pad + fence;
}

std::string code_block(std::string_view text) {
  const std::string fence(std::max<std::size_t>(3, longest_run_of_backticks(text) + 1), '`');
  return fence + "\n" + harmless(text, true) + "\n" + fence;
}

} // namespace pb::acp
