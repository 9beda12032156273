#pragma once
// Port: HTTP and WebSocket as a server.

#include "bridges/http.hpp"
#include "bridges/link.hpp"
#include "messages/values/fault.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pb {

struct server_request {
  std::string method;
  std::string path;  ///< still percent-encoded, without the query
  std::string query; ///< without the "?"
  http_headers headers;
  std::string body;
  std::string peer; ///< address of the client, for logs
};

/// The answer to one request: from any thread, now or later. Dropped unanswered, it becomes a 500.
class http_reply {
public:
  virtual ~http_reply() = default;
  virtual void send(http_response response) = 0;
  /// Begins an answer without an end (server-sent events); `chunk` returns false when the client is
  /// gone or does not read (more than 1 MiB waits).
  virtual void stream(http_response head) = 0;
  virtual bool chunk(std::string data) = 0;
  virtual void end() = 0;
  /// Called once, from the I/O thread, if the client goes away before the answer is complete.
  virtual void on_gone(std::function<void()> gone) = 0;
};

/// Called from the I/O thread; must return at once.
using http_handler = std::function<void(server_request, std::shared_ptr<http_reply>)>;

/// Takes or refuses (nullptr: 404) an upgrade to WebSocket. The link is open when on_open comes.
using ws_handler =
    std::function<std::shared_ptr<link_listener>(const server_request&, std::shared_ptr<link>)>;

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0; ///< 0: any free one
  std::size_t body_limit = std::size_t{1} << 20;
  std::size_t header_limit = 16 * 1024;
  std::size_t max_connections = 1024;
  std::chrono::milliseconds read_timeout{30'000}; ///< for a request to arrive, and between requests
  std::size_t frame_limit = std::size_t{8} << 20; ///< of WebSocket frames
};

class http_server {
public:
  virtual ~http_server() = default; ///< stops
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  virtual void stop() = 0; ///< no new connections, open ones end; returns at once
};

/// Timers of the I/O thread, for bridges that wait (a long poll); the simulation has its own.
class timers {
public:
  virtual ~timers() = default;
  virtual void after(std::chrono::milliseconds delay, std::function<void()> run) = 0;
};

} // namespace pb
