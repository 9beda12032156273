#pragma once
// One pass over JSON text that hands out spans of it instead of a tree.
//
// Why not simdjson's parsers: its DOM rejects a whole document for one number like 1e400 or one
// byte that is not UTF-8, and on-demand does not check what it skips. Here damage has two sizes. A
// flaw (a bad escape, a number that no double holds, a word that is no value) marks only the values
// around it; only broken structure (brackets, colons, an end too early) loses the text. Nesting
// costs a bit a level and no call stack. UTF-8 is not checked here: is_utf8 does that, over whole
// spans.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pb::matrix::json {

enum class kind : std::uint8_t { none, object, array, string, number, boolean, null };

/// A value where it stands in the text; valid as long as the text is.
struct value {
  kind type = kind::none;
  bool flawed = false;     ///< something inside is not JSON that a strict parser would take
  std::uint32_t depth = 0; ///< levels of brackets: 0 for a scalar, 1 for {} and []
  std::string_view raw;    ///< the text; of a string with its quotes
};

/// Reads a text from front to back. After damage to the structure it is broken() for good, every
/// call returns at once, and what was handed out before is not to be trusted.
class cursor {
public:
  explicit cursor(std::string_view text) : p_(text.data()), end_(text.data() + text.size()) {}

  [[nodiscard]] bool broken() const { return broken_; }
  /// Nothing but white space is left.
  bool at_end() {
    space();
    return p_ == end_;
  }
  /// Kind of the next value by its first byte; none: no value begins here.
  kind peek();
  /// Passes over the next value.
  value skip();
  /// Passes over an object: f(std::string_view name, cursor&) must pass over exactly one value. A
  /// name with a flaw comes as "". Names may repeat. Returns the whole object's text.
  template <class F>
  std::string_view members(F&& f) {
    space();
    const char* begin = p_;
    if (!take('{') || (space(), take_if('}')))
      return since(begin);
    do {
      std::string scratch;
      const std::string_view name = key(scratch);
      if (broken_)
        break;
      f(name, *this);
    } while (!broken_ && more('}'));
    return since(begin);
  }
  /// Passes over an array: f(cursor&) must pass over exactly one value.
  template <class F>
  std::string_view elements(F&& f) {
    space();
    const char* begin = p_;
    if (!take('[') || (space(), take_if(']')))
      return since(begin);
    do {
      f(*this);
    } while (!broken_ && more(']'));
    return since(begin);
  }

private:
  void space() {
    while (p_ != end_ && static_cast<unsigned char>(*p_) <= ' ' &&
           (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t'))
      ++p_;
  }
  bool take_if(char c) {
    if (p_ == end_ || *p_ != c)
      return false;
    ++p_;
    return true;
  }
  bool take(char c) {
    if (broken_ || !take_if(c))
      broken_ = true;
    return !broken_;
  }
  [[nodiscard]] std::string_view since(const char* begin) const {
    return {begin, static_cast<std::size_t>(p_ - begin)};
  }
  /// After a member or an element: a comma goes on, `close` ends.
  bool more(char close);
  std::string_view key(std::string& scratch);
  /// Over a string whose first quote is next; true: without a flaw.
  bool string(bool* escapes = nullptr);
  bool odd_string(bool* escapes); ///< the same for any string
  bool escape();
  bool unit(std::uint32_t& out);
  /// Over a number, true, false, null or a word that is none of them.
  kind scalar(bool& flawed);
  void container(value& out);

  const char* p_;
  const char* end_;
  bool broken_ = false;
};

/// The one value that a text consists of; nothing if the text is not JSON or has a flaw.
std::optional<value> whole(std::string_view text);

/// Calls f(std::string_view name, const value&) for each member of an object's text, in order; does
/// nothing for other text. Of equal names the last one counts: assign, do not collect.
template <class F>
void each_member(std::string_view object, F&& f) {
  cursor c(object);
  if (c.peek() == kind::object)
    c.members([&](std::string_view name, cursor& at) {
      const value v = at.skip();
      if (!at.broken())
        f(name, v);
    });
}

/// Calls f(const value&) for each element of an array's text.
template <class F>
void each_element(std::string_view array, F&& f) {
  cursor c(array);
  if (c.peek() == kind::array)
    c.elements([&](cursor& at) {
      const value v = at.skip();
      if (!at.broken())
        f(v);
    });
}

/// What stands between the quotes of a string without a flaw, without its escapes.
std::string unescape(std::string_view inside);
/// A string's text without its escapes; nothing for other kinds and for flawed strings.
std::optional<std::string> text(const value& v);
/// The same, with "" for nothing.
std::string text_or_empty(const value& v);
/// A number written without fraction and exponent that fits.
std::optional<std::int64_t> integer(const value& v);
/// A number of any form, also beyond a double's range (infinity then).
std::optional<double> number(const value& v);
/// Exactly true.
bool is_true(const value& v);

/// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string quote(std::string_view text);

/// Fast check of a whole span.
bool is_utf8(std::string_view text);

} // namespace pb::matrix::json
