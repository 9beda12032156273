#include "cli/registry_change.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pb::cli {
namespace {

std::string errno_text() { return std::strerror(errno); }

std::optional<std::string> sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return errno_text();
  const bool ok = ::fsync(fd) == 0;
  auto why = ok ? std::nullopt : std::optional{errno_text()};
  ::close(fd);
  return why;
}

std::optional<std::string> fill(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto n = ::write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno_text();
    at += static_cast<std::size_t>(n);
  }
  return ::fsync(fd) == 0 ? std::nullopt : std::optional{errno_text()};
}

} // namespace

std::optional<std::string> write_whole(const std::string& path,
                                       const std::optional<std::string>& text) {
  const auto folder = config::folder_of(path);
  if (!text) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return errno_text();
    return sync_folder(folder);
  }
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
    return errno_text();
  // A name with a dot before it is none of the registry's.
  const auto temporary = folder + "/." + path.substr(folder.size() + 1) + ".new";
  struct stat now {};
  const bool there = ::stat(path.c_str(), &now) == 0;
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0)
    return errno_text();
  auto why = fill(fd, *text);
  if (there && !why && ::fchmod(fd, now.st_mode & 07777) != 0)
    why = errno_text();
  ::close(fd);
  if (!why && ::rename(temporary.c_str(), path.c_str()) != 0)
    why = errno_text();
  if (why) {
    ::unlink(temporary.c_str());
    return why;
  }
  return sync_folder(folder);
}

} // namespace pb::cli
