#pragma once
// How large a picture is, from its first bytes. They are anybody's.

#include <cstdint>
#include <optional>
#include <string_view>

namespace pb::files {

struct image_size {
  std::uint32_t width = 0, height = 0; ///< pixels, both at least 1
};

/// Of PNG, JPEG, GIF and WebP, as stored: a camera's note on how to turn it is not looked at.
/// Nothing: another format, damaged, or the size stands behind `head`.
std::optional<image_size> size_of_image(std::string_view head);

} // namespace pb::files
