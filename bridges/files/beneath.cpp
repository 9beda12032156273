#include "bridges/files/beneath.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace pb::files {

namespace {

constexpr std::uint64_t no_way_out = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

int open_at(int folder, const char* path, int flags, unsigned mode, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = resolve;
  for (int tries = 0;; ++tries) {
    const auto fd = ::syscall(SYS_openat2, folder, path, &how, sizeof how);
    // EAGAIN: something was renamed while the kernel walked.
    if (fd >= 0 || (errno != EINTR && (errno != EAGAIN || tries >= 16)))
      return static_cast<int>(fd);
  }
}

/// Kernels before 5.6 say ENOSYS, the filters of some containers EPERM.
bool have_openat2() {
  static const bool have = [] {
    const unique_fd root(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS));
    return root || (errno != ENOSYS && errno != EPERM); // any other trouble may pass
  }();
  return have;
}

tl::unexpected<fault> no_openat2() {
  return fail(fault_code::configuration,
              "openat2 is not there: files need Linux 5.6, in a container a system call filter "
              "that lets it through");
}

tl::unexpected<fault> wrong(int error, std::string_view what) {
  return tl::unexpected<fault>(disk_fault(error, what));
}

} // namespace

fault disk_fault(int error, std::string_view what) {
  const auto code = [&] {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
      return fault_code::not_found;
    case ELOOP:
    case EXDEV:
    case EACCES:
    case EPERM:
    case EROFS:
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
    case ENXIO:
    case ENODEV:
      return fault_code::refused;
    case ENOSPC:
    case EDQUOT:
      return fault_code::disk_full;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return fault_code::busy;
    default:
      return fault_code::storage;
    }
  }();
  const auto why = error == ELOOP || error == EXDEV ? "a symbolic link or a way out of the folder"
                                                    : std::generic_category().message(error);
  return {code, std::string(what) + ": " + why, {}};
}

result<unique_fd> open_folder(const std::string& path) {
  if (!have_openat2())
    return no_openat2();
  unique_fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd)
    return wrong(errno, "the folder of the workspace");
  return fd;
}

result<opened_file> open_beneath(int folder, const std::string& path, std::uint64_t most) {
  if (!have_openat2())
    return no_openat2();
  // First only its place: to open a device, or a FIFO with a writer, is to do something to it.
  const unique_fd place(open_at(folder, path.c_str(), O_PATH, 0, no_way_out));
  if (!place)
    return wrong(errno, "the file");
  struct stat what {};
  if (::fstat(place.get(), &what) != 0)
    return wrong(errno, "the file");
  if (!S_ISREG(what.st_mode))
    return fail(fault_code::refused,
                S_ISDIR(what.st_mode) ? "it is a folder, not a file" : "it is not a regular file");
  const auto again = "/proc/self/fd/" + std::to_string(place.get());
  opened_file out;
  out.fd = unique_fd(::open(again.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!out.fd || ::fstat(out.fd.get(), &what) != 0)
    return wrong(errno, "the file");
  out.size = static_cast<std::uint64_t>(std::max<off_t>(what.st_size, 0));
  if (out.size > most)
    return fail(fault_code::too_large, "the file has " + std::to_string(out.size) +
                                           " bytes; the limit is " + std::to_string(most));
  return out;
}

result<unique_fd> make_folders(int folder, std::string_view path, unsigned group, unsigned mode) {
  if (!have_openat2())
    return no_openat2();
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
  unique_fd at(open_at(folder, ".", flags, 0, no_way_out));
  if (!at)
    return wrong(errno, "the folder");
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string part(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".")
      continue;
    const bool made = ::mkdirat(at.get(), part.c_str(), 0700) == 0;
    if (!made && errno != EEXIST)
      return wrong(errno, "making a folder");
    unique_fd next(open_at(at.get(), part.c_str(), flags, 0, no_way_out));
    if (!next)
      return wrong(errno, "a folder");
    if (made) {
      // Another group is root's to give, or a member's: without it the mode has to do.
      if (::fchown(next.get(), static_cast<uid_t>(-1), group) != 0 && errno != EPERM)
        return wrong(errno, "a folder's group");
      if (::fchmod(next.get(), mode) != 0)
        return wrong(errno, "a folder's mode");
    }
    at = std::move(next);
  }
  return at;
}

result<unique_fd> create_beneath(int folder, const std::string& name) {
  if (!have_openat2())
    return no_openat2();
  unique_fd fd(
      open_at(folder, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, no_way_out));
  if (!fd)
    return wrong(errno, "making a file");
  return fd;
}

} // namespace pb::files
