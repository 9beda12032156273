#include "cli/blocking_http.hpp"

#include "bridges/matrix/failure.hpp"

#include <future>
#include <thread>

namespace pb::cli {

using namespace std::chrono_literals;

blocking_http::blocking_http() : client_(make_http_client(io_)) {}

blocking_http::~blocking_http() {
  client_.reset();
  io_.stop(100ms);
}

http_result blocking_http::ask(http_request request) {
  std::promise<http_result> done;
  auto answer = done.get_future();
  client_->send(std::move(request), [&](http_result r) { done.set_value(std::move(r)); });
  return answer.get();
}

std::vector<http_result> blocking_http::ask_all(std::vector<http_request> requests) {
  std::vector<std::promise<http_result>> done(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i)
    client_->send(std::move(requests[i]),
                  [&slot = done[i]](http_result r) { slot.set_value(std::move(r)); });
  std::vector<http_result> all;
  all.reserve(done.size());
  for (auto& slot : done)
    all.push_back(slot.get_future().get());
  return all;
}

http_result ask_patiently(blocking_http& http, const http_request& request, const patience& how) {
  auto delay = 500ms;
  for (int failures = 0;;) {
    auto r = http.ask(request);
    if (r && r->status >= 200 && r->status < 300)
      return r;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto f = r ? matrix::to_failure(*r, now) : matrix::to_failure(r.error());
    using kind = matrix::matrix_failure::kind_t;
    auto wait = f.retry_after.value_or(delay);
    if (f.kind != kind::rate_limited) {
      const bool passing =
          f.kind == kind::unreachable || f.kind == kind::timed_out || f.kind == kind::server_error;
      if (!passing || ++failures >= how.tries)
        return r;
    }
    delay = std::min<std::chrono::milliseconds>(delay * 2, 30'000ms);
    wait = std::max(wait, 100ms);
    if (how.on_wait)
      how.on_wait(wait, f.cause);
    std::this_thread::sleep_for(wait);
  }
}

} // namespace pb::cli
