// The links of fake_dialer: two ends, a queue to each, and an engine that says how long a frame
// takes.

#include "tests/support/scripted_agent.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace pb::scripted {

struct fake_dialer::luck {
  std::mt19937_64 engine;
  std::chrono::milliseconds most{0};
  std::chrono::milliseconds next() {
    if (most.count() <= 0)
      return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(most.count() + 1)));
  }
};

class fake_dialer::wire final : public std::enable_shared_from_this<wire> {
public:
  enum side { router = 0, peer = 1 };

  wire(timers& clock, std::shared_ptr<luck> chance, std::shared_ptr<std::size_t> most_unread,
       link_request request, std::shared_ptr<link_listener> events)
      : clock_(clock), luck_(std::move(chance)), most_unread_(std::move(most_unread)),
        request_(std::move(request)) {
    ends_[router].events = std::move(events);
    ends_[router].unread_limit = request_.unread_limit;
    ends_[router].frame_limit = request_.frame_limit;
  }

  /// The handshake is done.
  void opened(std::shared_ptr<link_listener> events) {
    if (ended_)
      return;
    ends_[peer].events = std::move(events);
    open_ = true;
    ends_[router].events->on_open();
    if (ends_[peer].events)
      ends_[peer].events->on_open();
    pump(router);
    pump(peer);
  }

  bool send(side from, std::string text) {
    auto& to = ends_[other(from)];
    if (ended_ || to.inbound.size() >= request_.send_queue)
      return false;
    to.inbound.push_back(std::move(text));
    pump(other(from));
    return true;
  }

  void consumed(side by, std::size_t bytes) {
    auto& end = ends_[by];
    end.unread -= std::min(bytes, end.unread);
    pump(by);
  }

  /// The end that closes hears nothing more; the other one gets what was on its way, then the end.
  void close(side by, int code) {
    finish(by, {link_closed::how::closed, code, "closed by us"},
           {link_closed::how::closed, code, "closed by the peer"});
  }

  void cut() { end({link_closed::how::broken, 0, "cut"}); }

  /// What was on its way to the router still arrives.
  void end(const link_closed& why) { finish(peer, why, why); }

  void fail(link_closed why) { finish(router, why, why); }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const link_request& request() const { return request_; }

  void forget() {
    ended_ = true;
    for (auto& end : ends_) {
      const auto kept = std::exchange(end.events, nullptr);
      end.inbound.clear();
    }
  }

private:
  struct end_state {
    std::shared_ptr<link_listener> events;
    std::deque<std::string> inbound;
    std::size_t unread = 0;
    std::size_t unread_limit = std::size_t{16} << 20;
    std::size_t frame_limit = std::size_t{8} << 20;
    bool pumping = false;
    std::optional<link_closed> last; ///< to be told when inbound is empty
  };

  static side other(side s) { return s == router ? peer : router; }

  void finish(side by, link_closed own, link_closed others) {
    if (ended_)
      return;
    ended_ = true;
    ends_[by].inbound.clear();
    ends_[by].last = std::move(own);
    ends_[other(by)].last = std::move(others);
    pump(router);
    pump(peer);
  }

  void pump(side to) {
    auto& end = ends_[to];
    if (end.pumping || !end.events || (!open_ && !ended_) || (end.inbound.empty() && !end.last))
      return;
    end.pumping = true;
    clock_.after(luck_->next(), [self = shared_from_this(), to] { self->deliver(to); });
  }

  void deliver(side to) {
    auto& end = ends_[to];
    end.pumping = false;
    if (!end.events)
      return;
    if (end.inbound.empty()) {
      if (end.last)
        std::exchange(end.events, nullptr)->on_closed(*end.last);
      return;
    }
    if (end.unread > end.unread_limit)
      return;
    auto text = std::move(end.inbound.front());
    end.inbound.pop_front();
    if (text.size() > end.frame_limit) {
      finish(to, {link_closed::how::protocol, 1009, "frame too large"},
             {link_closed::how::closed, 1009, "frame too large"});
      return;
    }
    end.unread += text.size();
    if (to == router)
      *most_unread_ = std::max(*most_unread_, end.unread);
    const auto events = end.events; // on_text may end everything
    events->on_text(std::move(text));
    pump(to);
  }

