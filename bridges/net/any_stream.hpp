#pragma once
// Internal to bridges/net: a TCP connection with or without TLS, as one type, so that everything
// above it is compiled once.

#include "bridges/net/core.hpp"
#include "bridges/net/tls.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>

#include <memory>
#include <optional>

namespace pb::net {

/// Sends FIN, then discards what still comes until the peer closes too, for at most 2 s. Closing
/// with unread bytes would reset the connection, and the peer could lose the last that we sent.
void linger(tcp_socket socket);

/// Models AsyncReadStream and AsyncWriteStream. Movable; must outlive its operations.
class any_stream {
public:
  using executor_type = executor;

  explicit any_stream(tcp_socket socket) : layers_(std::make_unique<layers>(std::move(socket))) {}

  executor_type get_executor() { return layers_->socket.get_executor(); }
  tcp_socket& socket() { return layers_->socket; }
  asio::ssl::stream<tcp_socket&>& add_tls(asio::ssl::context& c) {
    return layers_->tls.emplace(layers_->socket, c);
  }
  void close() { close_quietly(layers_->socket); }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& b, Handler&& h) {
    if (layers_->tls)
      layers_->tls->async_read_some(b, std::forward<Handler>(h));
    else
      layers_->socket.async_read_some(b, std::forward<Handler>(h));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& b, Handler&& h) {
    if (layers_->tls)
      layers_->tls->async_write_some(b, std::forward<Handler>(h));
    else
      layers_->socket.async_write_some(b, std::forward<Handler>(h));
  }

  friend void beast_close_socket(any_stream& s) { s.close(); }

  /// Both sides have said everything, or the peer broke a rule and we told it so. The socket
  /// lingers on its own. A TLS close_notify would add nothing: the close frames were authenticated.
  template <class Handler>
  friend void async_teardown(boost::beast::role_type, any_stream& s, Handler&& h) {
    linger(std::move(s.socket()));
    asio::post(s.get_executor(),
               boost::beast::bind_front_handler(std::forward<Handler>(h), error_code{}));
  }

  friend void teardown(boost::beast::role_type, any_stream& s, error_code& ec) {
    ec = {};
    s.close();
  }

private:
  struct layers {
    explicit layers(tcp_socket s) : socket(std::move(s)) {}
    tcp_socket socket;
    std::optional<asio::ssl::stream<tcp_socket&>> tls;
  };
  std::unique_ptr<layers> layers_;
};

} // namespace pb::net
