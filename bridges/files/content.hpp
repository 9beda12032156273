#pragma once
// What a file is, by its content: an agent may call anything a picture.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pb::files {

/// So many bytes from the beginning say what it is.
constexpr std::size_t head_size = std::size_t{256} << 10;

struct content {
  std::string mimetype = "application/octet-stream"; ///< without parameters
  std::string header;                 ///< for Content-Type: text that is UTF-8 says so
  std::int64_t width = 0, height = 0; ///< of a picture; 0: not known
};

/// The system's database of file types (libmagic), loaded at the first question. For one thread at
/// a time. Types that a browser would run become harmless: text of any kind is text/plain
/// (text/markdown, text/csv where the name says so), and of pictures only PNG, JPEG, GIF and WebP
/// keep a type that begins with image/; SVG and XHTML, which can hold scripts, are octet-stream.
class content_types {
public:
  content_types();
  ~content_types();
  content_types(const content_types&) = delete;
  content_types& operator=(const content_types&) = delete;

  /// `head`: the first head_size bytes. Without the database: application/octet-stream.
  content look(std::string_view head, std::string_view name);

private:
  struct database;
  std::unique_ptr<database> database_;
};

} // namespace pb::files
