#pragma once
// Internal to bridges/net: the answer object of one request, for any thread.

#include "bridges/net/core.hpp"

namespace pb::net {

class server_connection;

/// Shared by the reply that the handler holds and by the connection.
struct reply_state {
  std::atomic<bool> gone{false};       ///< the client is, or the connection
  std::atomic<std::size_t> waiting{0}; ///< bytes of chunks that are not written yet
  // I/O thread only:
  std::function<void()> on_gone;
  bool gone_told = false;
  bool complete = false; ///< the answer is written: nobody can go away from it any more
};

std::shared_ptr<http_reply> make_reply(std::shared_ptr<core> c,
                                       std::shared_ptr<server_connection> connection,
                                       std::shared_ptr<reply_state> state);

} // namespace pb::net
