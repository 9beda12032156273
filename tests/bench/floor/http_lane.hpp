#pragma once
// One keep-alive HTTP connection; requests go one after another.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace pb::bench {

class http_lane {
public:
  /// The body may be moved from; simdjson may read SIMDJSON_PADDING bytes past its end.
  using done = std::function<void(std::string& body)>;

  http_lane(boost::asio::io_context& io, boost::asio::ip::tcp::endpoint server, std::string host,
            std::string token)
      : socket_(io), server_(std::move(server)), host_(std::move(host)),
        authorization_("Bearer " + token) {}

  /// Throws out of the event loop when the connection breaks or the status is not 200: a floor has
  /// no second try.
  void send(boost::beast::http::verb verb, std::string target, std::string body, done then);

private:
  struct job {
    boost::beast::http::verb verb;
    std::string target, body;
    done then;
  };
  void start();
  void write();
  void read();
  static void check(const boost::system::error_code& ec, const char* what);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::endpoint server_;
  std::string host_, authorization_;
  std::deque<job> jobs_;
  bool connected_ = false;
  boost::beast::flat_buffer buffer_;
  boost::beast::http::request<boost::beast::http::string_body> request_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser_;
};

} // namespace pb::bench
