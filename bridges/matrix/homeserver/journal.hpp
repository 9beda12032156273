#pragma once
// Port: where the development homeserver keeps what it knows between two starts.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pb {

/// A log of lines and a box of named blobs. Development aid: it is flushed, not synced, and grows
/// with the rooms. Used from one thread.
class journal {
public:
  virtual ~journal() = default;
  /// One record, without a line end. It has left the process when this returns. False: the disk
  /// refused, and the homeserver answers 500 from then on.
  virtual bool append(std::string_view line) = 0;
  /// Gives every whole line in order; a torn last line is dropped and the log cut before it.
  virtual void replay(const std::function<void(std::string_view)>& each) = 0;
  virtual bool put_blob(const std::string& name, std::string_view bytes) = 0;
  [[nodiscard]] virtual std::optional<std::string> blob(const std::string& name) const = 0;
};

} // namespace pb
