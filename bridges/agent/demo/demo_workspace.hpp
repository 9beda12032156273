#pragma once
// The demonstration agent's workspace on disk: small files, never outside the folder.

#include "bridges/agent/demo/demo_skills.hpp"

namespace pb::demo {

/// Every path is opened beneath `root` without following symbolic links (openat2). A folder holds
/// at most `folder_most` files of ours; a file at most 1 MiB.
class workspace final : public shelf {
public:
  explicit workspace(std::string root) : root_(std::move(root)) {}
  bool write(const std::string& path, std::string_view text) override;
  std::optional<std::string> read(const std::string& path, std::size_t most) override;
  std::int64_t size(const std::string& path) override;

  static constexpr std::size_t folder_most = 200;
  static constexpr std::size_t file_most = std::size_t{1} << 20;

private:
  std::string root_;
};

} // namespace pb::demo
