#pragma once
// Internal to bridges/net: one WebSocket, from either end. Beast's WebSocket is compiled in
// link_session.cpp only.

#include "bridges/net/line.hpp"
#include "bridges/net/opener.hpp"

#include <deque>

namespace pb::net {

struct link_limits {
  std::size_t frame = 0;      ///< bytes of one message that is received
  std::size_t unread = 0;     ///< bytes handed over and not worked off
  std::size_t send_queue = 0; ///< frames
  std::chrono::milliseconds ping_after{0};
  std::chrono::milliseconds open_timeout{0};
};

/// What a WebSocket server needs of the request that asks for the upgrade.
struct upgrade_request {
  std::string target;
  http_headers headers;
  bool version10 = false;
};

/// Lives from dial or accept to on_closed; the listener is let go of there. The public functions of
/// the first group are for any thread, the others for the I/O thread.
class link_session final : public line, public std::enable_shared_from_this<link_session> {
public:
  link_session(core& c, link_limits limits);
  ~link_session() override;

  bool send(std::string text) override;
  void consumed(std::size_t bytes) override;
  void close(int code) override;

  void dial(const address& to, http_headers headers, std::shared_ptr<tls_context> tls,
            std::shared_ptr<link_listener> events);
  /// `slot` is held for as long as the socket is open: it counts the connection.
  void accept(tcp_socket socket, upgrade_request request, std::shared_ptr<link_listener> events,
              std::shared_ptr<void> slot);
  /// Ends a link that never came to be; no listener is told.
  void discard();
  void refuse(std::shared_ptr<link_listener> events, std::string cause); ///< a URL that is none

  void wind_down() override;
  void cut() override;

private:
  struct socket; // the Beast stream

  void begin(std::shared_ptr<link_listener> events);
  void handshake(any_stream stream, const address& to, const http_headers& headers);
  void opened();
  void queue(std::string text);
  void write();
  void read();
  void on_read(error_code ec, std::size_t bytes);
  void begin_close(int code);
  void write_close();
  void protocol_error(int code, std::string cause);
  void tick();
  void ping();
  void set_deadline();
  void failed(error_code ec);
  void finish(link_closed why);

  core& core_;
  const link_limits limits_;
  std::shared_ptr<link_listener> events_;
  std::shared_ptr<void> slot_;
  std::shared_ptr<opener> opener_;
  std::unique_ptr<socket> socket_;
  lazy_timer timer_;

  std::deque<std::string> out_;           ///< the front is being written while writing_
  std::atomic<std::size_t> out_count_{0}; ///< frames accepted and not written yet
  std::atomic<bool> shut_{false};         ///< nothing is accepted any more
  unread_bytes unread_;

  bool open_ = false;
  bool writing_ = false;
  bool pinging_ = false;
  bool close_wanted_ = false;
  bool close_sent_ = false;
  bool over_ = false;
  int close_code_ = 1000;
  link_closed verdict_; ///< what to report when the closing that we began is done
  time_point open_deadline_ = time_point::max();
  time_point close_deadline_ = time_point::max();
  time_point write_began_{};
  time_point heard_{};
  time_point pinged_{};
};

} // namespace pb::net
