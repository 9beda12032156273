#pragma once
// Port: one WebSocket of text frames, seen from either end.

#include "bridges/http.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace pb {

/// Thread-safe; every call returns at once.
class link {
public:
  virtual ~link() = default;
  /// False: the outbound queue is full (its cap is link_request::send_queue) or the link is closed.
  virtual bool send(std::string text) = 0;
  /// Tells that `bytes` of received text were worked off. Reading pauses when more than
  /// link_request::unread_limit bytes were handed over and not yet worked off.
  virtual void consumed(std::size_t bytes) = 0;
  /// Closes with a WebSocket close code; on_closed follows. Frames that were queued go out first.
  virtual void close(int code = 1000) = 0;
};

struct link_closed {
  enum class how {
    refused,   ///< never open: nobody listens, TLS failed, host unknown
    rejected,  ///< never open: the server answered the upgrade with another status
    timed_out, ///< never open within the deadline, or the peer stopped answering pings
    closed,    ///< a close frame came, or we closed
    broken,    ///< the connection ended without a close frame
    protocol,  ///< the peer broke a rule: frame too large, not text, invalid UTF-8
  };
  how reason = how::broken;
  int code = 0;      ///< close code of the peer, or the HTTP status of a rejected upgrade
  std::string cause; ///< for the log
};

/// Called from the I/O thread, one call at a time. Nothing is called after on_closed, and on_closed
/// is called exactly once for every link.
class link_listener {
public:
  virtual ~link_listener() = default;
  virtual void on_open() = 0;
  virtual void on_text(std::string text) = 0;
  virtual void on_closed(link_closed why) = 0;
};

struct link_request {
  std::string url; ///< ws or wss
  http_headers headers;
  std::chrono::milliseconds connect_timeout{10'000}; ///< until the handshake is done
  std::size_t frame_limit = std::size_t{8} << 20;
  std::size_t unread_limit = std::size_t{16} << 20;
  std::size_t send_queue = 64;                  ///< frames
  std::chrono::milliseconds ping_after{20'000}; ///< silence before a ping; dead after three times
};

class dialer {
public:
  virtual ~dialer() = default;
  /// The link may be used at once: frames sent before on_open wait for the handshake.
  virtual std::shared_ptr<link> dial(link_request request,
                                     std::shared_ptr<link_listener> events) = 0;
};

} // namespace pb
