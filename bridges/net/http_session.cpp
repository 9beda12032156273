#include "bridges/net/http_session.hpp"

#include "bridges/net/request_head.hpp"
#include "bridges/retry_after.hpp"

#include <array>
#include <boost/beast/core/string.hpp>
#include <limits>

namespace pb::net {

namespace {

using how = link_closed::how;
using boost::beast::iequals;

constexpr std::size_t head_limit = 64 * 1024;
constexpr std::size_t stream_read = 32 * 1024;
constexpr std::size_t inflated_piece = 16 * 1024;
constexpr std::chrono::seconds explanation_time{5}; ///< for the body of a rejection

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view blank = " \t";
  s.remove_prefix(std::min(s.find_first_not_of(blank), s.size()));
  return s.substr(0, s.find_last_not_of(blank) + 1);
}

bool is_event_stream(const http_headers& headers) {
  const auto* type = find_header(headers, "Content-Type");
  if (type == nullptr)
    return false;
  return iequals(trimmed(std::string_view(*type).substr(0, type->find(';'))), "text/event-stream");
}

/// The one encoding of a body; "": none. Several ones are never undone.
std::string encoding_of(const http_headers& headers) {
  std::string all;
  for (const auto& h : headers) {
    const auto value = trimmed(h.value);
    if (!iequals(h.name, "Content-Encoding") || value.empty() || iequals(value, "identity"))
      continue;
    all.append(all.empty() ? "" : ", ").append(value);
  }
  return all;
}

unix_ms wall_clock() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// At most `size` bytes, without a character that is cut in two.
void cut_text(std::string& text, std::size_t size) {
  if (text.size() <= size)
    return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;
  text.resize(size);
}

} // namespace

http_session::http_session(core& c, const link_request& limits)
    : core_(c), frame_limit_(limits.frame_limit), open_timeout_(limits.connect_timeout),
      write_timeout_(3 * limits.ping_after), method_(limits.http.method), timer_(c.io),
      unread_(limits.unread_limit), sse_(limits.frame_limit) {}

http_session::~http_session() = default;

bool http_session::send(std::string text) {
  const bool bodiless = method_ == "GET" || method_ == "HEAD";
  if (shut_ || (bodiless && !text.empty()) || asked_.exchange(true))
    return false;
  return core_.post(
      [self = shared_from_this(), t = std::move(text)]() mutable { self->ask(std::move(t)); });
}

void http_session::consumed(std::size_t bytes) {
  if (unread_.consumed(bytes))
    core_.post([self = shared_from_this()] {
      if (self->unread_.paused())
        self->work();
    });
}

void http_session::close(int) {
  shut_ = true;
  core_.post([self = shared_from_this()] {
    self->finish({how::closed, 0, self->stream_ ? "closed" : "closed before it was open"});
  });
}

void http_session::begin(std::shared_ptr<link_listener> events) {
  events_ = std::move(events);
  timer_.bind(weak_from_this(), [this] { tick(); });
  core_.add(shared_from_this());
  ++core_.counters.http_links;
}

void http_session::dial(link_request request, std::shared_ptr<tls_context> tls,
                        std::shared_ptr<link_listener> events) {
  begin(std::move(events));
  auto to = parse_address(request.url, "http");
  if (!to || !sendable({method_, to->target, to->authority}, request.headers)) {
    finish({how::refused, 0, "not an address, or a method or a header that cannot be sent"});
    return;
  }
  if (core_.stopping()) {
    finish({how::refused, 0, "stopping"});
    return;
  }
  to_ = std::move(*to);
  headers_ = std::move(request.headers);
  open_deadline_ = from_now(open_timeout_);
  timer_.set(open_deadline_);
  opener_ = std::make_shared<opener>(core_, to_, std::move(tls), [weak = weak_from_this()](auto r) {
    auto self = weak.lock();
    if (!self || self->over_)
      return;
    self->opener_.reset();
    if (r)
      self->opened(std::move(*r));
    else
      self->finish({how::refused, 0, std::move(r.error().cause)});
  });
  opener_->start();
}

