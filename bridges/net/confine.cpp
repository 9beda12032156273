#include "bridges/net/confine.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <initializer_list>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pb::net {

namespace {

// The headers of Debian 12 end with version 2; these are the kernel's.
constexpr std::uint64_t may_truncate = 1ULL << 14; // version 3
constexpr std::uint64_t scope_signal = 1ULL << 1;  // version 6

struct ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0; ///< known from version 4 on
  std::uint64_t scoped = 0;  ///< from version 6 on
};

std::uint64_t file_writes(int version) {
  return LANDLOCK_ACCESS_FS_WRITE_FILE | (version >= 3 ? may_truncate : 0);
}

std::uint64_t all_writes(int version) {
  return file_writes(version) | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
         LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
         LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
         LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
         (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0);
}

int allow(int rules, const char* path, std::uint64_t what) {
  const int there = ::open(path, O_PATH | O_CLOEXEC);
  if (there < 0)
    return errno;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = what;
  rule.parent_fd = there;
  const auto done = ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  const int wrong = done == 0 ? 0 : errno;
  ::close(there);
  return wrong;
}

int allow_all(int rules, const char* const* writable, int version) {
  for (; *writable != nullptr; ++writable)
    if (const int wrong = allow(rules, *writable, all_writes(version)); wrong != 0)
      return wrong;
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
                             "/dev/ptmx", "/dev/pts"})
    if (const int wrong = allow(rules, device, file_writes(version)); wrong != 0 && wrong != ENOENT)
      return wrong;
  return 0;
}

} // namespace

int landlock_version() {
  const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0},
                                 LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

confinement decide(sandbox_mode mode, int landlock) {
  if (mode == sandbox_mode::off)
    return confinement::none;
  if (landlock > 0)
    return confinement::landlock;
  return mode == sandbox_mode::required ? confinement::refused : confinement::unavailable;
}

int confine(const char* const* writable, int landlock) noexcept {
  ruleset wanted;
  wanted.files = all_writes(landlock);
  wanted.scoped = landlock >= 6 ? scope_signal : 0;
  const std::size_t size = landlock >= 6   ? sizeof wanted
                           : landlock >= 4 ? offsetof(ruleset, scoped)
                                           : offsetof(ruleset, network);
  const auto made = ::syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
  if (made < 0)
    return errno;
  const int rules = static_cast<int>(made);
  int wrong = allow_all(rules, writable, landlock);
  if (wrong == 0 && (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                     ::syscall(SYS_landlock_restrict_self, rules, 0) != 0))
    wrong = errno;
  ::close(rules);
  return wrong;
}

} // namespace pb::net
