#include "config/disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace pb::config {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 10'000;

tl::unexpected<std::string> why(int code) {
  return tl::unexpected<std::string>(std::strerror(code));
}

class posix_disk final : public disk {
public:
  tl::expected<std::string, std::string> read(const std::string& path,
                                              std::size_t cap) const override {
    // Without waiting: a pipe that nobody writes to must not stop the start.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
      return why(errno);
    auto out = content(fd, cap);
    ::close(fd);
    return out;
  }

  bool exists(const std::string& path) const override {
    std::error_code ignored;
    return fs::exists(path, ignored);
  }

  tl::expected<std::vector<std::string>, std::string>
  yaml_files(const std::string& folder) const override {
    std::vector<std::string> out;
    std::error_code code;
    fs::directory_iterator i{folder, code};
    if (code == std::errc::no_such_file_or_directory)
      return out;
    for (const fs::directory_iterator end; !code && i != end; i.increment(code)) {
      auto name = i->path().filename().string();
      if (!name.starts_with('.') && name.ends_with(".yaml"))
        out.push_back(std::move(name));
      if (out.size() > most_files)
        return tl::unexpected("more than " + std::to_string(most_files) + " files");
    }
    if (code)
      return tl::unexpected(code.message());
    std::sort(out.begin(), out.end());
    return out;
  }

private:
  static tl::expected<std::string, std::string> content(int fd, std::size_t cap) {
    struct stat about {};
    if (::fstat(fd, &about) != 0)
      return why(errno);
    if (!S_ISREG(about.st_mode))
      return tl::unexpected<std::string>("not a regular file");
    std::string out;
    char block[16'384];
    for (;;) {
      const auto n = ::read(fd, block, sizeof block);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return why(errno);
      if (n == 0)
        return out;
      out.append(block, static_cast<std::size_t>(n));
      if (out.size() > cap)
        return tl::unexpected("larger than " + std::to_string(cap) + " bytes");
    }
  }
};

} // namespace

const disk& real_disk() {
  static const posix_disk one;
  return one;
}

std::string below(const std::string& folder, const std::string& path) {
  return (fs::path{folder} / path).lexically_normal().string();
}

std::string folder_of(const std::string& file) { return fs::path{file}.parent_path().string(); }

} // namespace pb::config
