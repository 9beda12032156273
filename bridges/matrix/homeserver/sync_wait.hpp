#pragma once
// Long polls: who waits, who is woken, and the cache of first syncs.

#include "bridges/matrix/homeserver/call.hpp"
#include "bridges/matrix/homeserver/sync_answer.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pb::hs {

class sync_hall {
public:
  /// Answers now, or keeps the reply until something happens or the time is over.
  answer sync(world& w, timers& clock, sync_question q, std::chrono::milliseconds wait,
              const std::string& cache_key, std::shared_ptr<http_reply> reply);
  /// Something changed for this account; its polls are looked at in wake_all().
  void note(const account& who);
  /// Once after each request, so that one request that makes many events wakes each poll once.
  void wake_all(world& w);
  /// Ends the polls of a device whose token is gone, with this answer. Device empty: of all.
  void end(const std::string& user, const std::string& device, const http_response& response);
  [[nodiscard]] std::size_t waiting() const;

private:
  struct waiter {
    sync_question question;
    std::shared_ptr<http_reply> reply;
    bool done = false;
  };
  void finish(const std::shared_ptr<waiter>& one, const json& body);
  void forget_done(const std::string& user);
  const std::string* cached(const std::string& key, unix_ms now);

  std::map<std::string, std::vector<std::shared_ptr<waiter>>> waiters_; ///< by user
  std::set<std::string> noted_;
  struct first_sync {
    std::string key, body;
    unix_ms at = 0;
  };
  std::deque<first_sync> cache_;
};

} // namespace pb::hs
