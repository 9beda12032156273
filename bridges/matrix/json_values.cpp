#include "bridges/matrix/json_number.hpp"
#include "bridges/matrix/json_scan.hpp"
#include "bridges/matrix/text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <simdjson.h>

namespace pb::matrix::json {
namespace {

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::uint32_t hex4(const char* p) {
  std::uint32_t v = 0;
  std::from_chars(p, p + 4, v, 16);
  return v;
}

} // namespace

std::string unescape(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t stop = std::min(s.find('\\', i), s.size());
    out.append(s, i, stop - i);
    i = stop;
    if (i + 1 >= s.size())
      break;
    const char c = s[i + 1];
    i += 2;
    switch (c) {
    case 'b':
      out += '\b';
      break;
    case 'f':
      out += '\f';
      break;
    case 'n':
      out += '\n';
      break;
    case 'r':
      out += '\r';
      break;
    case 't':
      out += '\t';
      break;
    case 'u': {
      std::uint32_t u = hex4(s.data() + i);
      i += 4;
      if (u >= 0xD800 && u < 0xDC00) { // the cursor saw its other half
        u = 0x10000 + ((u - 0xD800) << 10) + (hex4(s.data() + i + 2) - 0xDC00);
        i += 6;
      }
      append_utf8(out, u);
      break;
    }
    default:
      out += c;
      break;
    }
  }
  return out;
}

std::optional<value> whole(std::string_view text) {
  cursor c(text);
  value v = c.skip();
  if (c.broken() || v.flawed || !c.at_end())
    return std::nullopt;
  return v;
}

std::optional<std::string> text(const value& v) {
  if (v.type != kind::string || v.flawed)
    return std::nullopt;
  return unescape(v.raw.substr(1, v.raw.size() - 2));
}

std::string text_or_empty(const value& v) { return text(v).value_or(std::string{}); }

std::optional<std::int64_t> integer(const value& v) {
  std::int64_t out = 0;
  const char* end = v.raw.data() + v.raw.size();
  if (v.type != kind::number || v.flawed)
    return std::nullopt;
  const auto got = std::from_chars(v.raw.data(), end, out);
  if (got.ec != std::errc{} || got.ptr != end)
    return std::nullopt;
  return out;
}

std::optional<double> number(const value& v) {
  if (v.type != kind::number)
    return std::nullopt;
  double out = 0;
  const char* end = v.raw.data() + v.raw.size();
  const auto got = std::from_chars(v.raw.data(), end, out);
  if (got.ptr != end || got.ec == std::errc::invalid_argument)
    return std::nullopt;
  if (got.ec == std::errc::result_out_of_range) {
    const double size = overflows(v.raw) ? std::numeric_limits<double>::infinity() : 0.0;
    return v.raw.front() == '-' ? -size : size;
  }
  return out;
}

bool is_true(const value& v) { return v.type == kind::boolean && v.raw == "true"; }

std::string quote(std::string_view text) {
  std::string out = "\"";
  const std::string valid = valid_utf8(text);
  for (const char c : valid) {
    switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        constexpr std::string_view hex = "0123456789abcdef";
        out += "\\u00";
        out += hex[static_cast<unsigned char>(c) >> 4];
        out += hex[static_cast<unsigned char>(c) & 15];
      } else {
        out += c;
      }
    }
  }
  return out += '"';
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

} // namespace pb::matrix::json
