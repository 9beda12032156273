#pragma once
// Port: HTTP as a client. Actors and bridges see this; only bridges/net sees Asio.

#include "bridges/file_body.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace pb {

struct http_header {
  std::string name, value;
};
using http_headers = std::vector<http_header>;

/// Value of the first header of that name (case does not matter), or nullptr.
const std::string* find_header(const http_headers& headers, std::string_view name);

struct http_request {
  std::string method = "GET";
  std::string origin; ///< scheme://host[:port], scheme http or https, IPv6 in brackets
  std::string target; ///< path and query, percent-encoded, begins with "/"
  http_headers headers;
  std::string body;
  std::chrono::milliseconds timeout{30'000};          ///< for the whole exchange
  std::size_t response_limit = std::size_t{64} << 20; ///< bytes of body; more is too_large

  std::shared_ptr<file_body> from; ///< in the place of `body`
  /// Takes the body of a 2xx in the place of the answer's `body`. Any other answer's body stays in
  /// memory, cut to error_body_limit. After a failure it may hold a part.
  std::shared_ptr<file_body> into;
  /// For what takes long as a whole: the longest time without a byte either way while a body is on
  /// its way; 0: only `timeout` counts.
  std::chrono::milliseconds idle_timeout{0};
  /// In the place of idle_timeout from the request's last byte to the answer's first.
  std::chrono::milliseconds answer_timeout{0};
};

constexpr std::size_t error_body_limit = std::size_t{64} << 10;

struct http_response {
  int status = 200;
  http_headers headers;
  std::string body;
};

enum class http_error {
  bad_address, ///< the origin cannot be used
  resolve,     ///< no such host
  connect,     ///< refused or unreachable
  tls,         ///< certificate or handshake
  timeout,     ///< the deadline passed
  closed,      ///< the connection ended in the middle
  too_large,   ///< the body passed response_limit
  malformed,   ///< not HTTP
  busy,        ///< our own queue of requests is full
  cancelled,   ///< by us
  disk,        ///< a file in the place of a body cannot be read or written
  disk_full,   ///< no room for the answer's body
};

struct http_failure {
  http_error error = http_error::closed;
  std::string cause;
  bool sent = false; ///< true: the server may have acted on the request
};

using http_result = tl::expected<http_response, http_failure>;
using http_done = std::function<void(http_result)>;
using http_ticket = std::uint64_t;

/// Keeps connections open between requests and bounds how many. Thread-safe; returns at once.
class http_client {
public:
  virtual ~http_client() = default;
  /// `done` is called exactly once, from the I/O thread, never from inside send().
  virtual http_ticket send(http_request request, http_done done) = 0;
  /// The request ends with http_error::cancelled unless it has ended already.
  virtual void cancel(http_ticket ticket) = 0;
};

std::string_view to_string(http_error e);

} // namespace pb
