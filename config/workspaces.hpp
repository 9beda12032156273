#pragma once
// No agent's workspace may be another's or lie within it: S4, files of one agent are not the
// other's.

#include <cstddef>
#include <string>
#include <vector>

namespace pb::config {

struct overlap {
  std::size_t inner, outer; ///< indexes; the inner one lies within the outer one or is the same
};

/// Pairs of paths of which one is, or may be, within the other: by their text alone ("a/../b" is
/// "b"), with "{user}" standing for any name. At most one pair for each inner path.
std::vector<overlap> overlapping(const std::vector<std::string>& paths);

} // namespace pb::config
