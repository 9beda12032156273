#include "bridges/agent/demo/demo_workspace.hpp"

#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace pb::demo {

namespace {

class handle {
public:
  explicit handle(int fd) : fd_(fd) {}
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  handle(handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  handle& operator=(handle&&) = delete;
  ~handle() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_;
};

handle open_beneath(const handle& root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? 0664 : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return handle(
      static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
}

handle open_root(const std::string& root) {
  return handle(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::size_t files_in(const handle& folder) {
  std::size_t n = 0;
  DIR* list = ::fdopendir(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
  if (list == nullptr)
    return workspace::folder_most;
  ::rewinddir(list);
  while (::readdir(list) != nullptr)
    ++n;
  ::closedir(list);
  return n < 2 ? 0 : n - 2; // "." and ".."
}

bool write_all(const handle& to, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(to.get(), text.data(), text.size());
    if (n <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

} // namespace

bool workspace::write(const std::string& path, std::string_view text) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || path.find('/') != slash || text.size() > file_most)
    return false; // one folder, one name
  const auto root = open_root(root_);
  if (!root)
    return false;
  ::mkdirat(root.get(), path.substr(0, slash).c_str(), 0775);
  const auto folder = open_beneath(root, path.substr(0, slash), O_RDONLY | O_DIRECTORY);
  const auto name = path.substr(slash + 1);
  if (!folder || name.empty())
    return false;
  if (::faccessat(folder.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
      files_in(folder) >= folder_most)
    return false;
  const std::string temporary = ".demo.tmp";
  ::unlinkat(folder.get(), temporary.c_str(), 0);
  const auto file = open_beneath(folder, temporary, O_WRONLY | O_CREAT | O_EXCL);
  return file && write_all(file, text) &&
         ::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) == 0;
}

std::optional<std::string> workspace::read(const std::string& path, std::size_t most) {
  const auto root = open_root(root_);
  const auto file = open_beneath(root, path, O_RDONLY | O_NONBLOCK);
  struct stat what {};
  if (!file || ::fstat(file.get(), &what) != 0 || !S_ISREG(what.st_mode))
    return std::nullopt;
  std::string text(most, '\0');
  std::size_t have = 0;
  while (have < most) {
    const auto n = ::read(file.get(), text.data() + have, most - have);
    if (n < 0)
      return std::nullopt;
    if (n == 0)
      break;
    have += static_cast<std::size_t>(n);
  }
  text.resize(have);
  return text;
}

std::int64_t workspace::size(const std::string& path) {
  const auto root = open_root(root_);
  const auto file = open_beneath(root, path, O_PATH);
  struct stat what {};
  return file && ::fstat(file.get(), &what) == 0 && S_ISREG(what.st_mode)
             ? static_cast<std::int64_t>(what.st_size)
             : -1;
}

} // namespace pb::demo
