#include "bridges/net/any_stream.hpp"

#include <array>

namespace pb::net {

namespace {

constexpr std::chrono::seconds linger_time{2};

/// Owned by its own pending operations alone.
class lingering : public std::enable_shared_from_this<lingering> {
public:
  explicit lingering(tcp_socket s) : socket_(std::move(s)), timer_(socket_.get_executor()) {}

  void start() {
    error_code ec;
    socket_.shutdown(tcp_socket::shutdown_send, ec);
    if (ec)
      return;
    timer_.expires_after(linger_time);
    timer_.async_wait([weak = weak_from_this()](error_code) {
      if (auto self = weak.lock())
        close_quietly(self->socket_);
    });
    drain();
  }

private:
  void drain() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code ec, std::size_t) {
                              if (!ec)
                                self->drain();
                            });
  }

  tcp_socket socket_;
  asio::basic_waitable_timer<steady, asio::wait_traits<steady>, executor> timer_;
  std::array<char, 4096> buffer_;
};

} // namespace

void linger(tcp_socket socket) { std::make_shared<lingering>(std::move(socket))->start(); }

} // namespace pb::net