void http_session::opened(any_stream stream) {
  stream_.emplace(std::move(stream));
  open_deadline_ = time_point::max();
  timer_.clear();
  core_.guarded([this] { events_->on_open(); });
  if (over_)
    return;
  read(); // also before anything is asked: a peer that goes away is seen
  if (to_ask_)
    ask(std::move(question_));
}

void http_session::ask(std::string text) {
  if (over_)
    return;
  question_ = std::move(text);
  to_ask_ = true;
  if (!stream_)
    return;
  append_head(head_, {method_, to_.target, to_.authority}, headers_,
              {{"Content-Type", question_.empty() ? "" : "application/json"},
               {"Accept", "text/event-stream, application/json"},
               {"Accept-Encoding", "identity"},
               {"User-Agent", "patchbay"}},
              question_.size(), true);
  headers_.clear();
  sent_ = true;
  write(asio::buffer(head_), asio::buffer(question_));
}

/// Some of it at a time: on a slow line every byte that leaves is a sign of life.
void http_session::write(asio::const_buffer head, asio::const_buffer body) {
  write_deadline_ = from_now(write_timeout_);
  timer_.set(std::min(write_deadline_, body_deadline_));
  const std::array<asio::const_buffer, 2> both{head, body};
  stream_->async_write_some(both,
                            [self = shared_from_this(), head, body](error_code ec, std::size_t n) {
                              // A failure is left to the read side: the server may have answered
                              // before it closed, and if it has not, the read fails too.
                              if (self->over_)
                                return;
                              const auto of_head = std::min(n, head.size());
                              const auto rest = head + of_head, more = body + (n - of_head);
                              if (!ec && rest.size() + more.size() > 0)
                                return self->write(rest, more);
                              self->write_deadline_ = time_point::max();
                              self->question_ = {};
                            });
}

void http_session::read() {
  stream_->async_read_some(in_.prepare(stream_read),
                           [self = shared_from_this()](error_code ec, std::size_t n) {
                             if (!self->over_)
                               self->on_read(ec, n);
                           });
}

void http_session::on_read(error_code ec, std::size_t bytes) {
  in_.commit(bytes);
  if (bytes > 0 && !sent_)
    return protocol_error("the server spoke before it was asked");
  if (ec) {
    // The end of the connection is the end of a body only if nothing else says where it ends. A
    // TLS stream that was cut off (no close_notify) is never such an end.
    error_code partial;
    if (ec == asio::error::eof && reader_ && reader_->got_some())
      reader_->put_eof(partial);
    else
      partial = ec;
    if (partial)
      return finish({how::broken, 0, ec == asio::error::eof ? "the server closed" : ec.message()});
    answered_ = true;
  }
  work();
}

/// Pulls until there is a reason to wait.
void http_session::work() {
  auto self = shared_from_this();
  while (!over_) {
    if (unread_.pause())
      return;
    unread_.resume();
    if (!plain_left_.empty())
      take();
    else if (inflating_ || !coded_left_.empty())
      decode();
    else if (answered_)
      conclude();
    else if (in_.size() == 0 || !parse())
      return read();
  }
}

/// False: it needs more bytes than there are.
bool http_session::parse() {
  if (!reader_)
    reader_.emplace(head_limit, std::numeric_limits<std::size_t>::max(), method_ == "HEAD");
  error_code ec;
  const auto n = reader_->put(in_.data(), ec);
  in_.consume(n);
  // A chunk header has no limit in the parser.
  const bool waits = ec == http::error::need_more && in_.size() <= head_limit;
  if (ec && !waits) {
    protocol_error("answer: " + ec.message());
    return true;
  }
  if (reader_->is_done() && reader_->message.status < 200) { // the real answer follows
    reader_.reset();
    return true;
  }
  if (body_ == body_is::unknown && reader_->is_header_done()) {
    judge_head();
    if (over_)
      return true;
  }
  answered_ = reader_->is_done();
  auto& body = reader_->message.body;
  if (inflater_) {
    coded_ = std::exchange(body, {});
    coded_left_ = coded_;
  } else {
    plain_ = std::exchange(body, {});
    plain_left_ = plain_;
  }
  return n > 0 || answered_;
}

