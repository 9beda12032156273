#include "cli/data_dir.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pb::cli {
namespace {

std::string reason() { return std::strerror(errno); }

std::string read_all(int fd) {
  std::string text(256, '\0');
  const auto n = ::pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0'))
    text.pop_back();
  return text;
}

} // namespace

result<data_dir> data_dir::open(const std::string& path) {
  std::error_code ec;
  const bool fresh = std::filesystem::create_directories(path, ec);
  if (ec)
    return fail(fault_code::configuration, "create " + path + ": " + ec.message(),
                "the data directory " + path + " cannot be made (" + ec.message() +
                    "); set data_dir to a folder that this user may write");
  if (fresh)
    ::chmod(path.c_str(), 0700);
  const auto file = path + "/patchbay.lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(fault_code::configuration, "open " + file + ": " + reason(),
                "the data directory " + path + " cannot be written (" + reason() +
                    "); set data_dir to a folder that this user may write");
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto first = read_all(fd);
    ::close(fd);
    return fail(fault_code::busy, "locked by " + first,
                "another patchbay (process " + (first.empty() ? "unknown" : first) + ") uses " +
                    path + "; stop it, or give this one another data_dir");
  }
  const auto me = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, me.data(), me.size(), 0) < 0) {
    // The name of the holder is a courtesy: the lock itself holds without it (a full disk, say).
  }
  return data_dir{path, fd};
}

std::optional<std::string> data_dir::holder(const std::string& path) {
  const auto file = path + "/patchbay.lock";
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return std::nullopt;
  std::optional<std::string> who;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) {
    who = read_all(fd);
    if (who->empty())
      who = "unknown";
  }
  ::close(fd);
  return who;
}

data_dir::data_dir(data_dir&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

data_dir::~data_dir() {
  if (lock_ >= 0)
    ::close(lock_);
}

result<std::string> data_dir::secret_file(const std::string& name) const {
  const auto file = path_ + "/" + name;
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(fault_code::configuration, "open " + file + ": " + reason(),
                file + " cannot be opened (" + reason() + ")");
  auto text = read_all(fd);
  if (text.size() < 16) {
    unsigned char bits[32];
    if (::getrandom(bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
      ::close(fd);
      return fail(fault_code::bug, "getrandom: " + reason(), "the system gives no random bits");
    }
    static constexpr char digits[] = "0123456789abcdef";
    text.clear();
    for (const auto b : bits) {
      text.push_back(digits[b >> 4]);
      text.push_back(digits[b & 15]);
    }
    const auto line = text + "\n";
    if (::pwrite(fd, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
      const auto why = reason();
      ::close(fd);
      return fail(fault_code::disk_full, "write " + file + ": " + why,
                  file + " cannot be written (" + why + ")");
    }
  }
  ::close(fd);
  return text;
}

bool data_dir::note(const std::string& name, const std::string& line) const {
  const auto file = path_ + "/" + name;
  const auto fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return false;
  const auto text = line + "\n";
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written && ::rename(fresh.c_str(), file.c_str()) == 0;
}

} // namespace pb::cli
