#pragma once
// The state that an AG-UI agent shares: kept for its next run, never read by us. Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pb::ag_ui {

inline constexpr std::size_t state_limit = std::size_t{64} << 10; ///< bytes as JSON
inline constexpr std::size_t state_depth = 64;
inline constexpr std::size_t patch_limit = 256; ///< operations of one patch

/// A JSON text after a JSON Patch (RFC 6902). Nothing: the patch is none, does not fit, or would
/// make the state larger or deeper than it may be.
std::optional<std::string> patched(std::string_view state, std::string_view patch);

} // namespace pb::ag_ui
