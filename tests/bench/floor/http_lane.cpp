#include "tests/bench/floor/http_lane.hpp"

#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <simdjson.h>
#include <stdexcept>
#include <utility>

namespace pb::bench {

namespace http = boost::beast::http;
using error_code = boost::system::error_code;

void http_lane::check(const error_code& ec, const char* what) {
  if (ec)
    throw std::runtime_error(std::string("homeserver: ") + what + ": " + ec.message());
}

void http_lane::send(http::verb verb, std::string target, std::string body, done then) {
  jobs_.push_back({verb, std::move(target), std::move(body), std::move(then)});
  if (jobs_.size() == 1)
    start();
}

void http_lane::start() {
  if (connected_)
    return write();
  socket_.async_connect(server_, [this](error_code ec) {
    check(ec, "connect");
    socket_.set_option(boost::asio::ip::tcp::no_delay(true));
    connected_ = true;
    write();
  });
}

void http_lane::write() {
  auto& first = jobs_.front();
  request_ = {};
  request_.version(11);
  request_.method(first.verb);
  request_.target(first.target);
  request_.set(http::field::host, host_);
  request_.set(http::field::authorization, authorization_);
  if (!first.body.empty()) {
    request_.set(http::field::content_type, "application/json");
    request_.body() = std::move(first.body);
  }
  request_.prepare_payload();
  http::async_write(socket_, request_, [this](error_code ec, std::size_t) {
    check(ec, "write");
    read();
  });
}

void http_lane::read() {
  parser_.emplace();
  parser_->body_limit(boost::none);
  http::async_read(socket_, buffer_, *parser_, [this](error_code ec, std::size_t) {
    check(ec, "read");
    if (parser_->get().result() != http::status::ok)
      throw std::runtime_error("homeserver: " + jobs_.front().target + ": " +
                               parser_->get().body());
    auto body = std::move(parser_->get().body());
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    const auto then = std::move(jobs_.front().then);
    jobs_.pop_front();
    if (!jobs_.empty())
      start();
    then(body);
  });
}

} // namespace pb::bench
