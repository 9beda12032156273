#include "persistence/sqlite/file_guard.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace pb::sqlite {
namespace {

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

tl::unexpected<fault> refuse(const std::string& path, const std::string& what,
                             const std::string& todo) {
  return fail(fault_code::configuration, "database file " + path + ": " + what,
              path + " " + what + ". " + todo);
}

tl::unexpected<fault> failed(const std::string& path, const char* call, int why) {
  const std::string cause = std::string{call} + " " + path + ": " + std::strerror(why);
  switch (why) {
  case ENOSPC:
  case EDQUOT:
    return fail(fault_code::disk_full, cause,
                "There is no space left for the database. Free some space on its disk.");
  case EACCES:
  case EPERM:
  case EROFS:
    return fail(fault_code::configuration, cause,
                "The database " + path +
                    " cannot be written. Look at the owner and the permissions of its directory, "
                    "or give another storage.path.");
  default:
    return fail(fault_code::storage, cause, "The database " + path + " cannot be made.");
  }
}

/// What is there, without following a link; nothing when nothing is.
result<std::optional<struct stat>> look(const std::string& path) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) == 0)
    return s;
  if (errno == ENOENT)
    return std::nullopt;
  return failed(path, "lstat", errno);
}

result<void> plain(const std::string& path, const struct stat& s) {
  if (S_ISLNK(s.st_mode))
    return refuse(path, "is a symbolic link",
                  "A database is not opened through a link: give the file's own path.");
  if (S_ISDIR(s.st_mode))
    return refuse(path, "is a directory", "Give the path of a file as storage.path.");
  if (!S_ISREG(s.st_mode))
    return refuse(path, "is not a regular file", "Give the path of a file as storage.path.");
  return {};
}

/// Exclusively and closed to others from its first moment; its name is on disk afterwards.
result<void> create(const std::string& path, const std::string& directory) {
  {
    const descriptor file{
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (file.get() < 0)
      return failed(path, "create", errno);
    if (::fchmod(file.get(), 0600) != 0) // an odd umask may have taken our own rights
      return failed(path, "fchmod", errno);
  }
  const descriptor dir{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (dir.get() >= 0 && ::fsync(dir.get()) != 0 && errno != EINVAL) // EINVAL: it cannot be synced
    return failed(directory, "fsync", errno);
  return {};
}

} // namespace

result<std::string> prepare_file(const std::string& path) {
  namespace fs = std::filesystem;
  if (path.empty() || path.find('\0') != std::string::npos || fs::path{path}.filename().empty())
    return fail(fault_code::configuration, "database file: no usable path",
                "storage.path does not name a file.");
  std::error_code error;
  const fs::path given{path};
  const auto parent = given.has_parent_path() ? given.parent_path() : fs::path{"."};
  const auto directory = fs::canonical(parent, error);
  if (error || !fs::is_directory(directory, error))
    return fail(fault_code::configuration, "database directory " + parent.string() + " is missing",
                "The directory " + parent.string() +
                    " for the database does not exist or cannot be entered. Make it, or change "
                    "data_dir or storage.path.");
  const std::string full = (directory / given.filename()).string();
  auto there = look(full);
  if (!there)
    return tl::unexpected<fault>(there.error());
  if (auto ok = *there ? plain(full, **there) : create(full, directory.string()); !ok)
    return tl::unexpected<fault>(ok.error());
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    auto side = look(full + suffix);
    if (!side)
      return tl::unexpected<fault>(side.error());
    if (!*side)
      continue;
    if (auto ok = plain(full + suffix, **side); !ok)
      return tl::unexpected<fault>(ok.error());
  }
  return full;
}

result<void> check_modes(const std::string& path) {
  auto there = look(path);
  if (!there)
    return tl::unexpected<fault>(there.error());
  if (*there && ((*there)->st_mode & 077) != 0)
    return refuse(path, "may be read or written by others",
                  "It holds people's messages: run `chmod 600 " + path +
                      "`, and think about who may have read it.");
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    auto side = look(path + suffix);
    if (!side)
      return tl::unexpected<fault>(side.error());
    if (*side && ((*side)->st_mode & 077) != 0 && ::chmod((path + suffix).c_str(), 0600) != 0)
      return failed(path + suffix, "chmod", errno);
  }
  return {};
}

} // namespace pb::sqlite
