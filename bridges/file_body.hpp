#pragma once
// Files in the place of bodies in memory: what is large goes between a socket and the disk in small
// pieces.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace pb {

/// Owns a file descriptor.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd();

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Somebody else closes it from now on.
  int release() { return std::exchange(fd_, -1); }

private:
  int fd_ = -1;
};

/// An open regular file that a body is read from or written to. All places are counted from its
/// beginning, so that a request can be sent again. Not for two requests at the same time.
class file_body {
public:
  explicit file_body(unique_fd file, std::uint64_t size = 0)
      : file_(std::move(file)), size_(size) {}

  [[nodiscard]] int fd() const { return file_.get(); }
  /// Of a source: bytes to send. Of a sink: bytes that were written.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// At most `room` bytes from `at`; 0: the file ends there. Error: errno.
  [[nodiscard]] tl::expected<std::size_t, int> read(std::uint64_t at, char* to,
                                                    std::size_t room) const;
  /// At the end of what was written. 0, or errno.
  int append(std::string_view bytes);
  /// As before the first append(). 0, or errno.
  int clear();

private:
  unique_fd file_;
  std::uint64_t size_;
};

} // namespace pb
