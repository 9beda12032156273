#pragma once
// What came over the links of a check, in order, from the thread of the sockets to the one that
// judges.

#include "bridges/link.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace pb::agent_check {

/// A link of this run, numbered from 1 in the order of dialling.
using line_id = std::uint64_t;

struct letter {
  enum class kind { opened, text, closed };
  kind what = kind::text;
  line_id line = 0;
  std::string text;
  link_closed why{};
};

/// Bounded by the links: each stops reading at link_request::unread_limit.
class mailbox {
public:
  void put(letter l);
  /// False: there is nothing.
  bool take(letter& into);
  /// Returns when there is something, after `most` at the latest.
  void wait(std::chrono::milliseconds most);

private:
  std::mutex guard_;
  std::condition_variable came_;
  std::deque<letter> letters_;
};

/// Listens to one link for a mailbox.
std::shared_ptr<link_listener> make_postman(std::shared_ptr<mailbox> box, line_id line);

} // namespace pb::agent_check