  timers& clock_;
  std::shared_ptr<luck> luck_;
  std::shared_ptr<std::size_t> most_unread_;
  link_request request_;
  end_state ends_[2];
  bool open_ = false;
  bool ended_ = false;
};

class fake_dialer::wire_end final : public link {
public:
  wire_end(std::shared_ptr<wire> line, wire::side which) : line_(std::move(line)), which_(which) {}
  bool send(std::string text) override { return line_->send(which_, std::move(text)); }
  void consumed(std::size_t bytes) override { line_->consumed(which_, bytes); }
  void close(int code) override { line_->close(which_, code); }

private:
  std::shared_ptr<wire> line_;
  wire::side which_;
};

/// The server reads the request and refuses it.
class fake_dialer::refusal final : public link_listener {
public:
  refusal(std::weak_ptr<wire> line, int status) : line_(std::move(line)), status_(status) {}
  void on_open() override {}
  void on_text(std::string) override {
    if (const auto line = line_.lock())
      line->end({link_closed::how::rejected, status_, "request rejected"});
  }
  void on_closed(link_closed) override {}

private:
  std::weak_ptr<wire> line_;
  int status_;
};

fake_dialer::fake_dialer(timers& clock, agent& peer, std::uint64_t seed,
                         std::chrono::milliseconds most)
    : clock_(clock), accept_([&peer](const far_end& far) {
        return peer.accept(far.request.url, far.wire, [end = far.end] {
          end({link_closed::how::broken, 0, "cut"});
        });
      }),
      luck_(std::make_shared<luck>()) {
  luck_->engine.seed(seed);
  luck_->most = most;
  plan(dial_plan{});
}

fake_dialer::~fake_dialer() {
  for (const auto& weak : wires_)
    if (const auto line = weak.lock())
      line->forget();
}

std::shared_ptr<link> fake_dialer::dial(link_request request,
                                        std::shared_ptr<link_listener> events) {
  dialled_.push_back(request);
  const auto what = plan_(request);
  const auto timeout = request.connect_timeout;
  auto line =
      std::make_shared<wire>(clock_, luck_, most_unread_, std::move(request), std::move(events));
  if (wires_.size() % 64 == 63)
    wires_.erase(std::remove_if(wires_.begin(), wires_.end(),
                                [](const auto& weak) { return weak.expired(); }),
                 wires_.end());
  wires_.push_back(line);
  const bool hangs = what.outcome == dial_plan::how::never_open;
  clock_.after(hangs ? timeout : what.delay + luck_->next(), [line, what, &accept = accept_] {
    if (line->ended())
      return;
    switch (what.outcome) {
    case dial_plan::how::open: {
      far_end far{line->request(), std::make_shared<wire_end>(line, wire::peer), {}};
      far.end = [weak = std::weak_ptr<wire>(line)](const link_closed& why) {
        if (const auto whole = weak.lock())
          whole->end(why);
      };
      line->opened(accept(std::move(far)));
      break;
    }
    case dial_plan::how::refuse:
      line->fail({link_closed::how::refused, 0, "connection refused"});
      break;
    case dial_plan::how::reject:
      if (line->request().by == carrier::http)
        line->opened(std::make_shared<refusal>(line, what.status));
      else
        line->fail({link_closed::how::rejected, what.status, "upgrade rejected"});
      break;
    case dial_plan::how::shut:
      line->opened(nullptr);
      line->end({link_closed::how::broken, 0, "reset by peer"});
      break;
    case dial_plan::how::never_open:
      line->fail({link_closed::how::timed_out, 0, "no handshake in time"});
      break;
    }
  });
  return std::make_shared<wire_end>(line, wire::router);
}

std::size_t fake_dialer::open() const {
  std::size_t count = 0;
  for (const auto& weak : wires_)
    if (const auto line = weak.lock(); line && !line->ended())
      ++count;
  return count;
}

void fake_dialer::break_all() {
  for (const auto& weak : wires_)
    if (const auto line = weak.lock())
      line->cut();
}

} // namespace pb::scripted
