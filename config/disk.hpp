#pragma once
// How the loader sees the disk. Tests and the fuzz target put a map in its place.

#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace pb::config {

class disk {
public:
  virtual ~disk() = default;
  /// A regular file's content; an error is why not, in words ("No such file or directory").
  [[nodiscard]] virtual tl::expected<std::string, std::string> read(const std::string& path,
                                                                    std::size_t cap) const = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) const = 0;
  /// Names (not paths) of the *.yaml files in a folder, sorted, without those that begin with a
  /// dot. A folder that is not there is empty.
  [[nodiscard]] virtual tl::expected<std::vector<std::string>, std::string>
  yaml_files(const std::string& folder) const = 0;
};

const disk& real_disk();

/// `path` as seen from `folder`; an absolute path stays as it is.
std::string below(const std::string& folder, const std::string& path);
/// The folder of a file's path; empty for a bare name.
std::string folder_of(const std::string& file);

} // namespace pb::config
