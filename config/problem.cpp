#include "config/problem.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pb::config {

namespace {

constexpr std::size_t longest_quote = 60;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

} // namespace

std::string to_string(const problem& p) {
  auto out = p.file;
  if (p.line > 0)
    out += ":" + std::to_string(p.line) + ":" + std::to_string(p.column);
  out += p.warning ? ": warning: " : ": ";
  out += p.what;
  if (!p.instead.empty())
    out += "; " + p.instead;
  return one_line(std::move(out));
}

std::string quoted(std::string_view text) {
  const bool cut = text.size() > longest_quote;
  if (cut) {
    auto end = longest_quote;
    while (end > 0 && continues_character(text[end]))
      --end;
    text = text.substr(0, end);
  }
  return "'" + one_line(std::string{text}) + (cut ? "…'" : "'");
}

void reporter::error(const place& at, std::string what, std::string instead) {
  add(at, std::move(what), std::move(instead), false);
}

void reporter::warning(const place& at, std::string what, std::string instead) {
  add(at, std::move(what), std::move(instead), true);
}

void reporter::add(const place& at, std::string what, std::string instead, bool warning) {
  if (problems_.size() < cap)
    problems_.push_back(
        {at.file, at.line, at.column, std::move(what), std::move(instead), warning});
  else
    ++left_out_;
}

std::vector<problem> reporter::take() {
  auto out = std::exchange(problems_, {});
  std::stable_sort(out.begin(), out.end(), [](const problem& a, const problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  // An error, whatever was left out: it may have been one.
  if (const auto more = std::exchange(left_out_, 0); more > 0 && !out.empty())
    out.push_back({out.back().file, 0, 0, std::to_string(more) + " more problems are not shown",
                   "correct those above first", false});
  return out;
}

} // namespace pb::config