void http_session::judge_head() {
  const auto& message = reader_->message;
  const auto coding = encoding_of(message.headers);
  const bool known = coding.empty() || iequals(coding, "gzip") || iequals(coding, "x-gzip") ||
                     iequals(coding, "deflate");
  if (message.status / 100 != 2) {
    body_ = body_is::told_with_rejection;
    body_deadline_ = from_now(explanation_time);
    timer_.set(std::min(write_deadline_, body_deadline_));
    if (!known)
      return reject();
  } else if (!known) {
    return protocol_error("the answer's Content-Encoding is \"" + coding.substr(0, 40) +
                          "\", though identity was asked for");
  } else {
    body_ = is_event_stream(message.headers) ? body_is::events : body_is::one_text;
  }
  if (!coding.empty())
    inflater_ = std::make_unique<inflater>();
}

void http_session::decode() {
  const bool good = inflater_->next(coded_left_, plain_, inflated_piece);
  inflating_ = plain_.size() == inflated_piece;
  plain_left_ = plain_;
  if (good)
    return;
  if (body_ == body_is::told_with_rejection)
    reject();
  else
    protocol_error("the answer's body is not what its Content-Encoding says");
}

void http_session::take() {
  switch (body_) {
  case body_is::unknown:
    break;
  case body_is::events:
    return take_event(plain_left_);
  case body_is::one_text:
    if (plain_left_.size() > frame_limit_ - text_.size())
      return protocol_error("an answer over " + std::to_string(frame_limit_) + " bytes");
    text_.append(plain_left_);
    break;
  case body_is::told_with_rejection:
    text_.append(plain_left_.substr(0, error_body_limit + 1 - text_.size()));
    if (text_.size() > error_body_limit)
      return reject();
    break;
  }
  plain_left_ = {};
}

void http_session::take_event(std::string_view& bytes) {
  auto event = sse_.next(bytes);
  if (sse_.too_large())
    protocol_error("an event over " + std::to_string(frame_limit_) + " bytes");
  else if (event && !event->empty())
    hand_over(std::move(*event));
}

void http_session::hand_over(std::string text) {
  if (!is_utf8(text))
    return protocol_error("text that is not UTF-8");
  unread_.handed(text.size());
  core_.guarded([&] { events_->on_text(std::move(text)); });
}

/// The answer has ended, and all of it was used.
void http_session::conclude() {
  if (body_ == body_is::told_with_rejection)
    return reject();
  if (inflater_ && !inflater_->whole())
    return finish({how::broken, 0, "the encoded body ends early"});
  if (!text_.empty())
    hand_over(std::move(text_));
  finish({how::closed, reader_->message.status, {}});
}

void http_session::reject() {
  const auto& message = reader_->message;
  link_closed why{how::rejected, message.status,
                  "the server answered " + std::to_string(message.status)};
  cut_text(text_, error_body_limit);
  if (is_utf8(text_))
    why.body = std::move(text_);
  why.retry_after = retry_after(message.headers, wall_clock()).value_or(why.retry_after);
  finish(std::move(why));
}

void http_session::tick() {
  if (over_)
    return;
  const auto now = steady::now();
  if (now >= open_deadline_)
    finish({how::timed_out, 0, "no connection in time"});
  else if (now >= body_deadline_)
    reject();
  else if (now >= write_deadline_)
    finish({how::timed_out, 0, "the server takes no data"});
  else
    timer_.set(std::min({open_deadline_, body_deadline_, write_deadline_}));
}

void http_session::protocol_error(std::string cause) {
  finish({how::protocol, 0, std::move(cause)});
}

void http_session::cut() { finish({stream_ ? how::broken : how::refused, 0, "stopping"}); }

void http_session::finish(link_closed why) {
  if (over_ || !events_)
    return;
  over_ = true;
  shut_ = true;
  auto self = shared_from_this();
  core_.remove(this);
  timer_.cancel();
  if (opener_)
    opener_->cancel();
  opener_.reset();
  if (stream_)
    stream_->close(); // what is pending ends, and finds that it is over
  auto events = std::move(events_);
  events_.reset();
  core_.guarded([&] { events->on_closed(std::move(why)); });
}

} // namespace pb::net
