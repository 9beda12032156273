#include "bridges/files/names.hpp"

#include <algorithm>
#include <filesystem>
#include <fnmatch.h>

namespace pb::files {

namespace {

using parts = std::vector<std::string>;
constexpr std::size_t longest_path = 4095; // PATH_MAX with its end

parts split(std::string_view path) {
  parts out;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    if (!part.empty() && part != ".")
      out.emplace_back(part);
    at = end + 1;
  }
  return out;
}

struct character {
  char32_t code = 0xFFFD; ///< also for what is not UTF-8
  std::size_t bytes = 1;
};

character first_of(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  if (byte(0) < 0x80)
    return {byte(0), 1};
  const std::size_t n = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || s.size() < n)
    return {};
  char32_t code = byte(0) & (0xFFU >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0U) != 0x80)
      return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return {};
  return {code, n};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

/// Line and paragraph separators, and what turns "exe.gpj" around in a list of files.
bool misleads(char32_t c) {
  return c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x061C || c == 0xFEFF;
}

std::string_view cut(std::string_view s, std::size_t most) {
  if (s.size() <= most)
    return s;
  while (most > 0 && (static_cast<unsigned char>(s[most]) & 0xC0U) == 0x80)
    --most;
  return s.substr(0, most);
}

/// The name in two, the second part with its dot; a long one is no extension.
std::pair<std::string_view, std::string_view> with_extension(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot > 32)
    return {name, {}};
  return {name.substr(0, dot), name.substr(dot)};
}

/// What is behind `root` and a slash, or nothing.
std::string_view below(std::string_view path, std::string_view root) {
  while (root.ends_with('/'))
    root.remove_suffix(1);
  if (root.empty() || !path.starts_with(root) || path.size() == root.size() ||
      path[root.size()] != '/')
    return {};
  return path.substr(root.size() + 1);
}

/// The pattern names the path or a folder above it.
bool names(const parts& pattern, const parts& path) {
  std::vector<char> at(pattern.size() + 1, 0), next;
  at[0] = 1; // where in the pattern the next part of the path may stand
  for (const auto& part : path) {
    next.assign(at.size(), 0);
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (at[i] == 0)
        continue;
      const bool last = i + 1 == pattern.size();
      if (pattern[i] == "**") {
        next[i] = 1;
        (last ? next : at)[i + 1] = 1; // in the middle it also stands for no folder at all
      } else if (::fnmatch(pattern[i].c_str(), part.c_str(), 0) == 0) {
        next[i + 1] = 1;
      }
    }
    at.swap(next);
    if (at.back() != 0)
      return true;
  }
  return false;
}

} // namespace

result<std::string> relative_path(std::string_view named, const std::string& workspace) {
  const auto no = [](const char* why) { return fail(fault_code::refused, why); };
  if (named.empty())
    return no("the path is empty");
  if (named.size() > longest_path)
    return no("the path is too long");
  for (auto rest = named; !rest.empty();) {
    const auto c = first_of(rest);
    if (is_control(c.code))
      return no("the path has control characters");
    rest.remove_prefix(c.bytes);
  }
  if (named.front() == '/') {
    std::error_code ignored;
    const auto ours = std::filesystem::absolute(workspace, ignored).lexically_normal().string();
    auto inside = workspace.empty() ? std::string_view{} : below(named, ours);
    if (inside.empty())
      inside = below(named, "/workspace");
    if (inside.empty())
      return no("the path is absolute and not in the workspace");
    named = inside;
  }
  std::string out;
  for (const auto& part : split(named)) {
    if (part == "..")
      return no("the path has '..' in it");
    out += (out.empty() ? "" : "/") + part;
  }
  if (out.empty())
    return no("the path is the workspace itself");
  return out;
}

bool denied(std::string_view path, const std::vector<std::string>& patterns) {
  const auto where = split(path);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    auto what = split(pattern);
    if (what.empty())
      return false;
    if (pattern.find('/') >= pattern.size() - 1) // none, or only at the end
      what.insert(what.begin(), "**");
    return names(what, where);
  });
}

std::string safe_name(std::string_view name) {
  while (!name.empty() && (name.back() == '/' || name.back() == '\\'))
    name.remove_suffix(1);
  if (const auto slash = name.find_last_of("/\\"); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  std::string out;
  for (auto rest = name; !rest.empty();) {
    const auto c = first_of(rest);
    if (c.code == 0xFFFD)
      out += '_';
    else if (!is_control(c.code) && !misleads(c.code))
      out += rest.substr(0, c.bytes);
    rest.remove_prefix(c.bytes);
  }
  out.erase(0, out.find_first_not_of(". "));
  out.erase(out.find_last_not_of(' ') + 1);
  if (out.empty())
    return "file";
  out = numbered_name(out, 1);
  out.erase(out.find_last_not_of(' ') + 1); // the cut may have left one
  return out;
}

std::string numbered_name(std::string_view name, unsigned n) {
  auto [stem, extension] = with_extension(name);
  const auto number = n < 2 ? std::string{} : " (" + std::to_string(n) + ")";
  stem = cut(stem, longest_name - number.size() - extension.size());
  return std::string(stem) + number + std::string(extension);
}

} // namespace pb::files
