#include "bridges/net/client_connection.hpp"
#include "bridges/net/request_head.hpp"

#include <algorithm>

namespace pb::net {

namespace {

http_result failure(http_error error, std::string cause, bool sent = false) {
  return tl::unexpected<http_failure>(http_failure{error, std::move(cause), sent});
}

} // namespace

http_pool::http_pool(core& c, http_client_options o)
    : io(c), options(std::move(o)), tls(make_tls_context(options.tls)), deadline_(c.io),
      sweep_(c.io) {}

void http_pool::start() {
  deadline_.bind(weak_from_this(), [this] { expire(); });
  sweep_.bind(weak_from_this(), [this] { sweep(); });
  io.add(shared_from_this());
}

void http_pool::begin(const exchange_ptr& ex) {
  auto self = shared_from_this();
  ++io.counters.http_requests;
  exchanges_.emplace(ex->ticket, ex);
  if (stopped_ || io.stopping()) {
    finish(ex, failure(http_error::cancelled, "the client is stopping"));
    return;
  }
  const auto& r = ex->request;
  auto found = origins_.find(r.origin);
  if (found == origins_.end()) {
    auto where = parse_address(r.origin, "http");
    if (!where || where->target != "/") {
      finish(ex, failure(http_error::bad_address, "not an origin: " + r.origin.substr(0, 200)));
      return;
    }
    auto pool = std::make_unique<origin_pool>();
    pool->where = std::move(*where);
    found = origins_.emplace(r.origin, std::move(pool)).first;
  }
  if (!sendable({r.method, r.target, found->second->where.authority}, r.headers)) {
    auto& at = *found->second;
    if (at.live.empty() && at.waiting.empty())
      origins_.erase(found);
    finish(ex, failure(http_error::bad_address, "method, target or header cannot be sent"));
    return;
  }
  ex->moved_at = steady::now();
  ex->due = due_of(*ex);
  due_.emplace(ex->due, ex->ticket);
  deadline_.set(due_.begin()->first);
  place(*found->second, ex, false);
}

void http_pool::place(origin_pool& at, const exchange_ptr& ex, bool fresh) {
  if (!fresh && !at.idle.empty()) {
    auto c = std::move(at.idle.back());
    at.idle.pop_back();
    c->run(ex);
  } else if (at.live.size() < options.max_connections_per_origin) {
    connect(at, ex);
  } else if (at.waiting_count < options.max_queued) {
    at.waiting.push_back(ex);
    ++at.waiting_count;
    ex->waiting_at = &at;
  } else {
    ++io.counters.http_busy;
    finish(ex, failure(http_error::busy, "too many requests wait for " + ex->request.origin));
  }
}

void http_pool::connect(origin_pool& at, const exchange_ptr& ex) {
  auto c = std::make_shared<client_connection>(shared_from_this(), at);
  at.live.insert(c);
  c->open(ex);
}

void http_pool::again(origin_pool& at, const exchange_ptr& ex) {
  ++io.counters.http_retries;
  ex->retried = true;
  ex->sent = false;
  connect(at, ex); // one over the cap for a moment: the stale one is closed right after this
}

exchange_ptr http_pool::next(origin_pool& at) {
  while (!at.waiting.empty()) {
    auto ex = std::move(at.waiting.front());
    at.waiting.pop_front();
    if (ex->ended)
      continue;
    --at.waiting_count;
    ex->waiting_at = nullptr;
    ex->moved_at = steady::now();
    return ex;
  }
  return nullptr;
}

void http_pool::released(origin_pool& at, const std::shared_ptr<client_connection>& c) {
  if (auto ex = next(at)) {
    c->run(std::move(ex));
    return;
  }
  c->idle_since = steady::now();
  at.idle.push_back(c);
  if (!sweeping_) {
    sweeping_ = true;
    sweep_.set(c->idle_since + options.idle_timeout);
  }
}

void http_pool::gone(origin_pool& at, const std::shared_ptr<client_connection>& c) {
  at.live.erase(c);
  at.idle.erase(std::remove(at.idle.begin(), at.idle.end(), c), at.idle.end());
  if (stopped_)
    return;
  if (at.live.size() < options.max_connections_per_origin)
    if (auto ex = next(at))
      connect(at, ex);
  if (at.live.empty() && !sweeping_) { // the sweep forgets origins that nobody uses
    sweeping_ = true;
    sweep_.set(steady::now() + options.idle_timeout);
  }
}

void http_pool::cancel(http_ticket ticket) {
  auto found = exchanges_.find(ticket);
  if (found != exchanges_.end())
    end(exchange_ptr(found->second), http_error::cancelled, "cancelled");
}

void http_pool::end(const exchange_ptr& ex, http_error error, std::string cause) {
  const bool sent = ex->sent;
  if (ex->on)
    ex->on->close();
  finish(ex, failure(error, std::move(cause), sent));
}

void http_pool::finish(const exchange_ptr& ex, http_result r) {
  if (ex->ended)
    return;
  ex->ended = true;
  if (ex->waiting_at)
    --ex->waiting_at->waiting_count;
  ex->waiting_at = nullptr;
  due_.erase({ex->due, ex->ticket});
  auto done = std::move(ex->done);
  ex->done = nullptr;
  exchanges_.erase(ex->ticket);
  io.guarded([&] { done(std::move(r)); });
}

/// Bytes that move put an exchange off without touching its place in `due_`: it is looked at at the
/// old time, and then gets a later one.
time_point http_pool::due_of(const exchange& ex) const {
  const auto& r = ex.request;
  if (r.idle_timeout.count() <= 0)
    return ex.deadline;
  const auto since = ex.waiting_at ? steady::now() : ex.moved_at; // a queue is no slow line
  const auto patience = ex.asked ? std::max(r.idle_timeout, r.answer_timeout) : r.idle_timeout;
  return std::min(ex.deadline, since + patience);
}

void http_pool::look_sooner(const exchange_ptr& ex) {
  const auto due = due_of(*ex);
  if (due >= ex->due)
    return;
  due_.erase({ex->due, ex->ticket});
  ex->due = due;
  due_.emplace(due, ex->ticket);
  deadline_.set(due_.begin()->first);
}

void http_pool::expire() {
  auto self = shared_from_this();
  const auto now = steady::now();
  while (!due_.empty() && due_.begin()->first <= now) {
    auto ex = exchanges_.at(due_.begin()->second);
    if (const auto later = due_of(*ex); later > now) {
      due_.erase({ex->due, ex->ticket});
      ex->due = later;
      due_.emplace(ex->due, ex->ticket);
      continue;
    }
    const char* why = ex->waiting_at       ? "no connection was free in time"
                      : now < ex->deadline ? "nothing moved for too long"
                                           : "no answer in time";
    end(ex, http_error::timeout, why);
  }
  if (!due_.empty())
    deadline_.set(due_.begin()->first);
}

void http_pool::sweep() {
  const auto now = steady::now();
  auto next_due = time_point::max();
  for (auto at = origins_.begin(); at != origins_.end();) {
    auto& pool = *at->second;
    while (!pool.idle.empty() && pool.idle.front()->idle_since + options.idle_timeout <= now)
      std::shared_ptr<client_connection>(pool.idle.front())->close();
    if (!pool.idle.empty())
      next_due = std::min(next_due, pool.idle.front()->idle_since + options.idle_timeout);
    at = pool.live.empty() && pool.waiting.empty() ? origins_.erase(at) : std::next(at);
  }
  sweeping_ = next_due != time_point::max();
  if (sweeping_)
    sweep_.set(next_due);
}

void http_pool::cut() {
  auto self = shared_from_this();
  stopped_ = true;
  io.remove(this);
  deadline_.cancel();
  sweep_.cancel();
  for (auto& [origin, pool] : origins_)
    for (const auto& c : std::vector(pool->live.begin(), pool->live.end()))
      c->close();
  auto all = std::move(exchanges_);
  exchanges_.clear();
  for (auto& [ticket, ex] : all)
    finish(ex, failure(http_error::cancelled, "the client is stopping", ex->sent));
}

namespace {

class pooled_client final : public http_client {
public:
  pooled_client(std::shared_ptr<core> c, http_client_options o)
      : core_(std::move(c)), pool_(std::make_shared<http_pool>(*core_, std::move(o))) {
    core_->post([pool = pool_] { pool->start(); });
  }
  pooled_client(const pooled_client&) = delete;
  pooled_client& operator=(const pooled_client&) = delete;
  ~pooled_client() override {
    core_->run_sync([this] { pool_->cut(); });
  }

  http_ticket send(http_request request, http_done done) override {
    auto ex = std::make_shared<exchange>();
    const auto ticket = ++last_;
    ex->ticket = ticket;
    ex->deadline = ex->due = from_now(request.timeout);
    ex->request = std::move(request);
    ex->done = std::move(done);
    core_->post([pool = pool_, ex = std::move(ex)] { pool->begin(ex); });
    return ticket;
  }

  void cancel(http_ticket ticket) override {
    core_->post([pool = pool_, ticket] { pool->cancel(ticket); });
  }

private:
  std::shared_ptr<core> core_; // declared first: sockets must go before the context
  std::shared_ptr<http_pool> pool_;
  std::atomic<http_ticket> last_{0};
};

} // namespace

} // namespace pb::net

namespace pb {

std::unique_ptr<http_client> make_http_client(io_runtime& io, http_client_options options) {
  return std::make_unique<net::pooled_client>(io.core(), std::move(options));
}

} // namespace pb
