// Any bytes as a picture, and as the name and the path of a file: a size is one that a picture can
// have, a name is one name, a path stays below its folder.

#include "bridges/files/image.hpp"
#include "bridges/files/names.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void check(bool good) {
  if (!good)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto found = pb::files::size_of_image(text)) {
    check(found->width > 0 && found->height > 0 && size >= 10);
    check(found->width <= 0x7fffffff && found->height <= 0x7fffffff);
  }
  const auto name = pb::files::safe_name(text);
  check(!name.empty() && name.size() <= pb::files::longest_name && name.front() != '.');
  check(name.find('/') == std::string::npos && name.find('\0') == std::string::npos);
  check(pb::files::safe_name(name) == name);
  if (const auto path = pb::files::relative_path(text, "/agents/1")) {
    check(!path->empty() && path->front() != '/' && path->back() != '/');
    check(("/" + *path + "/").find("/../") == std::string::npos);
    check(path->find('\0') == std::string::npos);
    check(pb::files::relative_path(*path, "/agents/1") == *path);
    (void)pb::files::denied(*path, {"config/**", ".*", "**/a/*b"});
  }
  return 0;
}
