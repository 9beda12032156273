#include "bridges/net/reader.hpp"

#include "bridges/net/address.hpp"

#include <boost/beast/core/string.hpp>

namespace pb::net {

using boost::beast::iequals;

response_reader::response_reader(std::size_t header_limit, std::size_t body_limit, bool head,
                                 std::shared_ptr<file_body> into)
    : reader(header_limit, body_limit), into_(std::move(into)), body_limit_(body_limit) {
  skip(head);
  if (into_) // its two limits are told apart by the status, which the parser does not know yet
    this->body_limit(boost::none);
}

void response_reader::on_header_impl(error_code& ec) {
  ec = {};
  const auto length = content_length();
  if (to_file() && length && *length > body_limit_)
    ec = http::error::body_limit;
}

void response_reader::on_body_init_impl(const boost::optional<std::uint64_t>& length,
                                        error_code& ec) {
  ec = {};
  if (!into_)
    reader::on_body_init_impl(length, ec);
}

void response_reader::take(string_view bytes, error_code& ec) {
  ec = {};
  if (to_file()) {
    if (bytes.size() > body_limit_ - into_->size())
      ec = http::error::body_limit;
    else if ((disk_error_ = into_->append({bytes.data(), bytes.size()})) != 0)
      ec = error_code(disk_error_, boost::system::generic_category());
    return;
  }
  if (into_ && bytes.size() > error_body_limit - message.body.size()) {
    message.body.append(bytes.data(), error_body_limit - message.body.size());
    cut_ = true;
    ec = http::error::body_limit;
    return;
  }
  reader::take(bytes, ec);
}

void response_reader::on_response_impl(int code, string_view, int, error_code& ec) {
  ec = {};
  message.status = code;
  if (code < 100 || code == 101) // we never ask for another protocol here
    ec = http::error::bad_status;
}

request_reader::request_reader(std::size_t header_limit, std::size_t body_limit)
    : reader(header_limit, body_limit) {}

void request_reader::on_request_impl(http::verb, string_view method, string_view target,
                                     int version, error_code& ec) {
  ec = {};
  count(method.size() + target.size() + 12, ec);
  version10 = version < 11;
  head = method == "HEAD";
  message.method.assign(method.data(), method.size());
  std::string_view t(target.data(), target.size());
  if (const auto scheme = t.find("://");
      !t.empty() && t.front() != '/' && t.front() != '*' && scheme != std::string_view::npos) {
    // The absolute form, which a server must accept (RFC 9112 section 3.2.2).
    t.remove_prefix(scheme + 3);
    const auto path = t.find('/');
    t = path == std::string_view::npos ? std::string_view("/") : t.substr(path);
  }
  if (t != "*" && !valid_target(t)) {
    ec = http::error::bad_target;
    return;
  }
  const auto mark = t.find('?');
  message.path = t.substr(0, mark);
  if (mark != std::string_view::npos)
    message.query = t.substr(mark + 1);
}

void request_reader::on_header_impl(error_code& ec) {
  ec = {};
  int hosts = 0;
  bool encoded = false;
  for (const auto& h : message.headers) {
    if (iequals(h.name, "Host"))
      ++hosts;
    else if (iequals(h.name, "Expect"))
      wants_continue = !version10 && iequals(h.value, "100-continue");
    else if (iequals(h.name, "Upgrade"))
      upgrade = message.method == "GET" && iequals(h.value, "websocket");
    else if (iequals(h.name, "Transfer-Encoding"))
      encoded = true;
  }
  // RFC 9112 sections 3.2 and 6.1: exactly one Host, and a length that is known.
  if (hosts > 1 || (hosts == 0 && !version10))
    ec = http::error::bad_field;
  else if (encoded && !chunked())
    ec = http::error::bad_transfer_encoding;
}

} // namespace pb::net
