#include "bridges/matrix/json_scan.hpp"

#include "bridges/matrix/json_number.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace pb::matrix::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What ends a word that is no string: it belongs to the structure.
constexpr std::array<bool, 256> delimiters = [] {
  std::array<bool, 256> out{};
  for (const char c : {',', ']', '}', ':', '[', '{', '"', ' ', '\n', '\r', '\t'})
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();

bool is_delimiter(char c) { return delimiters[static_cast<unsigned char>(c)]; }

/// Eight bytes at once: a bit in each byte that is a quote, a backslash or a control character. The
/// lowest one is exact; above it a borrow may have set others.
std::uint64_t special(std::uint64_t x) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
  const std::uint64_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');
  return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((x - ones * 0x20) & ~x)) & high;
}

/// First byte of a string's inside that needs a look.
const char* plain_end(const char* p, const char* end) {
  for (; end - p >= 8; p += 8) {
    std::uint64_t x = 0;
    std::memcpy(&x, p, 8);
    if (const std::uint64_t hit = special(x)) {
      if constexpr (std::endian::native == std::endian::little)
        return p + (std::countr_zero(hit) >> 3);
      break;
    }
  }
  while (p != end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20)
    ++p;
  return p;
}

/// Open brackets, one bit each: 1 for an object. The first 64 need no memory.
class bracket_stack {
public:
  void push(bool object) {
    if (depth_ != 0 && depth_ % 64 == 0)
      older_.push_back(word_);
    word_ = word_ << 1 | (object ? 1U : 0U);
    ++depth_;
  }
  void pop() {
    --depth_;
    word_ >>= 1;
    if (depth_ != 0 && depth_ % 64 == 0) {
      word_ = older_.back();
      older_.pop_back();
    }
  }
  [[nodiscard]] bool in_object() const { return (word_ & 1) != 0; }
  [[nodiscard]] std::uint32_t depth() const { return depth_; }

private:
  std::uint64_t word_ = 0;
  std::uint32_t depth_ = 0;
  std::vector<std::uint64_t> older_;
};

} // namespace

kind cursor::peek() {
  space();
  if (broken_ || p_ == end_)
    return kind::none;
  switch (*p_) {
  case '{':
    return kind::object;
  case '[':
    return kind::array;
  case '"':
    return kind::string;
  case 't':
  case 'f':
    return kind::boolean;
  case 'n':
    return kind::null;
  default:
    return *p_ == '-' || is_digit(*p_) ? kind::number : kind::none;
  }
}

bool cursor::more(char close) {
  space();
  if (take_if(','))
    return true;
  take(close);
  return false;
}

std::string_view cursor::key(std::string& scratch) {
  space();
  const char* begin = p_;
  bool escapes = false;
  const bool fine = string(&escapes);
  std::string_view name = since(begin);
  space();
  if (broken_ || !take(':') || !fine)
    return {};
  name = name.substr(1, name.size() - 2);
  if (!escapes)
    return name;
  scratch = unescape(name);
  return scratch;
}

bool cursor::string(bool* escapes) {
  if (!broken_ && p_ != end_ && *p_ == '"') { // the common case, without a loop
    const char* q = plain_end(p_ + 1, end_);
    if (q != end_ && *q == '"') {
      p_ = q + 1;
      return true;
    }
  }
  return odd_string(escapes);
}

bool cursor::odd_string(bool* escapes) {
  if (!take('"'))
    return false;
  bool fine = true;
  for (;;) {
    p_ = plain_end(p_, end_);
    if (p_ == end_) {
      broken_ = true;
      return false;
    }
    if (*p_ == '"') {
      ++p_;
      return fine;
    }
    if (*p_ == '\\') {
      if (escapes)
        *escapes = true;
      fine &= escape();
    } else { // a control character
      fine = false;
      ++p_;
    }
  }
}

/// Four hex digits; false leaves p_ where the digits end.
bool cursor::unit(std::uint32_t& out) {
  out = 0;
  for (int i = 0; i < 4; ++i, ++p_) {
    const char c = p_ == end_ ? '"' : *p_;
    if (is_digit(c))
      out = out << 4 | static_cast<std::uint32_t>(c - '0');
    else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
      out = out << 4 | static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    else
      return false;
  }
  return true;
}

bool cursor::escape() {
  ++p_;
  if (p_ == end_)
    return false; // string() sees the end
  const char c = *p_++;
  if (c != 'u')
    return std::strchr("\"\\/bfnrt", c) != nullptr && c != '\0';
  std::uint32_t u = 0;
  if (!unit(u) || (u >= 0xDC00 && u < 0xE000))
    return false;
  if (u < 0xD800 || u >= 0xE000)
    return true;
  if (end_ - p_ < 2 || p_[0] != '\\' || p_[1] != 'u')
    return false;
  p_ += 2;
  return unit(u) && u >= 0xDC00 && u < 0xE000;
}

kind cursor::scalar(bool& flawed) {
  const char* begin = p_;
  while (p_ != end_ && is_digit(*p_))
    ++p_;
  // Most numbers are a few digits.
  if (p_ != end_ && is_delimiter(*p_) && p_ != begin && *begin != '0' && p_ - begin < 300)
    return kind::number;
  while (p_ != end_ && !is_delimiter(*p_))
    ++p_;
  const std::string_view word = since(begin);
  if (word.empty()) {
    broken_ = true;
    return kind::none;
  }
  if (word == "true" || word == "false")
    return kind::boolean;
  if (word == "null")
    return kind::null;
  if (is_number(word))
    return kind::number;
  flawed = true;
  return word.front() == '-' || is_digit(word.front()) ? kind::number : kind::none;
}

value cursor::skip() {
  value out;
  space();
  const char* begin = p_;
  out.type = peek();
  switch (out.type) {
  case kind::string:
    out.flawed = !string();
    break;
  case kind::object:
  case kind::array:
    container(out);
    break;
  default:
    if (!broken_)
      out.type = scalar(out.flawed);
  }
  out.raw = since(begin);
  return out;
}

void cursor::container(value& out) {
  bracket_stack open;
  bool name_next = false; // a member's name and colon come before the next value
  for (;;) {
    space();
    if (name_next) {
      out.flawed |= !string();
      space();
      if (broken_ || !take(':'))
        return;
      space();
    }
    const char c = p_ == end_ ? '\0' : *p_;
    if (c == '{' || c == '[') {
      ++p_;
      open.push(c == '{');
      out.depth = std::max(out.depth, open.depth());
      name_next = c == '{';
      space();
      if (p_ == end_ || (*p_ != '}' && *p_ != ']'))
        continue; // a first member, or the end: both are found there
    } else if (c == '"') {
      out.flawed |= !string();
    } else {
      scalar(out.flawed);
    }
    for (;;) { // after a value, or at once after an opening bracket
      space();
      if (broken_)
        return;
      if (take_if(','))
        break;
      take(open.in_object() ? '}' : ']');
      if (broken_)
        return;
      open.pop();
      if (open.depth() == 0)
        return;
    }
    name_next = open.in_object();
  }
}

} // namespace pb::matrix::json
