#include "bridges/matrix/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace pb::matrix {
namespace {

constexpr std::string_view blank = " \t\r\n";

bool is_blank(std::string_view s) { return s.find_first_not_of(blank) == std::string_view::npos; }

std::string_view trim_front(std::string_view s) {
  s.remove_prefix(std::min(s.find_first_not_of(blank), s.size()));
  return s;
}

/// Blank lines at the front go, the first line's indentation stays.
std::string_view trim_lines(std::string_view s) {
  const std::size_t text = s.find_first_not_of(blank);
  if (text == std::string_view::npos)
    return {};
  const std::size_t line = s.rfind('\n', text);
  return line == std::string_view::npos ? s : s.substr(line + 1);
}

std::string_view trim_back(std::string_view s) {
  const std::size_t last = s.find_last_not_of(blank);
  return s.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// As far as a part could reach, so that an endless line is not read again for every part.
std::string_view first_line(std::string_view s) {
  s = s.substr(0, part_bytes);
  return s.substr(0, s.find('\n'));
}

/// An open code block: how it is opened again and closed at a cut.
struct fence {
  std::string opening, closing;
  std::size_t marks = 0;
};
constexpr std::size_t max_marks = 32, max_indent = 32, max_opening = 200;

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

std::size_t marks_of(std::string_view line) {
  const char mark = line.empty() ? '\0' : line.front();
  if (mark != '`' && mark != '~')
    return 0;
  return std::min(line.find_first_not_of(mark), line.size());
}

/// The block that this line opens. Its indentation may be that of a list.
std::optional<fence> opens(std::string_view line) {
  const std::size_t indent = indent_of(line);
  const std::string_view text = trim_back(line.substr(indent));
  const std::size_t marks = marks_of(text);
  if (marks < 3 || marks > max_marks || indent > max_indent)
    return std::nullopt;
  if (text.front() == '`' && text.find('`', marks) != text.npos) // code in one line
    return std::nullopt;
  fence f{std::string{line.substr(0, indent + text.size())},
          std::string{line.substr(0, indent + marks)}, marks};
  if (f.opening.size() > max_opening)
    f.opening = f.closing;
  return f;
}

bool closes(std::string_view line, const fence& f) {
  const std::string_view text = trim_back(line.substr(indent_of(line)));
  return !text.empty() && text.front() == f.closing.back() && text.size() >= f.marks &&
         marks_of(text) == text.size();
}

/// Where a part ends, and the block that is open there.
struct cut {
  std::size_t at = 0;
  std::optional<fence> open;
};

/// Kinds of borders, the best first.
enum border : std::size_t { paragraph, line, row, empty_code_line, code_line, kinds };

border kind_of(std::string_view line_before, std::string_view after, bool code) {
  const std::string_view next = first_line(after);
  if (code)
    return is_blank(next) || is_blank(line_before) ? empty_code_line : code_line;
  if (is_blank(next))
    return paragraph;
  return trim_front(line_before).starts_with('|') && trim_front(next).starts_with('|') ? row : line;
}

/// The best border in the second half of what fits: one in the first half would leave a part of a
/// few words.
cut best_cut(std::string_view rest, std::size_t fits, std::optional<fence> open) {
  std::array<std::optional<cut>, kinds> found;
  const std::size_t least = fits / 2;
  std::size_t begin = 0;
  for (std::size_t end = rest.find('\n'); end <= fits; end = rest.find('\n', begin)) {
    const std::string_view text = rest.substr(begin, end - begin);
    begin = end + 1;
    bool opened = false;
    if (!open)
      opened = (open = opens(text)).has_value();
    else if (closes(text, *open))
      open.reset();
    if (!opened && end >= least && end > 0)
      found[kind_of(text, rest.substr(begin), open.has_value())] = cut{end, open};
  }
  for (auto& c : found)
    if (c)
      return *std::move(c);
  const std::size_t space = rest.substr(0, fits).rfind(' ');
  return {space != rest.npos && space >= std::max<std::size_t>(least, 1) ? space : fits,
          std::move(open)};
}

/// The next part, taken off `rest`, which begins inside `open`. May be blank.
std::string next_part(std::string_view& rest, std::optional<fence>& open) {
  std::string part = open ? open->opening + '\n' : std::string{};
  const std::size_t bytes = part_bytes - part.size();
  const std::size_t escaped = part_escaped_bytes - escaped_size(part);
  if (cut_text(rest, bytes, escaped).size() == rest.size()) {
    part += rest;
    rest = {};
    return part;
  }
  constexpr std::size_t closing = 1 + max_indent + max_marks + 1;
  cut c = best_cut(rest, cut_text(rest, bytes, escaped).size(), open);
  if (c.open)
    c = best_cut(rest, cut_text(rest, bytes - closing, escaped - closing).size(), open);
  const std::string_view piece = rest.substr(0, c.at);
  rest.remove_prefix(c.at);
  open = std::move(c.open);
  if (!open) {
    part += trim_back(piece);
    const std::string_view gap = rest.substr(0, rest.find_first_not_of(blank));
    rest = gap.find('\n') != gap.npos ? trim_lines(rest) : trim_front(rest);
    return part;
  }
  part += piece;
  part += '\n' + open->closing;
  if (rest.starts_with('\n'))
    rest.remove_prefix(1);
  if (closes(first_line(rest), *open)) { // the end that we just wrote
    rest = trim_lines(rest.substr(first_line(rest).size()));
    open.reset();
  }
  return part;
}

std::vector<std::string> split(std::string_view text, std::size_t most) {
  const std::string valid = valid_utf8(text);
  std::vector<std::string> parts;
  std::string_view rest = trim_back(trim_lines(valid));
  std::optional<fence> open;
  while (!rest.empty() && parts.size() < most)
    if (std::string part = next_part(rest, open); !is_blank(part))
      parts.push_back(std::move(part));
  return parts;
}

} // namespace

std::vector<std::string> split_text(std::string_view text) {
  return split(text, std::string::npos);
}

long_answer lay_out(std::string_view text) {
  long_answer out{split(text, max_parts + 1), false};
  out.as_file = out.parts.size() > max_parts;
  if (out.as_file)
    out.parts.resize(1);
  return out;
}

} // namespace pb::matrix
