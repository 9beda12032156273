#include "config/suggest.hpp"

#include "config/problem.hpp"

#include <algorithm>
#include <cctype>

namespace pb::config {

namespace {

constexpr std::size_t longest_compared = 64;
constexpr std::size_t most_listed = 20;
constexpr std::size_t most_compared = 2'000;

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto other = a[i - 1] == b[j - 1] ? 0u : 1u;
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row[b.size()];
}

bool begins_or_ends(const std::string& word, const std::string& whole) {
  return word.size() >= 3 && (whole.starts_with(word) || whole.ends_with("_" + word));
}

} // namespace

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known) {
  if (name.empty() || name.size() > longest_compared)
    return std::nullopt;
  const auto wanted = lower(name);
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  std::size_t compared = 0;
  for (const auto& candidate : known) {
    if (++compared > most_compared)
      break;
    const auto d = distance(wanted, lower(candidate));
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  if (best)
    return best;
  for (const auto& candidate : known)
    if (begins_or_ends(wanted, lower(candidate)) || begins_or_ends(lower(candidate), wanted))
      return candidate;
  return std::nullopt;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  if (const auto near = nearest(name, known))
    return "did you mean " + quoted(*near) + "?";
  if (known.empty())
    return "remove it";
  std::string out = "known here: ";
  for (std::size_t i = 0; i < known.size() && i < most_listed; ++i)
    out += (i > 0 ? ", " : "") + known[i];
  if (known.size() > most_listed)
    out += ", …";
  return out;
}

} // namespace pb::config
