#include "persistence/sqlite/file_guard.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

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

namespace {

/// The path with its directory's real name.
result<std::string> full_path(const std::string& path) {
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
  return (directory / given.filename()).string();
}

std::string directory_of(const std::string& full) {
  return std::filesystem::path{full}.parent_path().string();
}

} // namespace

result<std::string> prepare_file(const std::string& path) {
  auto made = full_path(path);
  if (!made)
    return made;
  const auto& full = *made;
  auto there = look(full);
  if (!there)
    return tl::unexpected<fault>(there.error());
  if (auto ok = *there ? plain(full, **there) : create(full, directory_of(full)); !ok)
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

result<std::string> make_file(const std::string& path) {
  auto full = full_path(path);
  if (!full)
    return full;
  if (auto ok = create(*full, directory_of(*full)); !ok)
    return tl::unexpected<fault>(ok.error());
  return full;
}

result<void> sync_file(const std::string& path) {
  for (const auto& [name, flags] :
       {std::pair{path, O_RDONLY}, std::pair{directory_of(path), O_RDONLY | O_DIRECTORY}}) {
    const descriptor file{::open(name.c_str(), flags | O_CLOEXEC)};
    if (file.get() < 0)
      return failed(name, "open", errno);
    if (::fsync(file.get()) != 0 && errno != EINVAL)
      return failed(name, "fsync", errno);
  }
  return {};
}

result<void> check_log(const std::string& path) {
  auto log = look(path + "-wal");
  if (!log)
    return tl::unexpected<fault>(log.error());
  if (!*log || (*log)->st_size == 0)
    return {};
  const descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  unsigned char header[20] = {};
  if (file.get() < 0 || ::pread(file.get(), header, sizeof header, 0) != sizeof header)
    return {}; // nothing is in it yet, or SQLite will say what is wrong
  // Bytes 18 and 19: 1 for a database that never had such a log, as every backup is; ours have 2
  // from their first page on (SQLite's file format, 1.3.3).
  if (header[18] != 1 || header[19] != 1)
    return {};
  return refuse(path, "stands beside the log of another database",
                "Move " + path + "-wal and " + path +
                    "-shm away: they belong to the database that was there before.");
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
