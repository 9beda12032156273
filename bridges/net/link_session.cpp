#include "bridges/net/link_session.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>

namespace pb::net {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
namespace http = beast::http;

namespace {

constexpr std::chrono::seconds close_time{
    2}; ///< for the peer to answer, or to take the last frames
constexpr std::size_t kept_buffer = std::size_t{1} << 20;
constexpr std::size_t write_buffer = 16 * 1024; ///< a client masks its frames through this

/// Codes that may be sent (RFC 6455 section 7.4); 1000 for others.
std::uint16_t sendable(int code) {
  const bool known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                     (code >= 3000 && code <= 4999);
  return known ? static_cast<std::uint16_t>(code) : std::uint16_t{1000};
}

} // namespace

struct link_session::socket {
  explicit socket(any_stream s) : ws(std::move(s)) {}
  websocket::stream<any_stream, false> ws;
  beast::flat_buffer in;
  websocket::response_type answer;
  http::request<http::empty_body> request;
};

link_session::link_session(core& c, link_limits limits)
    : core_(c), limits_(limits), timer_(c.io), unread_(limits.unread) {
  verdict_.reason = link_closed::how::closed;
}

link_session::~link_session() = default;

bool link_session::send(std::string text) {
  if (shut_)
    return false;
  if (out_count_.fetch_add(1) >= limits_.send_queue) {
    --out_count_;
    return false;
  }
  return core_.post(
      [self = shared_from_this(), t = std::move(text)]() mutable { self->queue(std::move(t)); });
}

void link_session::consumed(std::size_t bytes) {
  if (unread_.consumed(bytes))
    core_.post([self = shared_from_this()] {
      if (self->unread_.paused())
        self->read();
    });
}

void link_session::close(int code) {
  shut_ = true;
  core_.post([self = shared_from_this(), code] { self->begin_close(code); });
}

void link_session::begin(std::shared_ptr<link_listener> events) {
  events_ = std::move(events);
  timer_.bind(weak_from_this(), [this] { tick(); });
  core_.add(shared_from_this());
  open_deadline_ = from_now(limits_.open_timeout);
  set_deadline();
}

void link_session::refuse(std::shared_ptr<link_listener> events, std::string cause) {
  begin(std::move(events));
  finish({link_closed::how::refused, 0, std::move(cause)});
}

void link_session::discard() {
  shut_ = true;
  over_ = true;
}

void link_session::dial(const address& to, http_headers headers, std::shared_ptr<tls_context> tls,
                        std::shared_ptr<link_listener> events) {
  begin(std::move(events));
  ++core_.counters.links_dialled;
  if (core_.stopping()) {
    finish({link_closed::how::refused, 0, "stopping"});
    return;
  }
  opener_ = std::make_shared<opener>(
      core_, to, std::move(tls),
      [weak = weak_from_this(), to,
       headers = std::move(headers)](tl::expected<any_stream, open_failure> r) {
        auto self = weak.lock();
        if (!self || self->over_)
          return;
        self->opener_.reset();
        if (r)
          self->handshake(std::move(*r), to, headers);
        else
          self->finish({link_closed::how::refused, 0, std::move(r.error().cause)});
      });
  opener_->start();
}

void link_session::handshake(any_stream stream, const address& to, const http_headers& headers) {
  socket_ = std::make_unique<socket>(std::move(stream));
  auto& ws = socket_->ws;
  ws.set_option(websocket::stream_base::decorator([headers](websocket::request_type& r) {
    for (const auto& h : headers)
      r.set(h.name, h.value);
  }));
  ws.async_handshake(
      socket_->answer, to.authority, to.target, [self = shared_from_this()](error_code ec) {
        if (self->over_)
          return;
        if (!ec) {
          self->opened();
        } else if (ec == websocket::error::upgrade_declined) {
          const auto status = static_cast<int>(self->socket_->answer.result_int());
          self->finish({link_closed::how::rejected, status,
                        "the server answered " + std::to_string(status)});
        } else {
          self->finish({link_closed::how::refused, 0, "WebSocket handshake: " + ec.message()});
        }
      });
}

void link_session::accept(tcp_socket s, upgrade_request request,
                          std::shared_ptr<link_listener> events, std::shared_ptr<void> slot) {
  begin(std::move(events));
  slot_ = std::move(slot);
  socket_ = std::make_unique<socket>(any_stream(std::move(s)));
  auto& r = socket_->request;
  r.method(http::verb::get);
  r.target(request.target);
  r.version(request.version10 ? 10 : 11);
  for (const auto& h : request.headers)
    r.insert(h.name, h.value);
  socket_->ws.async_accept(r, [self = shared_from_this()](error_code ec) {
    if (self->over_)
      return;
    self->socket_->request = {};
    if (!ec)
      self->opened();
    else
      self->finish({link_closed::how::refused, 0, "WebSocket handshake: " + ec.message()});
  });
}

void link_session::opened() {
  auto& ws = socket_->ws;
  ws.read_message_max(limits_.frame);
  ws.auto_fragment(false);
  ws.write_buffer_bytes(write_buffer);
  ws.text(true);
  ws.control_callback(
      [this](websocket::frame_type, beast::string_view) { heard_ = steady::now(); });
  open_ = true;
  heard_ = pinged_ = steady::now();
  open_deadline_ = time_point::max();
  set_deadline();
  core_.guarded([this] { events_->on_open(); });
  if (over_)
    return;
  read();
  if (close_wanted_)
    write_close();
  else
    write();
}

void link_session::queue(std::string text) {
  if (over_)
    return;
  out_.push_back(std::move(text));
  if (open_)
    write();
}

void link_session::write() {
  if (writing_ || close_sent_ || out_.empty())
    return;
  writing_ = true;
  write_began_ = steady::now();
  set_deadline();
  socket_->ws.async_write(asio::buffer(out_.front()),
                          [self = shared_from_this()](error_code ec, std::size_t) {
                            self->writing_ = false;
                            if (self->over_)
                              return;
                            if (ec) {
                              self->failed(ec);
                              return;
                            }
                            self->out_.pop_front();
                            --self->out_count_;
                            if (self->close_wanted_)
                              self->write_close();
                            else
                              self->write();
                          });
}

void link_session::read() {
  if (over_ || !open_ || unread_.pause())
    return;
  if (unread_.resume())
    heard_ = steady::now(); // the peer was not silent, we did not listen
  socket_->ws.async_read_some(socket_->in, 0,
                              [self = shared_from_this()](error_code ec, std::size_t n) {
                                if (!self->over_)
                                  self->on_read(ec, n);
                              });
}

void link_session::on_read(error_code ec, std::size_t bytes) {
  if (bytes > 0)
    heard_ = steady::now();
  if (ec) {
    failed(ec);
    return;
  }
  auto& ws = socket_->ws;
  if (ws.got_binary()) {
    protocol_error(1003, "a binary frame");
    return;
  }
  if (ws.is_message_done()) {
    auto& in = socket_->in;
    const auto data = in.cdata();
    std::string text(static_cast<const char*>(data.data()), data.size());
    in.consume(in.size());
    if (in.capacity() > kept_buffer)
      in = beast::flat_buffer{};
    unread_.handed(text.size());
    core_.guarded([&] { events_->on_text(std::move(text)); });
    if (over_)
      return;
  }
  read();
}

void link_session::begin_close(int code) {
  shut_ = true;
  if (over_ || close_wanted_)
    return;
  close_wanted_ = true;
  close_code_ = code;
  if (open_)
    write_close();
  else if (events_ && !slot_ && out_.empty()) // a dial that nobody needs any more
    finish({link_closed::how::closed, 0, "closed before it was open"});
  // Otherwise opened() goes on with it, or the open deadline ends it.
}

void link_session::wind_down() {
  if (open_)
    begin_close(1001);
  else
    cut();
}

/// Frames that were queued go out first; each step has its 2 s.
void link_session::write_close() {
  close_deadline_ = steady::now() + close_time;
  set_deadline();
  if (writing_ || close_sent_)
    return;
  if (!out_.empty()) {
    write();
    return;
  }
  close_sent_ = true;
  websocket::close_reason why;
  why.code = sendable(close_code_);
  socket_->ws.async_close(why, [self = shared_from_this()](error_code ec) {
    if (self->over_)
      return;
    if (ec && self->verdict_.cause.empty())
      self->verdict_.cause = ec.message();
    if (self->verdict_.code == 0)
      self->verdict_.code = self->socket_->ws.reason().code;
    self->finish(self->verdict_);
  });
}

void link_session::protocol_error(int code, std::string cause) {
  shut_ = true;
  verdict_ = {link_closed::how::protocol, 0, std::move(cause)};
  out_.erase(out_.begin() + (writing_ ? 1 : 0), out_.end());
  close_wanted_ = true;
  close_code_ = code;
  write_close();
}

void link_session::set_deadline() {
  auto due = std::min(open_deadline_, close_deadline_);
  if (open_ && !close_sent_) {
    due = std::min(due, std::max(heard_, pinged_) + limits_.ping_after);
    if (writing_)
      due = std::min(due, write_began_ + 3 * limits_.ping_after);
  }
  timer_.set(due);
}

void link_session::tick() {
  if (over_)
    return;
  const auto now = steady::now();
  if (now >= open_deadline_) {
    finish({link_closed::how::timed_out, 0, "no handshake in time"});
    return;
  }
  if (now >= close_deadline_) {
    if (verdict_.cause.empty())
      verdict_.cause = "the peer did not answer the close";
    finish(verdict_);
    return;
  }
  if (open_ && !close_sent_) {
    if (writing_ && now >= write_began_ + 3 * limits_.ping_after) {
      finish({link_closed::how::timed_out, 0, "the peer takes no data"});
      return;
    }
    if (unread_.paused()) {
      heard_ = now; // we do not read, so we cannot hear
    } else if (now >= heard_ + 3 * limits_.ping_after) {
      finish({link_closed::how::timed_out, 0, "the peer stopped answering pings"});
      return;
    } else if (now >= std::max(heard_, pinged_) + limits_.ping_after) {
      ping();
    }
  }
  set_deadline();
}

void link_session::ping() {
  pinged_ = steady::now();
  if (pinging_)
    return;
  pinging_ = true;
  socket_->ws.async_ping({}, [self = shared_from_this()](error_code) { self->pinging_ = false; });
}

void link_session::failed(error_code ec) {
  using how = link_closed::how;
  if (close_sent_ && ec != websocket::error::closed)
    return; // async_close has its own completion and its own deadline
  if (ec == websocket::error::closed) {
    const auto& why = socket_->ws.reason();
    if (verdict_.reason == how::protocol) {
      finish(verdict_);
    } else {
      finish({how::closed, why.code, std::string(why.reason.data(), why.reason.size())});
    }
    return;
  }
  const bool rule = ec.category() == error_code(websocket::error::closed).category();
  finish({rule ? how::protocol : how::broken, 0, ec.message()});
}

void link_session::cut() {
  if (events_)
    finish({open_ ? link_closed::how::broken : link_closed::how::refused, 0, "stopping"});
}

void link_session::finish(link_closed why) {
  if (over_)
    return;
  over_ = true;
  shut_ = true;
  auto self = shared_from_this();
  core_.remove(this);
  timer_.cancel();
  if (opener_)
    opener_->cancel();
  opener_.reset();
  if (socket_)
    socket_->ws.next_layer().close();
  slot_.reset();
  if (!writing_)
    out_.clear();
  auto events = std::move(events_);
  events_.reset();
  if (events)
    core_.guarded([&] { events->on_closed(std::move(why)); });
}

} // namespace pb::net
