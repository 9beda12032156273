#include "bridges/net/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

namespace pb::net {

namespace fs = std::filesystem;

temporary_folder temporary_folder::make() {
  temporary_folder out;
  std::error_code ec;
  auto name = (fs::temp_directory_path(ec) / "patchbay-child-XXXXXX").string();
  if (!ec && ::mkdtemp(name.data()) != nullptr)
    out.path_ = std::move(name);
  return out;
}

temporary_folder& temporary_folder::operator=(temporary_folder&& o) noexcept {
  if (this != &o) {
    remove();
    path_ = std::exchange(o.path_, {});
  }
  return *this;
}

void temporary_folder::remove() {
  if (path_.empty())
    return;
  std::error_code ignored;
  fs::remove_all(std::exchange(path_, {}), ignored);
}

void temporary_folder::remove_aside() {
  if (path_.empty())
    return;
  std::error_code ec;
  if (fs::remove(path_, ec)) { // the usual case: nothing is in it
    path_.clear();
    return;
  }
  try {
    std::thread([folder = std::move(*this)]() mutable { folder.remove(); }).detach();
  } catch (const std::system_error&) { // no thread to be had: *this is as it was, or is empty
    remove();
  }
}

} // namespace pb::net
