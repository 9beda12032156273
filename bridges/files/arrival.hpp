#pragma once
// One file of a person on its way into a workspace.

#include "bridges/file_body.hpp"
#include "messages/values/fault.hpp"
#include "messages/values/file.hpp"
#include "messages/values/ids.hpp"
#include "messages/values/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pb::files {

/// Where it goes: {workspace}/{files.incoming}/{chat}, or the workspace itself where files.incoming
/// is empty.
struct destination {
  std::string workspace; ///< as the registry names it, `{user}` still in it
  user_id user;
  platform_chat_id chat;
};

/// Takes the bytes under a hidden name; finish() gives it its own. Without that it leaves nothing.
class arrival {
public:
  /// Chats keep so many files; the agent's to clear away.
  static constexpr std::size_t most_files = 10'000;

  /// Makes the folders that are missing (the workspace itself only from `{user}` on), removes what
  /// a crash left there a day ago or earlier. `tag`: makes the hidden name its own. `promised`:
  /// bytes, -1: not known. Faults: too_large (files.max_bytes, files.chat_quota, most_files),
  /// storage (the workspace is not there, too), refused, disk_full, configuration (no openat2).
  static result<std::unique_ptr<arrival>> begin(const file_settings& rules,
                                                const destination& where, std::string_view tag,
                                                std::int64_t promised);
  arrival(const arrival&) = delete;
  arrival& operator=(const arrival&) = delete;
  ~arrival();

  [[nodiscard]] const std::shared_ptr<file_body>& body() const { return body_; }
  [[nodiscard]] std::uint64_t limit() const { return limit_; } ///< bytes that may come

  /// Gives it a safe form of the name that nothing there has, group and mode. Faults: too_large
  /// (others came in the meantime, and all of them are more than the quota), disk_full, storage.
  result<staged_file> finish(std::string_view name);

private:
  arrival() = default;
  struct contents {
    std::uint64_t bytes = 0;
    std::size_t files = 0;
  };
  [[nodiscard]] result<contents> look(bool clean) const;
  [[nodiscard]] bool taken(const std::string& name) const;
  [[nodiscard]] unsigned free_number(const std::string& name) const;
  [[nodiscard]] bool give_name(const std::string& name) const;

  unique_fd folder_;
  std::string prefix_; ///< of the folder in the workspace: "" or "incoming/7/"
  std::string hidden_; ///< empty: it is no more
  std::shared_ptr<file_body> body_;
  std::uint64_t limit_ = 0, quota_ = 0; ///< quota_ 0: none
  unsigned group_ = 0, mode_ = 0664;
  std::int64_t made_at_ = 0; ///< s, by the file system's clock
};

} // namespace pb::files
