#pragma once
// The I/O thread and what runs on it: HTTP client, WebSocket dialer, HTTP server, timers, signals.
// Everything here hides Asio; no header of Boost is needed to use it.

#include "bridges/http.hpp"
#include "bridges/http_server.hpp"
#include "bridges/link.hpp"
#include "messages/values/fault.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pb {

namespace net {
class core;
}

/// Totals since the start, for metrics. Written by the I/O thread, read by any.
struct net_counters {
  std::atomic<std::uint64_t> http_requests{0};       ///< taken by a client
  std::atomic<std::uint64_t> http_connections{0};    ///< opened by a client
  std::atomic<std::uint64_t> http_retries{0};        ///< repeated after a stale keep-alive
  std::atomic<std::uint64_t> http_busy{0};           ///< refused because the queue was full
  std::atomic<std::uint64_t> links_dialled{0};       ///< WebSockets begun by us
  std::atomic<std::uint64_t> http_links{0};          ///< exchanges begun as links
  std::atomic<std::uint64_t> children_started{0};    ///< as links
  std::atomic<std::uint64_t> children_killed{0};     ///< those that did not end when told to
  std::atomic<std::uint64_t> served_requests{0};     ///< that a server handed to its handler
  std::atomic<std::uint64_t> served_connections{0};  ///< accepted
  std::atomic<std::uint64_t> refused_connections{0}; ///< over max_connections: answered with 503
  std::atomic<std::uint64_t> callback_exceptions{0}; ///< thrown by a callback, and swallowed here
};

/// One I/O context and the one thread, named "io", that runs it from construction to stop().
/// Clients, dialers and servers may be destroyed before or after it, on any thread.
class io_runtime {
public:
  io_runtime();
  io_runtime(const io_runtime&) = delete;
  io_runtime& operator=(const io_runtime&) = delete;
  ~io_runtime(); ///< stops; not on the I/O thread itself

  /// Runs `f` on the I/O thread, later; calls from one thread keep their order. False: stopped.
  bool post(std::function<void()> f);
  /// Functions that have not run at stop() are dropped.
  timers& clock();
  /// Each of the signals calls `f` on the I/O thread, every time that it comes.
  void on_signals(std::vector<int> signals, std::function<void(int)> f);
  /// Requests under way end as cancelled, links say goodbye (close code 1001), servers stop; what
  /// is not done after `grace` is cut. Returns when the thread has ended. After that no callback is
  /// called.
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds{2000});

  [[nodiscard]] const net_counters& counters() const;
  [[nodiscard]] const std::shared_ptr<net::core>& core() const { return core_; }

private:
  std::shared_ptr<net::core> core_;
};

struct tls_options {
  bool verify = true;  ///< certificate chain and host name; off only for tests
  std::string ca_file; ///< PEM, trusted beside the system's own; empty: none
};

struct http_client_options {
  std::size_t max_connections_per_origin = 32;
  std::size_t max_queued = 4096; ///< waiting for a connection of one origin; more: http_error::busy
  std::chrono::milliseconds idle_timeout{55'000}; ///< an unused connection is closed after this
  tls_options tls;
  std::string user_agent = "patchbay";
};

/// HTTP/1.1 with kept-alive connections. Requests of one origin start in the order they came. GET,
/// HEAD, PUT and DELETE are repeated once if a kept-alive connection had been closed by the server
/// before a byte of the answer came (RFC 9110 section 9.2.2); nothing else is ever repeated. No
/// redirects, no content encodings. Destruction ends what is under way with http_error::cancelled
/// before it returns.
std::unique_ptr<http_client> make_http_client(io_runtime& io, http_client_options options = {});

/// All carriers of bridges/link.hpp: WebSocket client (RFC 6455), text frames, no compression; HTTP
/// exchanges; child processes, which know nothing of `tls`. Links outlive their dialer; a link
/// whose last reference is dropped closes.
std::unique_ptr<dialer> make_dialer(io_runtime& io, tls_options tls = {});

/// HTTP/1.1 server, listening when this returns. Faults: conflict (the port is taken),
/// configuration (the address cannot be used). No callback is called any more after its
/// destruction.
result<std::unique_ptr<http_server>> make_http_server(io_runtime& io, server_options options,
                                                      http_handler handler, ws_handler links = {});

} // namespace pb
