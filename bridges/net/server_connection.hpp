#pragma once
// Internal to bridges/net: one connection of the HTTP server.

#include "bridges/net/reader.hpp"
#include "bridges/net/reply.hpp"

#include <boost/beast/core/flat_buffer.hpp>

#include <unordered_set>

namespace pb::net {

class server_connection;
class link_session;

/// What connections share with their server. I/O thread only, except for the constants.
struct server_shared {
  server_shared(core& c, server_options o, http_handler h, ws_handler l)
      : io(c), options(std::move(o)), handler(std::move(h)), links(std::move(l)) {}
  core& io;
  const server_options options;
  const http_handler handler;
  const ws_handler links;
  std::unordered_set<std::shared_ptr<server_connection>> open;
  std::unordered_map<link_session*, std::weak_ptr<link_session>> sessions;
  std::size_t count = 0; ///< sockets: HTTP connections and links
  bool stopping = false;
};

/// Reads a request, waits for its answer while reading ahead at most one buffer (which shows when
/// the client goes away), writes the answer, and goes on with the next: pipelined requests are
/// answered in order. I/O thread only.
class server_connection : public std::enable_shared_from_this<server_connection> {
public:
  server_connection(std::shared_ptr<server_shared> server, tcp_socket socket,
                    std::shared_ptr<void> slot);
  void start();
  void turn_away(); ///< instead of start(): 503
  void wind_down(); ///< ends after the answer that is under way
  void close();     ///< now

  // From the reply; ignored if `state` is not of the request that is being answered.
  void answer(const std::shared_ptr<reply_state>& state, http_response r);
  void begin_stream(const std::shared_ptr<reply_state>& state, const http_response& head);
  void stream_chunk(const std::shared_ptr<reply_state>& state, std::string_view data);
  void end_stream(const std::shared_ptr<reply_state>& state);
  void dropped(const std::shared_ptr<reply_state>& state); ///< nobody holds the reply any more

private:
  enum class phase { reading, handling, streaming, finishing, lingering };

  void read();
  void on_read(error_code ec, std::size_t bytes);
  void next();
  void parse();
  void dispatch();
  bool upgrade();
  void begin();
  void refuse(int status);
  void send_continue();
  void flush();
  void write_head(const http_response& r, std::string_view framing);
  void write();
  void on_written(error_code ec);
  void complete();
  void linger();
  void tell_gone();
  void expired();
  [[nodiscard]] bool current(const std::shared_ptr<reply_state>& s) const {
    return server_ && s == reply_;
  }

  std::shared_ptr<server_shared> server_; ///< null once closed
  tcp_socket socket_;
  std::shared_ptr<void> slot_;
  std::string peer_;
  lazy_timer deadline_;
  phase phase_ = phase::reading;
  std::optional<request_reader> reader_;
  boost::beast::flat_buffer in_;
  std::shared_ptr<reply_state> reply_;
  std::string out_;     ///< being written while writing_
  std::string body_;    ///< written right after out_
  std::string waiting_; ///< chunks that came while writing_
  std::size_t writing_payload_ = 0;
  std::size_t waiting_payload_ = 0;
  std::size_t drained_ = 0;
  bool read_pending_ = false;
  bool writing_ = false;
  bool keep_ = true; ///< the connection, after this answer
  bool head_only_ = false;
  bool version10_ = false;
  bool chunked_ = false;
  bool stream_end_ = false;
  bool continued_ = false;
  bool eof_ = false;
};

} // namespace pb::net
