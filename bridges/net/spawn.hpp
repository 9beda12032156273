#pragma once
// Internal to bridges/net: starting a child process, without a shell and without waiting.

#include "bridges/link.hpp"

#include <string>
#include <sys/types.h>
#include <tl/expected.hpp>

namespace pb::net {

struct spawned {
  pid_t pid = -1;
  unique_fd process;      ///< readable when it has ended (pidfd)
  unique_fd in, out, err; ///< our ends of its three streams
  unique_fd start;        ///< ends empty when it runs; else holds a start_failure
};

/// Why the child could not become what it should.
struct start_failure {
  enum step : int { process, streams, folder, confining, running };
  int at = process;
  int error = 0; ///< errno
};

/// For the log.
std::string describe(const start_failure& f, const child_process& child);

/// The child leads a process group of its own, has no descriptors but its three streams, default
/// signals, no core dumps, and is killed when the calling thread ends. `temporary`: a folder for
/// $TMPDIR, empty: none. `landlock`: its version if the child is to be confined to cwd and
/// `temporary`, else 0. The error is for the log.
tl::expected<spawned, std::string> spawn(const child_process& child, const std::string& temporary,
                                         int landlock);

} // namespace pb::net
