#include "bridges/matrix/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace pb::matrix::json {

bool overflows(std::string_view number) {
  double d = 0;
  const auto got = std::from_chars(number.data(), number.data() + number.size(), d);
  if (got.ec != std::errc::result_out_of_range)
    return false;
  // from_chars does not tell too large from too small: find the place of the first digit.
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos)
    return false;
  const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+')
      digits.remove_prefix(1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc{})
      return !negative;
    if (negative)
      exponent = -exponent;
  }
  return exponent > -place;
}

bool is_number(std::string_view s) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9')
      ++i;
    return i != from;
  };
  if (i < s.size() && s[i] == '-')
    ++i;
  if (i < s.size() && s[i] == '0')
    ++i;
  else if (!digits())
    return false;
  const bool whole_number = i == s.size();
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (!digits())
      return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-'))
      ++i;
    if (!digits())
      return false;
  }
  return i == s.size() && ((whole_number && s.size() < 300) || !overflows(s));
}

} // namespace pb::matrix::json
