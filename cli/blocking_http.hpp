#pragma once
// HTTP for commands that do one thing and end: asks and waits.

#include "bridges/http.hpp"
#include "bridges/net/io.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace pb::cli {

class blocking_http {
public:
  blocking_http();
  ~blocking_http();
  blocking_http(const blocking_http&) = delete;
  blocking_http& operator=(const blocking_http&) = delete;

  /// Waits for the end of the exchange; the request's own timeout bounds the wait.
  http_result ask(http_request request);
  /// All at once; the results in the order of the requests.
  std::vector<http_result> ask_all(std::vector<http_request> requests);

  io_runtime& io() { return io_; }

private:
  io_runtime io_;
  std::unique_ptr<http_client> client_;
};

/// Sends a request until the homeserver neither limits it (429: waits as long as it says) nor fails
/// (5xx or no answer: up to `tries` times, a little later each time). `on_wait` hears of each
/// pause.
struct patience {
  int tries = 4;
  std::function<void(std::chrono::milliseconds, const std::string& why)> on_wait = {};
};
http_result ask_patiently(blocking_http& http, const http_request& request, const patience& how);

} // namespace pb::cli
