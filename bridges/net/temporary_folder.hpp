#pragma once
// Internal to bridges/net: a folder of one child's own, gone with everything in it at the end.

#include <string>
#include <utility>

namespace pb::net {

class temporary_folder {
public:
  temporary_folder() = default;
  /// Below the system's folder for such things, for this user alone. `path()` is empty if it cannot
  /// be made.
  static temporary_folder make();
  temporary_folder(temporary_folder&& o) noexcept : path_(std::exchange(o.path_, {})) {}
  temporary_folder& operator=(temporary_folder&& o) noexcept;
  ~temporary_folder() { remove(); }

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Follows no symbolic link. What a process holds against it is left.
  void remove();
  /// The same in a thread of its own: a child may have left thousands of files.
  void remove_aside();

private:
  std::string path_;
};

} // namespace pb::net
