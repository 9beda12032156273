#include "config/environment.hpp"

#include <algorithm>
#include <cctype>

namespace pb::config {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\r'))
    text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  const auto ok = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), ok);
}

/// What stands behind a closing quote: nothing, or a comment.
bool ends_well(std::string_view rest) {
  rest = trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

std::optional<std::string> single_quoted(std::string_view text) {
  const auto end = text.find('\'', 1);
  if (end == std::string_view::npos || !ends_well(text.substr(end + 1)))
    return std::nullopt;
  return std::string{text.substr(1, end - 1)};
}

std::optional<std::string> double_quoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"')
      return ends_well(text.substr(i + 1)) ? std::optional{out} : std::nullopt;
    if (c != '\\' || i + 1 == text.size()) {
      out += c;
      continue;
    }
    const char next = text[++i];
    if (next == 'n')
      out += '\n';
    else if (next == 't')
      out += '\t';
    else if (next == '"' || next == '\\' || next == '$')
      out += next;
    else
      (out += c) += next;
  }
  return std::nullopt;
}

std::string bare(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '#' && (i == 0 || is_blank(text[i - 1])))
      return std::string{trimmed(text.substr(0, i))};
  return std::string{trimmed(text)};
}

std::optional<std::string> value_of(std::string_view text) {
  if (text.starts_with('\''))
    return single_quoted(text);
  if (text.starts_with('"'))
    return double_quoted(text);
  return bare(text);
}

} // namespace

environment parse_env_file(std::string_view text, const std::string& file,
                           std::vector<problem>& problems) {
  environment out;
  reporter bad;
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  int number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.front() == '#')
      continue;
    if (line.starts_with("export") && line.size() > 6 && is_blank(line[6]))
      line = trimmed(line.substr(7));
    const place at{file, number, 1};
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, std::min(equals, line.size())));
    if (equals == std::string_view::npos || !is_name(name)) {
      // The line is not quoted: it may be a piece of a secret.
      bad.warning(at, "not a line of the form NAME=value, ignored",
                  "write NAME=value, or # before it");
      continue;
    }
    const auto value = value_of(trimmed(line.substr(equals + 1)));
    if (!value || value->find('\0') != std::string::npos) {
      bad.warning(at, std::string{name} + " has a value whose quotes do not match, ignored",
                  "close the quote on the same line");
      continue;
    }
    const std::string key{name};
    out.values.erase(key);
    out.origins.erase(key);
    if (!value->empty()) {
      out.values[key] = *value;
      out.origins[key] = at;
    }
  }
  auto found = bad.take();
  problems.insert(problems.end(), found.begin(), found.end());
  return out;
}

} // namespace pb::config
