// The writing half of server_connection.
#include "bridges/net/address.hpp"
#include "bridges/net/server_connection.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace pb::net {

namespace {

constexpr std::size_t kept_buffer = 64 * 1024;

bool written_by_us(std::string_view name) {
  using boost::beast::iequals;
  return iequals(name, "Content-Length") || iequals(name, "Transfer-Encoding") ||
         iequals(name, "Connection") || iequals(name, "Date");
}

/// RFC 9110 section 6.6.1, made once a second. I/O thread only, as everything here.
const std::string& date() {
  thread_local std::time_t last = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != last) {
    last = now;
    std::tm tm{};
    gmtime_r(&now, &tm);
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                  days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
                  tm.tm_min, tm.tm_sec);
    text = buffer;
  }
  return text;
}

void recycle(std::string& s) {
  s.clear();
  if (s.capacity() > kept_buffer)
    std::string().swap(s);
}

} // namespace

void server_connection::refuse(int status) {
  keep_ = false;
  reply_.reset();
  phase_ = phase::finishing;
  write_head({status, {}, {}}, "Content-Length: 0\r\n");
  write();
}

void server_connection::write_head(const http_response& r, std::string_view framing) {
  const int status = r.status >= 200 && r.status <= 999 ? r.status : 500;
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  out_.clear();
  out_.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  out_.append(reason.data(), reason.size()).append("\r\n");
  for (const auto& h : r.headers)
    if (!written_by_us(h.name) && valid_token(h.name) && valid_value(h.value))
      out_.append(h.name).append(": ").append(h.value).append("\r\n");
  out_.append(date()).append(framing);
  if (!keep_)
    out_.append("Connection: close\r\n");
  else if (version10_)
    out_.append("Connection: keep-alive\r\n");
  out_.append("\r\n");
}

void server_connection::answer(const std::shared_ptr<reply_state>& state, http_response r) {
  if (!current(state) || phase_ != phase::handling)
    return;
  keep_ = keep_ && !server_->stopping;
  phase_ = phase::finishing;
  const bool never = r.status == 204 || r.status == 304; // no body, whatever the handler gave
  write_head(r,
             never ? std::string() : "Content-Length: " + std::to_string(r.body.size()) + "\r\n");
  if (!never && !head_only_)
    body_ = std::move(r.body);
  write();
}

void server_connection::begin_stream(const std::shared_ptr<reply_state>& state,
                                     const http_response& head) {
  if (!current(state) || phase_ != phase::handling)
    return;
  if (eof_) {
    close();
    return;
  }
  phase_ = phase::streaming;
  chunked_ = !version10_;
  stream_end_ = false;
  keep_ = keep_ && chunked_ && !server_->stopping;
  write_head(head, chunked_ ? "Transfer-Encoding: chunked\r\n" : "");
  write();
}

void server_connection::stream_chunk(const std::shared_ptr<reply_state>& state,
                                     std::string_view data) {
  if (!current(state) || phase_ != phase::streaming || stream_end_ || head_only_) {
    state->waiting -= data.size();
    return;
  }
  if (chunked_) {
    char size[24];
    const int n = std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    waiting_.append(size, static_cast<std::size_t>(n)).append(data).append("\r\n");
  } else {
    waiting_.append(data);
  }
  waiting_payload_ += data.size();
  flush();
}

void server_connection::end_stream(const std::shared_ptr<reply_state>& state) {
  if (!current(state) || phase_ != phase::streaming || stream_end_)
    return;
  stream_end_ = true;
  if (chunked_ && !head_only_)
    waiting_.append("0\r\n\r\n");
  flush();
}

void server_connection::dropped(const std::shared_ptr<reply_state>& state) {
  if (!current(state))
    return;
  if (phase_ == phase::handling)
    answer(state, {500, {}, {}});
  else if (phase_ == phase::streaming && !stream_end_)
    close(); // without the last chunk the client sees that this is not the whole
}

void server_connection::flush() {
  if (writing_)
    return;
  if (waiting_.empty()) {
    if (stream_end_)
      complete();
    return;
  }
  out_.swap(waiting_);
  waiting_.clear();
  writing_payload_ = std::exchange(waiting_payload_, 0);
  write();
}

void server_connection::write() {
  writing_ = true;
  deadline_.set(from_now(server_->options.read_timeout));
  const std::array<asio::const_buffer, 2> all{asio::buffer(out_), asio::buffer(body_)};
  auto progress = [this](error_code ec, std::size_t) {
    if (ec)
      return std::size_t{0};
    if (server_) // the deadline is for each step, so a slow reader of a long answer is served
      deadline_.set(from_now(server_->options.read_timeout));
    return std::size_t{1} << 20;
  };
  asio::async_write(socket_, all, progress,
                    [self = shared_from_this()](error_code ec, std::size_t) {
                      self->writing_ = false;
                      if (self->server_)
                        self->on_written(ec);
                    });
}

void server_connection::on_written(error_code ec) {
  if (ec) {
    close();
    return;
  }
  deadline_.clear();
  if (phase_ == phase::streaming) {
    recycle(out_);
    reply_->waiting -= std::exchange(writing_payload_, 0);
    flush();
  } else {
    complete();
  }
}

void server_connection::complete() {
  if (reply_) {
    reply_->complete = true;
    reply_->on_gone = nullptr;
    reply_.reset();
  }
  recycle(body_);
  recycle(out_);
  recycle(waiting_);
  if (!server_) // letting go of the callback may have destroyed the server
    return;
  if (keep_)
    next();
  else
    linger();
}

} // namespace pb::net
