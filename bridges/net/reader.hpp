#pragma once
// Internal to bridges/net: HTTP messages straight into the port's structs, without Beast's field
// list in between (it costs an allocation for each header).

#include "bridges/http_server.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>

namespace pb::net {

namespace http = boost::beast::http;

/// What both directions share: header and body limits, and where fields and body bytes go.
template <bool Request, class Message>
class reader : public http::basic_parser<Request> {
public:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  Message message;

protected:
  reader(std::size_t header_limit, std::size_t body_limit) : header_limit_(header_limit) {
    this->eager(true);
    this->header_limit(static_cast<std::uint32_t>(header_limit));
    this->body_limit(std::uint64_t{body_limit});
    message.headers.reserve(12);
  }

  /// The parser's own limit is for the first line and for the fields apart; this one is for both.
  void count(std::size_t bytes, error_code& ec) {
    seen_ += bytes;
    if (seen_ > header_limit_)
      ec = http::error::header_limit;
  }

  void on_field_impl(http::field, string_view name, string_view value, error_code& ec) override {
    count(name.size() + value.size() + 4, ec);
    if (!this->is_header_done()) // fields after a chunked body could pose as checked ones
      message.headers.push_back(
          {std::string(name.data(), name.size()), std::string(value.data(), value.size())});
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    ec = {};
    constexpr std::uint64_t most = std::uint64_t{1} << 20; // a promise alone reserves no more
    if (length)
      message.body.reserve(static_cast<std::size_t>(*length < most ? *length : most));
  }

  /// Where every byte of the body goes.
  virtual void take(string_view bytes, error_code& ec) {
    ec = {};
    message.body.append(bytes.data(), bytes.size());
  }

  std::size_t on_body_impl(string_view bytes, error_code& ec) override {
    take(bytes, ec);
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, error_code& ec) override { ec = {}; }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) override {
    take(bytes, ec);
    return bytes.size();
  }

  void on_finish_impl(error_code& ec) override { ec = {}; }

private:
  std::size_t header_limit_;
  std::size_t seen_ = 0;
};

/// `head`: the request was HEAD, so no body follows whatever the header says. With `into` the body
/// of a 2xx goes there, and any other body is cut at error_body_limit.
class response_reader final : public reader<false, http_response> {
public:
  response_reader(std::size_t header_limit, std::size_t body_limit, bool head,
                  std::shared_ptr<file_body> into = nullptr);

  [[nodiscard]] int disk_error() const { return disk_error_; } ///< errno of `into`; 0: none
  [[nodiscard]] bool cut() const { return cut_; } ///< the answer is whole but for its body

private:
  [[nodiscard]] bool to_file() const { return into_ && message.status / 100 == 2; }
  void take(string_view bytes, error_code& ec) override;
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int version, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override;

  std::shared_ptr<file_body> into_;
  std::size_t body_limit_;
  int disk_error_ = 0;
  bool cut_ = false;
};

/// Fills method, path, query, headers and body. After the header `wants_continue`, `version10` and
/// `upgrade` are known.
class request_reader final : public reader<true, server_request> {
public:
  request_reader(std::size_t header_limit, std::size_t body_limit);

  bool version10 = false;
  bool head = false;
  bool wants_continue = false; ///< Expect: 100-continue
  bool upgrade = false;        ///< GET with Upgrade: websocket

private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code& ec) override;
};

} // namespace pb::net
