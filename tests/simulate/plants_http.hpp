#pragma once
// The planted faults on the wires.

#include "bridges/link.hpp"
#include "tests/support/virtual_timers.hpp"

#include <map>
#include <memory>
#include <set>

namespace pb::simulate {

class http_wrapper : public http_client {
public:
  http_wrapper(std::shared_ptr<http_client> real, virtual_timers& clock)
      : real_(std::move(real)), clock_(clock) {}
  http_ticket send(http_request r, http_done done) override {
    return real_->send(std::move(r), std::move(done));
  }
  void cancel(http_ticket ticket) override { real_->cancel(ticket); }

protected:
  static bool is_message(const http_request& r) {
    return r.method == "PUT" && r.target.find("/send/m.room.message/") != std::string::npos;
  }
  std::shared_ptr<http_client> real_;
  virtual_timers& clock_;
};

class bytes_changed_on_retry final : public http_wrapper {
public:
  using http_wrapper::http_wrapper;
  http_ticket send(http_request r, http_done done) override {
    if (is_message(r) && !seen_.insert(r.target).second)
      r.body.insert(r.body.size() - 1, ",\"again\":true");
    return real_->send(std::move(r), std::move(done));
  }

private:
  std::set<std::string> seen_;
};

class txn_changed_on_retry final : public http_wrapper {
public:
  using http_wrapper::http_wrapper;
  http_ticket send(http_request r, http_done done) override {
    if (is_message(r))
      if (const auto times = seen_[r.target]++; times > 0)
        r.target += "-" + std::to_string(times);
    return real_->send(std::move(r), std::move(done));
  }

private:
  std::map<std::string, int> seen_;
};

class gap_ignored final : public http_wrapper {
public:
  using http_wrapper::http_wrapper;
  http_ticket send(http_request r, http_done done) override {
    if (r.target.find("/sync?") == std::string::npos)
      return real_->send(std::move(r), std::move(done));
    return real_->send(std::move(r), [done = std::move(done)](http_result got) {
      if (got)
        for (auto i = got->body.find("\"limited\":true"); i != std::string::npos;
             i = got->body.find("\"limited\":true"))
          got->body.replace(i, 14, "\"limited\":false");
      done(std::move(got));
    });
  }
};

/// Asks again at once, a few times.
class pause_ignored final : public http_wrapper {
public:
  using http_wrapper::http_wrapper;
  http_ticket send(http_request r, http_done done) override {
    return is_message(r) ? attempt(std::move(r), std::move(done), 3)
                         : real_->send(std::move(r), std::move(done));
  }

private:
  http_ticket attempt(http_request r, http_done done, int left) {
    auto again = r;
    auto real = real_;
    return real_->send(std::move(r), [real, again, left, done = std::move(done)](http_result got) {
      if (got && got->status == 429 && left > 0)
        real->send(again, done);
      else
        done(std::move(got));
    });
  }
};

/// Whatever a server error says, the message counts as sent.
class answer_believed final : public http_wrapper {
public:
  using http_wrapper::http_wrapper;
  http_ticket send(http_request r, http_done done) override {
    if (!is_message(r))
      return real_->send(std::move(r), std::move(done));
    return real_->send(std::move(r), [done = std::move(done)](http_result got) {
      if (got && got->status >= 500)
        got = http_response{200, {}, R"({"event_id":"$believed"})"};
      done(std::move(got));
    });
  }
};

inline std::shared_ptr<dialer> twice_dialer(std::shared_ptr<dialer> real) {
  class twice final : public link {
  public:
    explicit twice(std::shared_ptr<link> to) : to_(std::move(to)) {}
    bool send(std::string text) override { return to_->send(text) && to_->send(text); }
    void consumed(std::size_t bytes) override { to_->consumed(bytes); }
    void close(int code) override { to_->close(code); }

  private:
    std::shared_ptr<link> to_;
  };
  class doubling final : public dialer {
  public:
    explicit doubling(std::shared_ptr<dialer> to) : to_(std::move(to)) {}
    std::shared_ptr<link> dial(link_request request,
                               std::shared_ptr<link_listener> events) override {
      return std::make_shared<twice>(to_->dial(std::move(request), std::move(events)));
    }

  private:
    std::shared_ptr<dialer> to_;
  };
  return std::make_shared<doubling>(std::move(real));
}

} // namespace pb::simulate
