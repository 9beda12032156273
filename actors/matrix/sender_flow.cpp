// What leaves when: the budget, the pauses, and what becomes of an attempt.

#include "actors/crash_point.hpp"
#include "actors/matrix/sender.hpp"
#include "bridges/matrix/api.hpp"

namespace pb {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {
constexpr milliseconds pause_cap = 60s;
constexpr std::size_t sick_rooms_for_an_outage = 3;
constexpr milliseconds longest_message_hint =
    10s; ///< Synapse's default bucket: 5 s; longer hints are those of other buckets
} // namespace

send_queue::time matrix_sender_state::now() const {
  return std::chrono::duration_cast<milliseconds>(self_->clock().now().time_since_epoch());
}

void matrix_sender_state::pump() {
  // After trouble one request goes ahead; the others follow when it came through.
  while (!paused_ && !no_token_ && in_flight_ < (failures_ > 0 ? 1 : in_flight_cap)) {
    const auto at = now();
    const bool hold_progress = budget_.limited() && queue_.finals() > 0;
    const auto next = queue_.peek(hold_progress);
    if (!next)
      break;
    if (const auto wait = budget_.wait_for(at, next->second); wait > 0ms) {
      wake_in(wait);
      break;
    }
    auto item = queue_.pop(hold_progress);
    budget_.spent(at, item->cost);
    budget_seconds_[static_cast<std::size_t>(item->priority)].observe(
        static_cast<double>((at - item->since).count()) / 1000);
    if (item->row && item->row->kind == outbox_kind::file) {
      upload(*item->row);
    } else if (item->row) {
      ++in_flight_;
      send(std::move(*item->row));
    } else if (auto who = asking_.extract(item->request)) {
      who.mapped().deliver(done{});
    }
  }
  waiting_now_.set(static_cast<double>(queue_.size()));
}

void matrix_sender_state::wake_in(send_queue::time wait) {
  const auto at = now() + wait;
  if (wakes_at_ && *wakes_at_ <= at)
    return;
  wakes_at_ = at;
  clock_.after(wait, [this, at] {
    if (wakes_at_ == at)
      wakes_at_.reset();
    pump();
  });
}

void matrix_sender_state::send(outbox_row row) {
  attempt a{std::move(row), now(), deps_.session.access_token};
  if (may_be_there_already(a.row))
    return reconcile(std::move(a), {}, 0);
  put(std::move(a));
}

void matrix_sender_state::put(attempt a) {
  a.left = now();
  a.token = deps_.session.access_token;
  auto request = matrix::ask::send(deps_.session, a.row);
  crash_here(crash_point::before_put);
  http_->send(std::move(request), [this, a = std::move(a)](http_result& r) {
    sent(a, matrix::read::sent_event(r, deps_.around.wall()));
  });
}

void matrix_sender_state::sent(const attempt& a, const matrix::answer<event_id>& got) {
  if (got) {
    crash_here(crash_point::put_answered);
    --in_flight_;
    failures_ = 0;
    sick_.clear();
    ++sent_;
    sent_total_.inc();
    budget_.accepted(a.left, 1);
    budget_changed();
    wait_seconds_.observe(static_cast<double>(deps_.around.wall() - a.row.made_at) / 1000.0);
    return settle(a.row, {a.row.id, outbox_state::sent, *got, {}});
  }
  const auto& f = got.error();
  if (f.final()) {
    --in_flight_;
    return refuse(a.row, f);
  }
  if (f.kind == failure::kind_t::rate_limited) {
    --in_flight_;
    ++retried_;
    ++limited_;
    limited_total_.inc();
    budget_.refused(now(), a.left, f.retry_after);
    budget_changed();
    queue_.retry(a.row.room, now(), true);
    return pump();
  }
  put_off(a, f);
}

void matrix_sender_state::put_off(const attempt& a, const failure& f) {
  --in_flight_;
  ++retried_;
  switch (f.kind) {
  case failure::kind_t::unauthorised:
  case failure::kind_t::soft_logout:
    queue_.retry(a.row.room, now(), true);
    if (a.token == deps_.session.access_token)
      doubt(a.token);
    return pump(); // under the new token, if there is one
  case failure::kind_t::server_error:
    if (sick_.size() < sick_rooms_for_an_outage)
      sick_.insert(a.row.room);
    if (sick_.size() < sick_rooms_for_an_outage) {
      // Perhaps only this room's trouble: it rests alone, the others go on.
      const auto rests = std::max(f.retry_after.value_or(0ms),
                                  backoff(engine_, past_[a.row.id].tries++, 500ms, pause_cap));
      clock_.after(rests, [this, room = a.row.room] {
        queue_.retry(room, now());
        pump();
      });
      return pump();
    }
    break;
  default:
    break;
  }
  if (!paused_)
    deps_.around.log->warning("outbox_retry", a.row.tr, "not sent yet: " + f.cause,
                              {{"room", a.row.room}, {"row", a.row.id}});
  queue_.retry(a.row.room, now());
  hold(f.retry_after);
}

/// The session looks, and says so when the token counts again, or another one does.
void matrix_sender_state::doubt(const std::string& token) {
  if (std::exchange(no_token_, true))
    return;
  if (deps_.keeper)
    self_->send(deps_.keeper, session_doubt{token});
  // Asked again, should the word get lost.
  clock_.after(60s, [this, token] {
    if (no_token_ && token == deps_.session.access_token) {
      no_token_ = false;
      pump();
    }
  });
}

void matrix_sender_state::hold(std::optional<milliseconds> hint) {
  if (std::exchange(paused_, true))
    return; // one outage, however many requests meet it
  const auto wait = backoff(engine_, failures_++, 500ms, pause_cap);
  clock_.after(hint ? std::clamp(*hint, wait, pause_cap) : wait, [this] {
    paused_ = false;
    pump();
    flush_small();
  });
}

void matrix_sender_state::budget_changed() { rate_now_.set(budget_.rate()); }

caf::result<done> matrix_sender_state::ask(const ask_budget& m) {
  if (queue_.asked() >= ask_cap)
    return to_error({fault_code::busy,
                     std::to_string(ask_cap) + " requests wait for the send budget already",
                     {}});
  const auto id = ++last_ask_;
  auto promise = self_->make_response_promise<done>();
  asking_.emplace(id, promise);
  queue_.ask(id, m.cost, m.priority, now());
  pump();
  return promise;
}

/// createRoom, joins and invitations have buckets of their own, too, which are slower: what they
/// ask for teaches nothing about messages, and whoever asked waits by himself.
void matrix_sender_state::refused_elsewhere(const budget_refused& m) {
  ++limited_;
  limited_total_.inc();
  const auto at = now();
  if (!budget_.limited()) {
    if (!m.retry_after || *m.retry_after <= longest_message_hint)
      budget_.refused(at, at, m.retry_after);
  } else {
    const auto interval = milliseconds(static_cast<std::int64_t>(1000 / budget_.rate()));
    if (const auto wait = m.retry_after.value_or(interval); wait <= 2 * interval)
      budget_.hold_until(at, at + wait);
  }
  budget_changed();
  pump();
}

} // namespace pb
