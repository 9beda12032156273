#include "bridges/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace pb {
namespace {

using std::chrono::milliseconds;

constexpr double longest = 3'600'000; // ms

milliseconds clamp(double ms) {
  return milliseconds(static_cast<std::int64_t>(std::clamp(ms, 0.0, longest)));
}

std::optional<int> digits(std::string_view s) {
  int n = 0;
  const auto got = std::from_chars(s.data(), s.data() + s.size(), n);
  if (s.empty() || s.size() > 4 || got.ec != std::errc{} || got.ptr != s.data() + s.size() || n < 0)
    return std::nullopt;
  return n;
}

std::optional<int> month(std::string_view s) {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto at = std::find(names.begin(), names.end(), s);
  if (at == names.end())
    return std::nullopt;
  return static_cast<int>(at - names.begin()) + 1;
}

/// Days from 1970-01-01 of a Gregorian date; months beyond it are the caller's care.
std::int64_t days(int year, int mon, int day) {
  const auto date = std::chrono::year(year) / mon / day;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<unix_ms> instant(std::optional<int> year, std::optional<int> mon,
                               std::optional<int> day, std::string_view clock) {
  if (!year || !mon || !day || *day < 1 || *day > 31)
    return std::nullopt;
  if (clock.size() != 8 || clock[2] != ':' || clock[5] != ':')
    return std::nullopt;
  const auto h = digits(clock.substr(0, 2)), m = digits(clock.substr(3, 2)),
             s = digits(clock.substr(6, 2));
  if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60)
    return std::nullopt;
  return ((days(*year, *mon, *day) * 24 + *h) * 60 + *m) * 60'000 + *s * 1000;
}

std::vector<std::string_view> words(std::string_view text, std::string_view between) {
  std::vector<std::string_view> out;
  while (out.size() < 8) {
    text.remove_prefix(std::min(text.find_first_not_of(between), text.size()));
    if (text.empty())
      break;
    const std::size_t end = std::min(text.find_first_of(between), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

std::optional<unix_ms> http_date(std::string_view text, unix_ms now) {
  const std::vector<std::string_view> w = words(text, " ,\t");
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (w.size() == 6 && w[5] == "GMT")
    return instant(digits(w[3]), month(w[2]), digits(w[1]), w[4]);
  // Sun Nov  6 08:49:37 1994
  if (w.size() == 5)
    return instant(digits(w[4]), month(w[1]), digits(w[2]), w[3]);
  // Sunday, 06-Nov-94 08:49:37 GMT
  if (w.size() != 4 || w[3] != "GMT")
    return std::nullopt;
  const std::vector<std::string_view> d = words(w[1], "-");
  if (d.size() != 3)
    return std::nullopt;
  auto year = digits(d[2]);
  if (year && *year < 100) {
    // Two digits mean the year of that end that is at most 50 years ahead.
    const auto today = std::chrono::floor<std::chrono::days>(
        std::chrono::sys_time<milliseconds>(milliseconds(now)));
    const int this_year = static_cast<int>(std::chrono::year_month_day(today).year());
    *year += this_year - this_year % 100;
    if (*year > this_year + 50)
      *year -= 100;
  }
  return instant(year, month(d[1]), digits(d[0]), w[2]);
}

} // namespace

std::optional<unix_ms> parse_http_date(std::string_view text, unix_ms now) {
  return http_date(text, now);
}

std::optional<milliseconds> parse_retry_after(std::string_view text, unix_ms now) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  if (text.empty())
    return std::nullopt;
  // RFC: whole seconds. Servers were seen to write a sign or a fraction.
  const bool numeric = text.find_first_not_of("+-.0123456789") == std::string_view::npos;
  if (numeric) {
    if (text.front() == '+')
      text.remove_prefix(1);
    double seconds = 0;
    const auto got =
        std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    if (got.ptr != text.data() + text.size() || got.ec == std::errc::invalid_argument)
      return std::nullopt;
    if (got.ec == std::errc::result_out_of_range)
      return text.front() == '-' ? clamp(0) : clamp(longest);
    return clamp(std::ceil(seconds * 1000));
  }
  const std::optional<unix_ms> at = http_date(text, now);
  if (!at)
    return std::nullopt;
  return clamp(static_cast<double>(*at) - static_cast<double>(now));
}

std::optional<milliseconds> retry_after(const http_headers& headers, unix_ms now) {
  const std::string* header = find_header(headers, "Retry-After");
  if (header == nullptr)
    return std::nullopt;
  const std::string* date = find_header(headers, "Date");
  const auto theirs = date ? parse_http_date(*date, now) : std::nullopt;
  return parse_retry_after(*header, theirs.value_or(now));
}

} // namespace pb
