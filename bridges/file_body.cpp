#include "bridges/file_body.hpp"

#include <cerrno>
#include <unistd.h>

namespace pb {

unique_fd::~unique_fd() {
  if (fd_ >= 0)
    ::close(fd_);
}

tl::expected<std::size_t, int> file_body::read(std::uint64_t at, char* to, std::size_t room) const {
  for (;;) {
    const auto n = ::pread(file_.get(), to, room, static_cast<off_t>(at));
    if (n >= 0)
      return static_cast<std::size_t>(n);
    if (errno != EINTR)
      return tl::unexpected<int>(errno);
  }
}

int file_body::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0) {
      if (errno == EINTR)
        continue;
      return errno;
    }
    size_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

int file_body::clear() {
  size_ = 0;
  while (::ftruncate(file_.get(), 0) != 0)
    if (errno != EINTR)
      return errno;
  return 0;
}

} // namespace pb
