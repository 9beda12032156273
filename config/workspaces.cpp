#include "config/workspaces.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

namespace pb::config {

namespace {

namespace fs = std::filesystem;
using parts = std::vector<std::string>;

constexpr std::string_view anyone = "{user}";

parts split(const std::string& path) {
  std::error_code ignored;
  auto full = fs::absolute(path, ignored);
  if (ignored)
    full = path;
  parts out;
  for (const auto& part : full.lexically_normal())
    if (!part.empty() && part != "/")
      out.push_back(part.string());
  return out;
}

bool has_placeholder(const parts& path) {
  return std::any_of(path.begin(), path.end(), [](const std::string& part) {
    return part.find(anyone) != std::string::npos;
  });
}

/// Whether two names can be the same for some person. Between two placeholders anything may stand,
/// so only the texts before the first and behind the last one can tell names apart.
bool may_be_same(const std::string& a, const std::string& b) {
  const auto in_a = a.find(anyone), in_b = b.find(anyone);
  if (in_a == std::string::npos && in_b == std::string::npos)
    return a == b;
  const auto front_a = std::string_view{a}.substr(0, in_a);
  const auto front_b = std::string_view{b}.substr(0, in_b);
  if (!front_a.starts_with(front_b) && !front_b.starts_with(front_a))
    return false;
  const auto back = [](std::string_view text) {
    const auto at = text.rfind(anyone);
    return at == std::string_view::npos ? text : text.substr(at + anyone.size());
  };
  return back(a).ends_with(back(b)) || back(b).ends_with(back(a));
}

bool may_be_within(const parts& inner, const parts& outer) {
  return inner.size() >= outer.size() &&
         std::equal(outer.begin(), outer.end(), inner.begin(), may_be_same);
}

} // namespace

std::vector<overlap> overlapping(const std::vector<std::string>& paths) {
  std::vector<parts> all;
  std::map<parts, std::size_t> plain; // the first with this very path
  std::vector<std::size_t> open;      // those with a placeholder: compared one by one
  std::vector<overlap> out;
  std::vector<bool> told(paths.size(), false), is_open(paths.size(), false);
  const auto tell = [&](std::size_t inner, std::size_t outer) {
    if (!told[inner])
      out.push_back({inner, outer});
    told[inner] = true;
  };
  for (std::size_t i = 0; i < paths.size(); ++i) {
    all.push_back(split(paths[i]));
    is_open[i] = has_placeholder(all[i]);
    if (is_open[i])
      open.push_back(i);
    else if (const auto [first, fresh] = plain.emplace(all[i], i); !fresh)
      tell(i, first->second);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Plain paths are found by looking up every folder above.
    for (auto above = all[i]; !above.empty();) {
      above.pop_back();
      if (const auto found = plain.find(above); found != plain.end())
        tell(i, found->second);
    }
    for (const auto j : open)
      if (j < i || !is_open[i]) {
        if (may_be_within(all[i], all[j]))
          tell(i, j);
        else if (may_be_within(all[j], all[i]))
          tell(j, i);
      }
  }
  return out;
}

} // namespace pb::config
