#pragma once
// Internal to bridges/net: carrier::http, one request and its answer on a connection of its own.
//
// What comes is pulled: socket → parser of HTTP → content encoding → events, and nothing is taken
// from one stage before the next one has used up what it had. So a pause anywhere holds back
// everything, and no stage holds more than a piece of fixed size and one text.

#include "bridges/net/inflater.hpp"
#include "bridges/net/line.hpp"
#include "bridges/net/opener.hpp"
#include "bridges/net/reader.hpp"
#include "bridges/sse.hpp"

#include <boost/beast/core/flat_buffer.hpp>

namespace pb::net {

/// Lives from dial to on_closed; the listener is let go of there.
class http_session final : public line, public std::enable_shared_from_this<http_session> {
public:
  http_session(core& c, const link_request& limits);
  ~http_session() override;

  bool send(std::string text) override;
  void consumed(std::size_t bytes) override;
  void close(int code) override;

  // The others are for the I/O thread.
  void dial(link_request request, std::shared_ptr<tls_context> tls,
            std::shared_ptr<link_listener> events);
  void wind_down() override { cut(); }
  void cut() override;

private:
  /// What becomes of the body.
  enum class body_is { unknown, events, one_text, told_with_rejection };

  void begin(std::shared_ptr<link_listener> events);
  void opened(any_stream stream);
  void ask(std::string text);
  void write(asio::const_buffer head, asio::const_buffer body);
  void read();
  void on_read(error_code ec, std::size_t bytes);

  void work();
  bool parse();
  void judge_head();
  void decode();
  void take();
  void take_event(std::string_view& bytes);
  void hand_over(std::string text);
  void conclude();
  void reject();

  void tick();
  void protocol_error(std::string cause);
  void finish(link_closed why);

  core& core_;
  const std::size_t frame_limit_;
  const std::chrono::milliseconds open_timeout_, write_timeout_;
  address to_;
  http_headers headers_;
  std::string method_;
  std::shared_ptr<link_listener> events_;
  std::shared_ptr<opener> opener_;
  std::optional<any_stream> stream_;
  lazy_timer timer_;
  unread_bytes unread_;

  std::string head_, question_;
  std::atomic<bool> asked_{false}; ///< the one text was taken
  std::atomic<bool> shut_{false};
  bool to_ask_ = false; ///< the text is there; it waits for the connection
  bool sent_ = false;   ///< bytes of the request may have left
  bool over_ = false;
  time_point open_deadline_ = time_point::max();
  time_point write_deadline_ = time_point::max();
  time_point body_deadline_ = time_point::max(); ///< of a body that explains a rejection

  boost::beast::flat_buffer in_;
  std::optional<response_reader> reader_;
  bool answered_ = false; ///< the answer has ended, as HTTP goes
  body_is body_ = body_is::unknown;
  std::unique_ptr<inflater> inflater_;
  bool inflating_ = false; ///< there may be more in it
  std::string coded_, plain_;
  std::string_view coded_left_, plain_left_; ///< what of them is to be done
  sse_reader sse_;
  std::string text_; ///< the body that is one text, or that is told with a rejection
};

} // namespace pb::net
