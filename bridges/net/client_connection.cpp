#include "bridges/net/client_connection.hpp"

#include "bridges/net/request_head.hpp"

#include <boost/asio/write.hpp>

#include <cerrno>
#include <system_error>

namespace pb::net {

namespace {

constexpr std::size_t answer_head_limit = 64 * 1024;
constexpr std::size_t answer_read = 32 * 1024;

bool idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
}

} // namespace

client_connection::client_connection(std::shared_ptr<http_pool> pool, origin_pool& at)
    : pool_(std::move(pool)), at_(&at) {}

void client_connection::open(exchange_ptr first) {
  first->on = this;
  current_ = std::move(first);
  opener_ =
      std::make_shared<opener>(pool_->io, at_->where, pool_->tls,
                               [weak = weak_from_this()](tl::expected<any_stream, open_failure> r) {
                                 auto self = weak.lock();
                                 if (!self || !self->pool_)
                                   return;
                                 self->opener_.reset();
                                 if (!r) {
                                   self->fail(r.error().error, std::move(r.error().cause));
                                   return;
                                 }
                                 self->stream_.emplace(std::move(*r));
                                 ++self->pool_->io.counters.http_connections;
                                 self->write();
                                 self->read();
                               });
  opener_->start();
}

void client_connection::run(exchange_ptr ex) {
  ex->on = this;
  current_ = std::move(ex);
  used_before_ = true;
  write();
}

void client_connection::close() {
  if (!pool_)
    return;
  auto self = shared_from_this();
  auto pool = std::move(pool_);
  pool_.reset();
  if (opener_)
    opener_->cancel();
  if (stream_)
    stream_->close();
  if (current_)
    current_->on = nullptr;
  current_.reset();
  pool->gone(*at_, self);
}

void client_connection::write() {
  const auto& r = current_->request;
  head_.clear();
  const std::uint64_t size = r.from ? r.from->size() : r.body.size();
  append_head(head_, {r.method, r.target, at_->where.authority}, r.headers,
              {{"User-Agent", pool_->options.user_agent}}, size, false);

  new_reader();
  answered_ = false;
  current_->moved_at = steady::now();
  current_->asked = false;
  if (r.into)
    if (const int wrong = r.into->clear(); wrong != 0)
      return disk_failed(wrong);
  writing_ = true;
  current_->sent = true;
  if (r.from) {
    file_at_ = 0; // also when a stale connection has read some of it already
    piece_ = std::make_unique<std::array<char, piece_size>>();
    return pump(asio::buffer(head_), false);
  }
  const std::array<asio::const_buffer, 2> out{asio::buffer(head_), asio::buffer(r.body)};
  asio::async_write(*stream_, out,
                    [self = shared_from_this(), ex = current_](error_code, std::size_t) {
                      // A failure is left to the read side: the server may have answered before it
                      // closed, and if it has not, the read fails too.
                      self->writing_ = false;
                      ex->asked = !self->answered_;
                      ex->moved_at = steady::now();
                    });
}

void client_connection::write_file() {
  const auto& from = *current_->request.from;
  const auto left = from.size() - file_at_;
  const auto got = from.read(file_at_, piece_->data(),
                             static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_size)));
  if (!got)
    return disk_failed(got.error());
  if (*got == 0 && left > 0) // the rest of what was promised will never come
    return fail(http_error::disk, "the file became shorter while it was sent");
  file_at_ += *got;
  pump(asio::buffer(piece_->data(), *got), file_at_ == from.size());
}

/// Some of a piece at a time: on a slow line every byte that leaves is a sign of life.
void client_connection::pump(asio::const_buffer piece, bool last) {
  if (piece.size() == 0) {
    if (!last)
      return write_file();
    piece_.reset();
    writing_ = false;
    current_->asked = !answered_;
    return;
  }
  stream_->async_write_some(
      piece, [self = shared_from_this(), ex = current_, piece, last](error_code ec, std::size_t n) {
        if (ec || self->current_ != ex)
          return; // left to the read side, as above; or the server did not want to see the rest
        ex->moved_at = steady::now();
        self->pump(piece + n, last);
      });
}

void client_connection::read() {
  stream_->async_read_some(in_.prepare(answer_read),
                           [self = shared_from_this()](error_code ec, std::size_t n) {
                             if (self->pool_)
                               self->on_read(ec, n);
                           });
}

void client_connection::on_read(error_code ec, std::size_t bytes) {
  if (!current_) { // idle: the server closes, or speaks without being asked
    close();
    return;
  }
  in_.commit(bytes);
  if (bytes > 0) {
    current_->moved_at = steady::now();
    if (std::exchange(current_->asked, false))
      pool_->look_sooner(current_);
  }
  answered_ = answered_ || bytes > 0;
  if (bytes > 0 && !parse())
    return;
  if (!ec) {
    read();
    return;
  }
  // The end of the connection is the end of a body only if nothing else says where it ends. A TLS
  // stream that was cut off (no close_notify) is never such an end.
  if (ec == asio::error::eof && reader_->got_some()) {
    error_code partial;
    reader_->put_eof(partial);
    if (!partial) {
      complete();
      return;
    }
  }
  fail(http_error::closed, ec == asio::error::eof ? "the server closed" : ec.message());
}

/// False: the exchange has ended here, one way or the other.
bool client_connection::parse() {
  while (in_.size() > 0) {
    error_code ec;
    const auto n = reader_->put(in_.data(), ec);
    in_.consume(n);
    if (ec == http::error::need_more && in_.size() <= answer_head_limit)
      return true; // a chunk header has no limit in the parser
    if (ec && reader_->cut()) {
      complete();
      return false;
    }
    if (ec && reader_->disk_error() != 0) {
      disk_failed(reader_->disk_error());
      return false;
    }
    if (ec) {
      fail(ec == http::error::body_limit ? http_error::too_large : http_error::malformed,
           "answer: " + ec.message());
      return false;
    }
    if (reader_->is_done()) {
      if (reader_->message.status >= 200) {
        complete();
        return false;
      }
      new_reader(); // 1xx: the real answer follows
    } else if (n == 0) {
      return true;
    }
  }
  return true;
}

void client_connection::new_reader() {
  const auto& r = current_->request;
  reader_.emplace(answer_head_limit, r.response_limit, r.method == "HEAD", r.into);
}

void client_connection::disk_failed(int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  fail(full ? http_error::disk_full : http_error::disk,
       std::string("file of a body: ") + std::generic_category().message(error));
}

void client_connection::complete() {
  auto self = shared_from_this();
  auto pool = pool_;
  auto ex = std::move(current_);
  current_.reset();
  ex->on = nullptr;
  http_response response = std::move(reader_->message);
  const bool more = !writing_ && in_.size() == 0 && reader_->is_done() && !reader_->need_eof() &&
                    reader_->keep_alive();
  if (more) {
    read();
    pool->released(*at_, self);
  } else {
    close();
  }
  pool->finish(ex, std::move(response));
}

void client_connection::fail(http_error error, std::string cause) {
  auto self = shared_from_this();
  auto pool = pool_;
  auto ex = std::move(current_);
  current_.reset();
  ex->on = nullptr;
  const bool stale = error == http_error::closed && used_before_ && !answered_ && !ex->retried &&
                     idempotent(ex->request.method);
  if (stale) {
    pool->again(*at_, ex); // takes the place of this connection, which counts no more
    close();
    return;
  }
  close();
  const bool sent = ex->sent;
  pool->finish(ex, tl::unexpected<http_failure>(http_failure{error, std::move(cause), sent}));
}

} // namespace pb::net
