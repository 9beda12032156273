#include "cli/reconcile_route.hpp"

#include <mutex>

namespace pb::cli {
namespace {

using namespace std::chrono_literals;

/// Shorter than the admin API's own patience.
constexpr auto answer_within = 3s;

/// The one reconciliation that may run, and the report of the last.
class board {
public:
  /// False: one runs.
  bool begin(api_done answer) {
    std::lock_guard lock{m_};
    if (running_)
      return false;
    running_ = true;
    waits_ = std::move(answer);
    return true;
  }
  void end(bool good, std::string json) {
    std::unique_lock lock{m_};
    running_ = false;
    if (good)
      report_ = json;
    auto answer = std::exchange(waits_, {});
    lock.unlock();
    if (answer)
      answer(good ? 200 : 503, std::move(json));
  }
  void late() {
    std::unique_lock lock{m_};
    auto answer = std::exchange(waits_, {});
    lock.unlock();
    if (answer)
      answer(202, R"({"running":true,"report":null})");
  }
  std::string show() {
    std::lock_guard lock{m_};
    return std::string{"{\"running\":"} + (running_ ? "true" : "false") +
           ",\"report\":" + (report_.empty() ? "null" : report_) + "}";
  }

private:
  std::mutex m_;
  bool running_ = false;
  api_done waits_;
  std::string report_;
};

} // namespace

api_route reconcile_route(const supervisor_actor& boss, timers* clock) {
  auto state = std::make_shared<board>();
  auto run = [state, clock, weak = caf::actor_cast<caf::weak_actor_ptr>(boss)](api_request r,
                                                                               api_done answer) {
    if (r.method == "GET")
      return answer(200, state->show());
    const auto dry = r.query.find("dry_run");
    if (dry != r.query.end() && dry->second != "true" && dry->second != "false")
      return answer(400, api_error("bad_request", "dry_run is neither true nor false",
                                   "write ?dry_run=true or leave it out"));
    auto strong = weak.lock();
    if (!strong)
      return answer(503, api_error("stopping", "the router is stopping", "try again when it runs"));
    if (!state->begin(answer))
      return answer(409, api_error("busy", "a reconciliation is running",
                                   "GET /api/v1/reconcile shows when it has ended"));
    clock->after(answer_within, [state] { state->late(); });
    reconcile_now ask;
    ask.dry_run = dry != r.query.end() && dry->second == "true";
    ask.answer = std::make_shared<std::function<void(bool, std::string)>>(
        [state](bool good, std::string json) { state->end(good, std::move(json)); });
    caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(ask));
  };
  return {{"GET", "POST"}, std::move(run), false};
}

} // namespace pb::cli
