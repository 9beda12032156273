#include "tests/bench/world/server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace pb::bench {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;

/// One connection that speaks HTTP until it asks for a WebSocket.
class http_session : public std::enable_shared_from_this<http_session> {
public:
  http_session(server& s, tcp::socket socket)
      : server_(s), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(std::uint64_t{64} << 20);
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code ec, std::size_t) {
                       if (!ec)
                         self->handle();
                     });
  }

  void wake() {
    if (!server_.homeserver_.has_news(held_.since))
      return;
    server_.waiting_.erase(shared_from_this());
    timer_.cancel();
    write({200, server_.homeserver_.sync_since(held_.since), true});
  }

private:
  void handle() {
    auto& request = parser_->get();
    const auto target = request.target();
    if (beast::iequals(request[http::field::upgrade], "websocket")) {
      ++server_.oracle_.counts.agent_connections;
      const auto key = request[http::field::sec_websocket_key];
      const auto rest = buffer_.cdata();
      serve_agent(std::move(socket_), server_.oracle_, server_.agents_, server_.form_,
                  {target.data(), target.size()}, {key.data(), key.size()},
                  std::string(static_cast<const char*>(rest.data()), rest.size()));
      return;
    }
    keep_alive_ = request.keep_alive();
    const auto method = request.method_string();
    auto answer = server_.homeserver_.handle({method.data(), method.size()},
                                             {target.data(), target.size()}, request.body(), held_);
    if (answer)
      return write(std::move(*answer));
    server_.waiting_.insert(shared_from_this());
    timer_.expires_after(std::chrono::milliseconds(held_.timeout_ms));
    timer_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (!ec && self->server_.waiting_.erase(self) != 0)
        self->write({200, self->server_.homeserver_.sync_since(self->held_.since)});
    });
  }

  void write(reply r) {
    response_ = {};
    response_.version(11);
    response_.result(r.status);
    response_.set(http::field::content_type, "application/json");
    response_.keep_alive(keep_alive_);
    response_.body() = std::move(r.body);
    const bool news = r.news;
    response_.prepare_payload();
    http::async_write(socket_, response_,
                      [self = shared_from_this(), news](beast::error_code ec, std::size_t) {
                        if (!ec && news && self->server_.on_news_written)
                          self->server_.on_news_written();
                        if (!ec && self->keep_alive_)
                          self->read();
                      });
  }

  server& server_;
  tcp::socket socket_;
  net::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  held_poll held_;
  bool keep_alive_ = true;
};

server::server(net::io_context& io, homeserver& hs, oracle& o, agents& all, const shape& form,
               std::uint16_t port)
    : io_(io), homeserver_(hs), oracle_(o), agents_(all), form_(form),
      acceptor_(io, {net::ip::address_v4::loopback(), port}, true) {
  acceptor_.listen(4'096);
  accept();
}

server::~server() = default;

void server::accept() {
  acceptor_.async_accept([this](beast::error_code ec, tcp::socket socket) {
    if (ec == net::error::operation_aborted)
      return;
    if (!ec) {
      socket.set_option(tcp::no_delay(true), ec);
      std::make_shared<http_session>(*this, std::move(socket))->read();
    }
    accept();
  });
}

void server::wake() {
  if (std::exchange(waking_, true))
    return;
  net::post(io_, [this] {
    waking_ = false;
    const std::vector<std::shared_ptr<http_session>> all(waiting_.begin(), waiting_.end());
    for (const auto& session : all)
      session->wake();
  });
}

} // namespace pb::bench
