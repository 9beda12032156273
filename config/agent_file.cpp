#include "config/agent_file.hpp"

#include "config/document.hpp"

#include <algorithm>
#include <map>

namespace pb::config {

namespace {

constexpr auto by_hand = "it is not written with one key a line at the left margin";

/// Where a key stands: its first line and the one behind its last, counted from 0.
struct extent {
  std::size_t begin = 0, end = 0;
};

/// Lines with their ends.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

bool is_blank_or_comment(const std::string& line) {
  return line.find_first_not_of(" \t\r\n") == std::string::npos || line.front() == '#';
}

bool same(const node& a, const node& b) {
  if (a.what != b.what || a.text != b.text || a.items.size() != b.items.size() ||
      a.pairs.size() != b.pairs.size())
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(*a.items[i], *b.items[i]))
      return false;
  for (std::size_t i = 0; i < a.pairs.size(); ++i)
    if (!same(*a.pairs[i].first, *b.pairs[i].first) ||
        !same(*a.pairs[i].second, *b.pairs[i].second))
      return false;
  return true;
}

/// "  # why" behind a value of one line, or nothing.
std::string comment_of(const std::string& line) {
  char quote = 0;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const char before = line[i - 1], c = line[i];
    if (quote != 0) {
      if (quote == '"' && c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if ((c == '"' || c == '\'') &&
               std::string{" \t[{,:"}.find(before) != std::string::npos) {
      quote = c;
    } else if (c == '#' && (before == ' ' || before == '\t')) {
      const auto from = line.find_last_not_of(" \t", i - 1) + 1;
      return line.substr(from, line.find_last_not_of("\r\n") + 1 - from);
    }
  }
  return {};
}

/// The keys of the root with their lines; nothing: the file is written in another way.
std::optional<std::map<std::string, extent>> extents_of(const node& root,
                                                        const std::vector<std::string>& lines) {
  std::map<std::string, extent> out;
  if (root.what == node::kind::null)
    return out;
  if (root.what != node::kind::mapping)
    return std::nullopt;
  std::size_t before = 0;
  for (std::size_t i = 0; i < root.pairs.size(); ++i) {
    const auto& key = *root.pairs[i].first;
    const auto begin = static_cast<std::size_t>(key.line) - 1;
    if (key.what != node::kind::scalar || key.column != 1 || begin >= lines.size() ||
        !lines[begin].starts_with(key.text) || (i > 0 && begin <= before))
      return std::nullopt;
    auto end = i + 1 < root.pairs.size()
                   ? static_cast<std::size_t>(root.pairs[i + 1].first->line) - 1
                   : lines.size();
    while (end > begin + 1 && is_blank_or_comment(lines[end - 1]))
      --end;
    if (!out.emplace(key.text, extent{begin, end}).second)
      return std::nullopt;
    before = begin;
  }
  return out;
}

/// Whether `now` is `before` with these edits and nothing else.
bool is_what_was_asked(const node& before, const node& now, const std::vector<key_edit>& edits) {
  const auto edited = [&](const std::string& key) {
    return std::find_if(edits.begin(), edits.end(), [&](const auto& e) { return e.key == key; });
  };
  const auto value_of = [](const node& root, const std::string& key) -> const node* {
    for (const auto& [name, value] : root.pairs)
      if (name->text == key)
        return value;
    return nullptr;
  };
  if (now.what != node::kind::mapping && !now.pairs.empty())
    return false;
  for (const auto& [key, value] : before.pairs)
    if (edited(key->text) == edits.end()) {
      const auto* kept = value_of(now, key->text);
      if (kept == nullptr || !same(*kept, *value))
        return false;
    }
  for (const auto& [key, value] : now.pairs)
    if (edited(key->text) == edits.end() && value_of(before, key->text) == nullptr)
      return false;
  for (const auto& e : edits) {
    const auto* now_there = value_of(now, e.key);
    if ((now_there != nullptr) != e.value.has_value())
      return false;
    if (!now_there)
      continue;
    const auto alone = document::parse(*e.value, {});
    if (!alone || !same(alone->root(), *now_there))
      return false;
  }
  return true;
}

} // namespace

tl::expected<std::string, std::string> edit_agent_file(const std::string& text,
                                                       const std::vector<key_edit>& edits) {
  const auto before = document::parse(text, {});
  if (!before)
    return tl::unexpected("line " + std::to_string(before.error().line) + ": " +
                          before.error().what);
  auto lines = lines_of(text);
  const auto places = extents_of(before->root(), lines);
  const bool has_end = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.starts_with("..."); // what is added behind it would be no part of the document
  });
  if (!places || has_end)
    return tl::unexpected<std::string>(by_hand);
  const std::string ending = text.find("\r\n") == std::string::npos ? "\n" : "\r\n";
  std::string added;
  for (const auto& e : edits) {
    const auto place = places->find(e.key);
    if (place == places->end()) {
      if (e.value)
        added += e.key + ": " + *e.value + ending;
      continue;
    }
    const auto [begin, end] = place->second;
    auto& first = lines[begin];
    auto line = e.value ? e.key : std::string{};
    if (e.value)
      line.append(": ").append(*e.value).append(end == begin + 1 ? comment_of(first) : "") +=
          ending;
    first = std::move(line);
    for (auto i = begin + 1; i < end; ++i)
      lines[i].clear();
  }
  std::string out;
  for (const auto& line : lines)
    out += line;
  if (!out.empty() && !out.ends_with('\n'))
    out += ending;
  out += added;
  const auto now = document::parse(out, {});
  if (!now || !is_what_was_asked(before->root(), now->root(), edits))
    return tl::unexpected<std::string>(by_hand);
  return out;
}

} // namespace pb::config
