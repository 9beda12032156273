#pragma once
// Internal to bridges/net: where a child process may write, enforced by the kernel (Landlock),
// which any user may ask for.

#include "messages/values/sandbox.hpp"

namespace pb::net {

/// The version of the kernel's Landlock; 0: it has none, or it is switched off.
int landlock_version();

enum class confinement {
  none,        ///< not wanted
  unavailable, ///< wanted where possible, and it is not
  landlock,
  refused, ///< required, and not possible
};
confinement decide(sandbox_mode mode, int landlock);

/// From now on this process and what it starts write, create, rename and remove beneath `writable`
/// only (null-terminated; folders), get no new privileges, and signal nobody else (from version 6
/// on). A few devices such as /dev/null stay writable. Reading and executing are as before. Before
/// version 3 (Linux 6.2) the kernel cannot forbid that a file elsewhere is truncated. 0, or errno.
/// Async-signal-safe: for a child between fork and exec.
int confine(const char* const* writable, int landlock) noexcept;

} // namespace pb::net
