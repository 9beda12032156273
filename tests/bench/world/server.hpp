#pragma once
// One port, one thread: the homeserver's HTTP and the agents' WebSockets.

#include "tests/bench/world/agents.hpp"
#include "tests/bench/world/homeserver.hpp"
#include "tests/bench/world/oracle.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

namespace pb::bench {

class http_session;

class server {
public:
  /// Listens on 127.0.0.1; port 0 takes a free one. Throws when the port is taken.
  server(boost::asio::io_context& io, homeserver& hs, oracle& o, agents& all, const shape& form,
         std::uint16_t port);
  ~server();

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  /// Told when the last byte of a sync response with messages in it was handed to the socket.
  std::function<void()> on_news_written;

  /// Lets the waiting polls answer once everything that is ready now has been handled.
  void wake();

private:
  friend class http_session;
  void accept();

  boost::asio::io_context& io_;
  homeserver& homeserver_;
  oracle& oracle_;
  agents& agents_;
  shape form_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::unordered_set<std::shared_ptr<http_session>> waiting_; ///< whose poll is held
  bool waking_ = false;
};

/// Takes over a socket whose peer asked for a WebSocket at /agent_K/v1/agent_ws/CHAT/. `key` is its
/// Sec-WebSocket-Key, `rest` what was read past the request.
void serve_agent(boost::asio::ip::tcp::socket socket, oracle& o, agents& all, const shape& form,
                 std::string_view target, std::string_view key, std::string rest);

} // namespace pb::bench
