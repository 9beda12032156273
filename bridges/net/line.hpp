#pragma once
// Internal to bridges/net: what the links of all carriers share.

#include "bridges/link.hpp"
#include "bridges/net/core.hpp"

namespace pb::net {

/// A session of any carrier, as the link that a user holds sees it: for any thread.
class line : public stoppable {
public:
  virtual bool send(std::string text) = 0;
  virtual void consumed(std::size_t bytes) = 0;
  virtual void close(int code) = 0;
};

/// The link that a user holds. Dropping the last reference closes.
std::shared_ptr<link> make_link(std::shared_ptr<core> c, std::shared_ptr<line> session);

/// Bytes that were handed over and not worked off yet. They are worked off on any thread; the rest
/// is the I/O thread's.
class unread_bytes {
public:
  explicit unread_bytes(std::size_t limit) : limit_(limit) {}

  void handed(std::size_t bytes) { handed_ += bytes; }
  /// Any thread. True: reading had paused, look whether it goes on.
  bool consumed(std::size_t bytes) {
    consumed_ += bytes;
    return paused_;
  }
  /// There is too much: whoever reads pauses, until consumed() says true.
  bool pause() {
    if (!over())
      return false;
    paused_ = true; // consumed() may have come in between: look again
    return over();
  }
  [[nodiscard]] bool paused() const { return paused_; }
  /// Reading goes on. True: it had paused.
  bool resume() { return paused_.exchange(false); }

private:
  [[nodiscard]] bool over() const {
    const std::size_t done = consumed_, given = handed_;
    return given > done && given - done > limit_;
  }

  const std::size_t limit_;
  std::atomic<std::size_t> handed_{0};
  std::atomic<std::size_t> consumed_{0};
  std::atomic<bool> paused_{false};
};

bool is_utf8(std::string_view text);

} // namespace pb::net
