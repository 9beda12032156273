#include "bridges/agent/agent_ws/json_repair.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace pb::agent_json {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

/// The four hex digits after "\u" at `at`, or -1.
int escape_at(std::string_view json, std::size_t at) {
  if (json.size() - at < 6 || json[at] != '\\' || json[at + 1] != 'u')
    return -1;
  int value = 0;
  const char* first = json.data() + at + 2;
  const auto [end, error] = std::from_chars(first, first + 4, value, 16);
  return error == std::errc{} && end == first + 4 && value >= 0 ? value : -1;
}

/// Length of the JSON number at `at`; 0: there is none, or it goes on into something else.
std::size_t number_length(std::string_view json, std::size_t at) {
  auto i = at;
  const auto more = [&](char c) { return i < json.size() && json[i] == c; };
  const auto digits = [&] {
    const auto begin = i;
    while (i < json.size() && digit(json[i]))
      ++i;
    return i - begin;
  };
  if (more('-'))
    ++i;
  const bool zero = more('0');
  if (const auto n = digits(); n == 0 || (zero && n > 1))
    return 0;
  if (more('.')) {
    ++i;
    if (digits() == 0)
      return 0;
  }
  if (more('e') || more('E')) {
    ++i;
    if (more('+') || more('-'))
      ++i;
    if (digits() == 0)
      return 0;
  }
  const bool ends = i == json.size() || json[i] == ',' || json[i] == ']' || json[i] == '}' ||
                    json[i] == ' ' || json[i] == '\t' || json[i] == '\n' || json[i] == '\r';
  return ends ? i - at : 0;
}

bool fits(std::string_view number) {
  const char* first = number.data();
  const char* last = first + number.size();
  if (number.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t whole = 0;
    std::uint64_t natural = 0;
    return std::from_chars(first, last, whole).ec == std::errc{} ||
           std::from_chars(first, last, natural).ec == std::errc{};
  }
  double value = 0;
  return std::from_chars(first, last, value).ec == std::errc{};
}

/// Copies the string that begins at `at` (a quote) and returns the place behind it.
std::size_t copy_string(std::string_view json, std::size_t at, std::string& out) {
  out += json[at++];
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      out += c;
      return at + 1;
    }
    if (c != '\\') {
      out += c;
      ++at;
      continue;
    }
    const int unit = escape_at(json, at);
    if (unit < 0xd800 || unit > 0xdfff) {
      out += json.substr(at, 2);
      at += 2;
      continue;
    }
    const int second = at + 6 < json.size() ? escape_at(json, at + 6) : -1;
    if (unit < 0xdc00 && second >= 0xdc00 && second <= 0xdfff) {
      out += json.substr(at, 12);
      at += 12;
    } else {
      out += "\\ufffd";
      at += 6;
    }
  }
  return at;
}

/// A number where a key belongs must stay a fault of the sender.
bool key_follows(std::string_view json, std::size_t at) {
  const auto next = json.find_first_not_of(" \t\r\n", at);
  return next != std::string_view::npos && json[next] == ':';
}

} // namespace

bool may_have_surrogates(std::string_view json) {
  for (auto at = json.find("\\u"); at != std::string_view::npos; at = json.find("\\u", at + 2))
    if (at + 2 < json.size() && (json[at + 2] == 'd' || json[at + 2] == 'D'))
      return true;
  return false;
}

std::string repaired(std::string_view json) {
  std::string out;
  out.reserve(json.size() + 16);
  std::size_t at = 0;
  while (at < json.size()) {
    if (json[at] == '"') {
      at = copy_string(json, at, out);
    } else if (digit(json[at]) || json[at] == '-') {
      const auto length = number_length(json, at);
      const auto number = json.substr(at, length == 0 ? 1 : length);
      const bool quote = length > 0 && !fits(number) && !key_follows(json, at + length);
      if (quote)
        out += '"';
      out += number;
      if (quote)
        out += '"';
      at += number.size();
    } else {
      out += json[at++];
    }
  }
  return out;
}

} // namespace pb::agent_json
