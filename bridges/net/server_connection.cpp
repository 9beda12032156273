#include "bridges/net/server_connection.hpp"

#include "bridges/net/link_session.hpp"

#include <boost/asio/write.hpp>

namespace pb::net {

namespace {

constexpr std::size_t request_read = 8 * 1024;
constexpr std::size_t ahead_limit = 16 * 1024; ///< read while the answer is not ready
constexpr std::size_t drain_limit = std::size_t{1} << 20;
constexpr std::chrono::seconds farewell_time{2};

int refusal(boost::system::error_code ec) {
  if (ec == http::error::header_limit)
    return 431;
  if (ec == http::error::body_limit)
    return 413;
  return ec == http::error::bad_version ? 505 : 400;
}

} // namespace

server_connection::server_connection(std::shared_ptr<server_shared> server, tcp_socket socket,
                                     std::shared_ptr<void> slot)
    : server_(std::move(server)), socket_(std::move(socket)), slot_(std::move(slot)),
      deadline_(server_->io.io) {}

void server_connection::begin() {
  deadline_.bind(weak_from_this(), [this] { expired(); });
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  const auto from = socket_.remote_endpoint(ignored);
  peer_ = from.address().to_string();
}

void server_connection::start() {
  begin();
  next();
}

void server_connection::turn_away() {
  begin();
  refuse(503);
}

void server_connection::read() {
  if (read_pending_ || eof_)
    return;
  read_pending_ = true;
  socket_.async_read_some(in_.prepare(request_read),
                          [self = shared_from_this()](error_code ec, std::size_t n) {
                            self->read_pending_ = false;
                            if (self->server_)
                              self->on_read(ec, n);
                          });
}

void server_connection::on_read(error_code ec, std::size_t bytes) {
  in_.commit(bytes);
  if (phase_ == phase::lingering) {
    drained_ += in_.size();
    in_.consume(in_.size());
    if (ec || drained_ > drain_limit)
      close();
    else
      read();
    return;
  }
  if (ec) {
    eof_ = true;
    // A client that only closed its half still waits for its answer; a stream would never end.
    if (ec != asio::error::eof || phase_ == phase::reading || phase_ == phase::streaming)
      close();
    else
      tell_gone();
    return;
  }
  if (phase_ == phase::reading)
    parse();
  else if (in_.size() < ahead_limit)
    read();
}

void server_connection::next() {
  phase_ = phase::reading;
  reader_.emplace(server_->options.header_limit, server_->options.body_limit);
  continued_ = false;
  deadline_.set(from_now(server_->options.read_timeout));
  if (in_.size() > 0)
    parse();
  else if (eof_)
    close();
  else
    read();
}

void server_connection::parse() {
  if (!reader_->got_some()) {
    deadline_.set(from_now(server_->options.read_timeout));
    while (in_.size() > 0) { // empty lines before a request are to be passed over (RFC 9112, 2.2)
      const char c = *static_cast<const char*>(in_.cdata().data());
      if (c != '\r' && c != '\n')
        break;
      in_.consume(1);
    }
  }
  while (in_.size() > 0) {
    error_code ec;
    const auto n = reader_->put(in_.cdata(), ec);
    in_.consume(n);
    if (ec == http::error::need_more) {
      if (in_.size() <= server_->options.header_limit)
        break;
      ec = http::error::header_limit; // a chunk header has no limit in the parser
    }
    if (ec) {
      refuse(refusal(ec));
      return;
    }
    if (reader_->is_done()) {
      dispatch();
      return;
    }
    if (n == 0)
      break;
  }
  if (eof_) {
    close();
  } else if (reader_->is_header_done() && reader_->wants_continue && !continued_) {
    continued_ = true;
    send_continue();
  } else {
    read();
  }
}

void server_connection::send_continue() {
  static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(line),
                    [self = shared_from_this()](error_code ec, std::size_t) {
                      if (!self->server_ || self->phase_ != phase::reading)
                        return;
                      if (ec)
                        self->close();
                      else
                        self->read();
                    });
}

