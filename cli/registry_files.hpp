#pragma once
// Whether the registry's files have changed: cheap to ask often.

#include "config/disk.hpp"

#include <cstdint>
#include <string>

namespace pb::cli {

/// Tells a registry file and the files in agents.d beside it apart from what they were: first by
/// their entries on the disk, then by what they hold.
class registry_files {
public:
  explicit registry_files(std::string file) : file_(std::move(file)) {}

  /// A number for the present content of all files (also of one that is missing or cannot be read).
  /// Files are read only when one of their entries is another one than at the last call, or is so
  /// young that a second write may hide behind the first.
  std::uint64_t look();

private:
  struct entries {
    std::uint64_t print = 0;
    bool young = false;
  };
  [[nodiscard]] entries stat_all() const;
  [[nodiscard]] std::uint64_t read_all() const;

  std::string file_;
  entries last_{};
  std::uint64_t content_ = 0;
  bool looked_ = false;
};

} // namespace pb::cli
