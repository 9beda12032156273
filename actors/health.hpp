#pragma once
// Whether the router serves, for /readyz: written by actors, read from any thread.

#include "messages/values/ids.hpp"

#include <mutex>
#include <string>

namespace pb {

class health_board {
public:
  struct view {
    bool ready = false;
    unix_ms since = 0;          ///< of the present answer, ready or not
    unix_ms last_good_sync = 0; ///< 0: never
    bool database_writable = true;
    std::string why; ///< not ready: one sentence
  };

  /// A sync that has fixed our position: a message sent from now on is never history.
  void synced(unix_ms now) {
    change(now, [&] {
      v_.last_good_sync = now;
      sync_trouble_.clear();
    });
  }
  void sync_trouble(unix_ms now, std::string why) {
    change(now, [&] { sync_trouble_ = std::move(why); });
  }
  void database(unix_ms now, bool writable) {
    change(now, [&] { v_.database_writable = writable; });
  }
  void stopping(unix_ms now) {
    change(now, [&] { stopping_ = true; });
  }

  [[nodiscard]] view read() const {
    std::lock_guard lock{m_};
    return v_;
  }

private:
  template <class F>
  void change(unix_ms now, F f) {
    std::lock_guard lock{m_};
    f();
    std::string why;
    if (stopping_)
      why = "the router is stopping";
    else if (!v_.database_writable)
      why = "the database cannot be written";
    else if (!sync_trouble_.empty())
      why = sync_trouble_;
    else if (v_.last_good_sync == 0)
      why = "no answer from the homeserver yet";
    const bool ready = why.empty();
    if (ready != v_.ready || v_.since == 0)
      v_.since = now;
    v_.ready = ready;
    v_.why = std::move(why);
  }

  mutable std::mutex m_;
  view v_;
  std::string sync_trouble_;
  bool stopping_ = false;
};

} // namespace pb
