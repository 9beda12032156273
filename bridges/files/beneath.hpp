#pragma once
// Opening what an agent names, with no way out of its workspace: openat2(2) with RESOLVE_BENEATH
// and without symbolic links. The kernel decides while it walks, so that nothing can be changed
// between a look and the opening.

#include "bridges/file_body.hpp"
#include "messages/values/fault.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pb::files {

/// A folder for what lies beneath it. Its own path is the operator's and may have symbolic links.
/// Faults: not_found, refused (no permission), configuration (see open_beneath).
result<unique_fd> open_folder(const std::string& path);

struct opened_file {
  unique_fd fd; ///< for reading
  std::uint64_t size = 0;
};
/// A regular file of at most `most` bytes. Never waits, and no device is opened, not even to look
/// what it is. Faults: not_found; refused (a symbolic link anywhere in the path, a folder, device,
/// FIFO or socket, no permission); too_large; configuration (this kernel, or the container's system
/// call filter, has no openat2).
result<opened_file> open_beneath(int folder, const std::string& path, std::uint64_t most);

/// A folder beneath, made if it is missing, each part with this group and mode whatever the umask
/// says. For listing. Faults as above, and disk_full.
result<unique_fd> make_folders(int folder, std::string_view path, unsigned group, unsigned mode);

/// A new file in that folder, for our eyes alone.
result<unique_fd> create_beneath(int folder, const std::string& name);

/// What errno says, as a fault; `what` begins the cause.
fault disk_fault(int error, std::string_view what);

} // namespace pb::files
