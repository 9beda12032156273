#include "bridges/matrix/homeserver/checks.hpp"

#include <algorithm>

namespace pb::hs {
namespace {

constexpr int max_depth = 100;
constexpr std::int64_t max_integer = 9'007'199'254'740'991;

/// The parser makes a tree without recursion, but printing and comparing recurse.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth)
        return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

const json* present(const json& object, std::string_view key) {
  const auto* value = member(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

[[noreturn]] void wrong_type(std::string_view key, std::string_view wanted) {
  refuse(400, "M_BAD_JSON", "'" + std::string(key) + "' must be " + std::string(wanted));
}

bool printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

/// sigil, something, and a server name; 255 bytes at most.
bool is_id(std::string_view id, char sigil) {
  const auto colon = id.find(':');
  return id.size() > 3 && id.size() <= 255 && id[0] == sigil && colon != std::string_view::npos &&
         colon > 1 && colon + 1 < id.size() && printable(id);
}

} // namespace

void refuse(int status, std::string errcode, std::string text) {
  throw api_error(status, std::move(errcode), std::move(text));
}

void forbid(std::string text) { refuse(403, "M_FORBIDDEN", std::move(text)); }

json parse_json(std::string_view text) {
  if (too_deep(text))
    refuse(400, "M_BAD_JSON", "The JSON is nested too deeply.");
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded())
    refuse(400, "M_NOT_JSON", "Content not JSON.");
  return value;
}

const json* member(const json& object, std::string_view key) {
  if (!object.is_object())
    return nullptr;
  const auto i = object.find(key);
  return i == object.end() ? nullptr : &*i;
}

std::optional<std::string> maybe_text(const json& object, std::string_view key) {
  const auto* value = present(object, key);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_string())
    wrong_type(key, "a string");
  return value->get<std::string>();
}

std::optional<bool> maybe_bool(const json& object, std::string_view key) {
  const auto* value = present(object, key);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_boolean())
    wrong_type(key, "a boolean");
  return value->get<bool>();
}

std::optional<std::int64_t> maybe_int(const json& object, std::string_view key) {
  const auto* value = present(object, key);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_number_integer() ||
      (value->is_number_unsigned() &&
       value->get<std::uint64_t>() > static_cast<std::uint64_t>(max_integer)))
    wrong_type(key, "an integer");
  return value->get<std::int64_t>();
}

std::string need_text(const json& object, std::string_view key) {
  auto value = maybe_text(object, key);
  if (!value)
    refuse(400, "M_MISSING_PARAM", "Missing parameter '" + std::string(key) + "'");
  return *std::move(value);
}

std::string text_or_empty(const json& object, std::string_view key) {
  const auto* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

void check_canonical(const json& value) {
  if (value.is_number_float())
    refuse(400, "M_BAD_JSON", "Bad JSON value: float");
  const bool in_range =
      value.is_number_unsigned()
          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(max_integer)
          : !value.is_number_integer() || (value.get<std::int64_t>() >= -max_integer &&
                                           value.get<std::int64_t>() <= max_integer);
  if (!in_range)
    refuse(400, "M_BAD_JSON", "JSON integer out of range");
  if (value.is_structured())
    for (const auto& part : value)
      check_canonical(part);
}

bool is_user_id(std::string_view id) { return is_id(id, '@'); }
bool is_room_id(std::string_view id) { return is_id(id, '!'); }
bool is_alias(std::string_view alias) { return is_id(alias, '#'); }

bool is_localpart(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("._=-/+").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string_view server_of(std::string_view id) {
  const auto colon = id.find(':');
  return colon == std::string_view::npos ? std::string_view() : id.substr(colon + 1);
}

bool is_utf8(std::string_view s) {
  std::size_t i = 0;
  while (i < s.size()) {
    const auto c = static_cast<unsigned char>(s[i]);
    const std::size_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || i + more >= s.size())
      return false;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto d = static_cast<unsigned char>(s[i + k]);
      // The second byte also rules out overlong forms, surrogates and what is past U+10FFFF.
      const unsigned low = k == 1 && c == 0xe0 ? 0xa0 : k == 1 && c == 0xf0 ? 0x90 : 0x80;
      const unsigned high = k == 1 && c == 0xed ? 0x9f : k == 1 && c == 0xf4 ? 0x8f : 0xbf;
      if (d < low || d > high)
        return false;
    }
    i += more + 1;
  }
  return true;
}

bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

} // namespace pb::hs
