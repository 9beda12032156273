#include "bridges/matrix/text.hpp"

#include <utf8proc.h>

namespace pb::matrix {
namespace {

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

std::size_t escaped_bytes(char c) {
  if (c == '"' || c == '\\' || (c >= '\b' && c <= '\r' && c != '\v'))
    return 2;
  return static_cast<unsigned char>(c) < 0x20 ? 6 : 1;
}

/// The border between characters as people see them (Unicode, annex 29) at `at` or shortly before;
/// `at`, itself between two code points, if there is none near.
std::size_t seen_border(std::string_view text, std::size_t at) {
  constexpr std::size_t near = 256;
  if (at == 0 || at >= text.size())
    return at;
  std::size_t from = at > near ? at - near : 0;
  while (from < at && continues(text[from]))
    ++from;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  utf8proc_int32_t before = -1, here = 0, state = 0;
  std::size_t border = from;
  for (std::size_t i = from; i <= at;) {
    const auto n =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &here);
    if (n <= 0)
      return at;
    if (before >= 0 && utf8proc_grapheme_break_stateful(before, here, &state))
      border = i;
    before = here;
    i += static_cast<std::size_t>(n);
  }
  return border > from ? border : at;
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

std::string storable_text(std::string_view text) {
  std::string out = valid_utf8(text);
  for (std::size_t at = out.find('\0'); at != std::string::npos; at = out.find('\0', at))
    out.replace(at, 1, "\xEF\xBF\xBD");
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
  for (const char c : text)
    n += escaped_bytes(c);
  return n;
}

std::string_view cut_text(std::string_view text, std::size_t bytes, std::size_t escaped) {
  std::size_t at = 0;
  for (; at < text.size() && at < bytes; ++at) {
    const std::size_t n = escaped_bytes(text[at]);
    if (n > escaped)
      break;
    escaped -= n;
  }
  return text.substr(0, seen_border(text, cut_utf8(text, at).size()));
}

std::string_view cut_part(std::string_view text) {
  return cut_text(text, part_bytes, part_escaped_bytes);
}

} // namespace pb::matrix
