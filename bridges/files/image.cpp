#include "bridges/files/image.hpp"

namespace pb::files {

namespace {

/// Bytes as numbers; what lies behind the end is 0, and the reader is spoilt.
class reader {
public:
  explicit reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool has(std::size_t at, std::string_view what) const {
    return at <= bytes_.size() && bytes_.substr(at).starts_with(what);
  }
  [[nodiscard]] std::uint32_t byte(std::size_t at) {
    good_ = good_ && at < bytes_.size();
    return good_ ? static_cast<unsigned char>(bytes_[at]) : 0;
  }
  [[nodiscard]] std::uint32_t big(std::size_t at, std::size_t bytes) {
    std::uint32_t x = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      x = x << 8U | byte(at + i);
    return x;
  }
  [[nodiscard]] std::uint32_t little(std::size_t at, std::size_t bytes) {
    std::uint32_t x = 0;
    for (std::size_t i = bytes; i > 0; --i)
      x = x << 8U | byte(at + i - 1);
    return x;
  }
  [[nodiscard]] bool good() const { return good_; }

private:
  std::string_view bytes_;
  bool good_ = true;
};

/// PNG 1.2, 11.2.2: IHDR comes first.
image_size png(reader& r) {
  if (!r.has(12, "IHDR"))
    return {};
  const auto width = r.big(16, 4), height = r.big(20, 4);
  if (width > 0x7fffffffU || height > 0x7fffffffU)
    return {};
  return {width, height};
}

/// GIF89a, 18: the logical screen.
image_size gif(reader& r) { return {r.little(6, 2), r.little(8, 2)}; }

/// RFC 9649: lossy, lossless, extended.
image_size webp(reader& r) {
  if (r.has(12, "VP8 ") && r.has(23, "\x9d\x01\x2a"))
    return {r.little(26, 2) & 0x3fffU, r.little(28, 2) & 0x3fffU};
  if (r.has(12, "VP8L") && r.has(20, "\x2f")) {
    const auto bits = r.little(21, 4);
    return {(bits & 0x3fffU) + 1, (bits >> 14U & 0x3fffU) + 1};
  }
  if (r.has(12, "VP8X"))
    return {r.little(24, 3) + 1, r.little(27, 3) + 1};
  return {};
}

/// ITU-T T.81, B.1.1: segments up to the frame header. Each step goes at least two bytes on.
image_size jpeg(reader& r) {
  for (std::size_t at = 2; r.good();) {
    if (r.byte(at) != 0xff)
      return {};
    const auto marker = r.byte(at + 1);
    if (marker == 0xff) { // a fill byte
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) { // without parameters
      at += 2;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
      return {r.big(at + 7, 2), r.big(at + 5, 2)};
    const auto length = r.big(at + 2, 2);
    if (length < 2 || marker == 0xd9 || marker == 0xda || marker == 0)
      return {};
    at += 2 + length;
  }
  return {};
}

} // namespace

std::optional<image_size> size_of_image(std::string_view head) {
  reader r(head);
  image_size size;
  if (r.has(0, "\x89PNG\r\n\x1a\n"))
    size = png(r);
  else if (r.has(0, "GIF87a") || r.has(0, "GIF89a"))
    size = gif(r);
  else if (r.has(0, "RIFF") && r.has(8, "WEBP"))
    size = webp(r);
  else if (r.has(0, "\xff\xd8\xff"))
    size = jpeg(r);
  if (!r.good() || size.width == 0 || size.height == 0)
    return std::nullopt;
  return size;
}

} // namespace pb::files