void server_connection::dispatch() {
  auto server = server_;
  deadline_.clear();
  phase_ = phase::handling;
  head_only_ = reader_->head;
  version10_ = reader_->version10;
  keep_ = reader_->keep_alive() && !server->stopping;
  reader_->message.peer = peer_;
  reply_ = std::make_shared<reply_state>();
  if (reader_->upgrade && server->links) {
    if (upgrade())
      return;
  } else {
    ++server->io.counters.served_requests;
    auto reply = make_reply(server->io.shared_from_this(), shared_from_this(), reply_);
    if (!server->io.guarded([&] { server->handler(std::move(reader_->message), reply); }))
      reply->send({500, {}, {}});
  }
  if (server_ && phase_ != phase::reading && in_.size() < ahead_limit)
    read();
}

/// True: the socket is not ours any more, or the answer is on its way.
bool server_connection::upgrade() {
  auto server = server_;
  auto self = shared_from_this();
  auto& request = reader_->message;
  if (in_.size() > 0 || read_pending_) { // a client must wait for the 101 before it sends frames
    refuse(400);
    return true;
  }
  const link_request usual;
  auto session = std::make_shared<link_session>(
      server->io, link_limits{server->options.frame_limit, usual.unread_limit, usual.send_queue,
                              usual.ping_after, usual.connect_timeout});
  auto handle = make_link(server->io.shared_from_this(), session);
  std::shared_ptr<link_listener> listener;
  const bool good =
      server->io.guarded([&] { listener = server->links(request, std::move(handle)); });
  if (!server_)
    return true; // the handler destroyed the server
  if (!listener) {
    session->discard();
    answer(std::shared_ptr<reply_state>(reply_), {good ? 404 : 500, {}, {}});
    return false;
  }
  upgrade_request u;
  u.target = request.path;
  if (!request.query.empty())
    u.target.append("?").append(request.query);
  u.headers = std::move(request.headers);
  u.version10 = version10_;
  server->sessions.emplace(session.get(), session);
  auto slot = std::shared_ptr<void>(session.get(), [server, count = std::move(slot_)](void* key) {
    server->sessions.erase(static_cast<link_session*>(key));
  });
  reply_.reset();
  auto socket = std::move(socket_);
  close();
  session->accept(std::move(socket), std::move(u), std::move(listener), std::move(slot));
  return true;
}

/// Closing with unread bytes would reset the connection, and the client could lose our last answer.
void server_connection::linger() {
  phase_ = phase::lingering;
  in_.consume(in_.size());
  error_code ignored;
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
  if (eof_ || ignored) {
    close();
    return;
  }
  deadline_.set(steady::now() + farewell_time);
  read();
}

void server_connection::expired() {
  if (!server_)
    return;
  const bool begun = reader_ && (reader_->got_some() || in_.size() > 0);
  if (phase_ == phase::reading && begun && !writing_)
    refuse(408);
  else
    close();
}

void server_connection::tell_gone() {
  if (!reply_ || reply_->complete)
    return;
  reply_->gone = true;
  if (!reply_->on_gone || reply_->gone_told)
    return;
  reply_->gone_told = true;
  auto call = std::exchange(reply_->on_gone, nullptr);
  auto server = server_;
  server->io.guarded(call);
}

void server_connection::wind_down() {
  if (phase_ == phase::handling || phase_ == phase::finishing)
    keep_ = false;
  else if (phase_ != phase::lingering)
    close();
}

void server_connection::close() {
  if (!server_)
    return;
  auto self = shared_from_this();
  auto server = server_;
  deadline_.cancel();
  close_quietly(socket_);
  tell_gone();
  reply_.reset();
  server_.reset();
  slot_.reset();
  server->open.erase(self);
}

} // namespace pb::net
