#include "bridges/net/link_session.hpp"
#include "bridges/net/server_connection.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

namespace pb::net {

namespace {

constexpr std::size_t most_turned_away = 64; ///< that are told so at a time; more are just closed
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::milliseconds stop_time{2'000};

using acceptor = asio::basic_socket_acceptor<tcp, executor>;

class listener final : public stoppable, public std::enable_shared_from_this<listener> {
public:
  listener(acceptor a, std::shared_ptr<server_shared> shared)
      : acceptor_(std::move(a)), shared_(std::move(shared)), timer_(shared_->io.io) {}

  void start() {
    shared_->io.add(shared_from_this());
    timer_.bind(weak_from_this(), [this] {
      if (shared_->stopping)
        cut();
      else
        accept();
    });
    if (!shared_->io.stopping())
      accept();
  }

  void wind_down() override {
    if (shared_->stopping)
      return;
    end_accept();
    for (const auto& c : std::vector(shared_->open.begin(), shared_->open.end()))
      c->wind_down();
    for (const auto& [key, weak] : std::unordered_map(shared_->sessions))
      if (auto s = weak.lock())
        s->wind_down();
    if (shared_->count > 0)
      timer_.set(from_now(stop_time));
  }

  void cut() override {
    end_accept();
    timer_.cancel();
    shared_->io.remove(this);
    for (const auto& c : std::vector(shared_->open.begin(), shared_->open.end()))
      c->close();
    for (const auto& [key, weak] : std::unordered_map(shared_->sessions))
      if (auto s = weak.lock())
        s->cut();
  }

private:
  void end_accept() {
    shared_->stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code ec, tcp_socket s) {
      if (self->shared_->stopping)
        return;
      if (ec) { // out of descriptors, or the client gave up while it was queued
        self->timer_.set(from_now(accept_pause));
        return;
      }
      self->take(std::move(s));
      if (!self->shared_->stopping)
        self->accept();
    });
  }

  void take(tcp_socket s) {
    auto& io = shared_->io;
    const bool full = shared_->count >= shared_->options.max_connections;
    ++(full ? io.counters.refused_connections : io.counters.served_connections);
    if (shared_->count >= shared_->options.max_connections + most_turned_away)
      return;
    ++shared_->count;
    auto slot = std::shared_ptr<void>(this, [shared = shared_](void*) { --shared->count; });
    auto c = std::make_shared<server_connection>(shared_, std::move(s), std::move(slot));
    shared_->open.insert(c);
    if (full)
      c->turn_away();
    else
      c->start();
  }

  acceptor acceptor_;
  std::shared_ptr<server_shared> shared_;
  lazy_timer timer_;
};

class beast_server final : public http_server {
public:
  beast_server(std::shared_ptr<core> c, std::shared_ptr<listener> l, std::uint16_t port)
      : core_(std::move(c)), listener_(std::move(l)), port_(port) {}
  beast_server(const beast_server&) = delete;
  beast_server& operator=(const beast_server&) = delete;
  ~beast_server() override {
    core_->run_sync([this] { listener_->cut(); });
  }
  [[nodiscard]] std::uint16_t port() const override { return port_; }
  void stop() override {
    core_->post([l = listener_] { l->wind_down(); });
  }

private:
  std::shared_ptr<core> core_; // declared first: sockets must go before the context
  std::shared_ptr<listener> listener_;
  std::uint16_t port_;
};

} // namespace

} // namespace pb::net

namespace pb {

result<std::unique_ptr<http_server>> make_http_server(io_runtime& io, server_options options,
                                                      http_handler handler, ws_handler links) {
  auto core = io.core();
  const std::string place = options.address + ":" + std::to_string(options.port);
  net::error_code ec;
  const auto address = net::asio::ip::make_address(
      options.address == "localhost" ? std::string("127.0.0.1") : options.address, ec);
  if (ec)
    return fail(fault_code::configuration, place + ": " + ec.message(),
                "The address " + options.address + " is not an IP address.");
  const net::tcp::endpoint endpoint(address, options.port);
  net::acceptor acceptor(core->io.get_executor());
  acceptor.open(endpoint.protocol(), ec);
  if (!ec)
    acceptor.set_option(net::acceptor::reuse_address(true), ec);
  if (!ec)
    acceptor.bind(endpoint, ec);
  if (!ec)
    acceptor.listen(net::acceptor::max_listen_connections, ec);
  if (ec == net::asio::error::address_in_use)
    return fail(fault_code::conflict, place + ": " + ec.message(),
                "Another program uses port " + std::to_string(options.port) + " already.");
  if (ec)
    return fail(fault_code::configuration, place + ": " + ec.message(),
                "This machine cannot listen on " + place + ".");
  const auto port = acceptor.local_endpoint(ec).port();
  auto shared = std::make_shared<net::server_shared>(*core, std::move(options), std::move(handler),
                                                     std::move(links));
  auto listener = std::make_shared<net::listener>(std::move(acceptor), std::move(shared));
  core->post([listener] { listener->start(); });
  return std::make_unique<net::beast_server>(std::move(core), std::move(listener), port);
}

} // namespace pb
