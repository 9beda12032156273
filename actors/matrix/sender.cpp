#include "actors/matrix/sender.hpp"
#include "actors/crash_point.hpp"

#include "bridges/matrix/api.hpp"

namespace pb {

using namespace std::chrono_literals;
using failure = matrix::matrix_failure;

matrix_sender_actor::behavior_type
matrix_sender(matrix_sender_actor::stateful_pointer<matrix_sender_state> self, sender_deps deps) {
  return self->state.start(std::move(deps));
}

matrix_sender_actor::behavior_type matrix_sender_state::start(sender_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, name);
  http_ = std::make_unique<http_calls>(deps_.http, caf::strong_actor_ptr(self_->ctrl()));
  auto& numbers = *deps_.around.numbers;
  sent_total_ =
      numbers.counter_of("patchbay_outbox_sent_total", "Outbox rows that the homeserver took");
  dead_total_ =
      numbers.counter_of("patchbay_outbox_dead_total", "Outbox rows that it refused for good");
  limited_total_ =
      numbers.counter_of("patchbay_rate_limited_total", "Answers that asked us to wait");
  dropped_total_ = numbers.counter_of("patchbay_small_sends_dropped_total",
                                      "Typing notices and receipts that were not sent");
  waiting_now_ = numbers.gauge_of("patchbay_outbox_waiting", "Outbox rows in memory");
  wait_seconds_ =
      numbers.histogram_of("patchbay_outbox_wait_seconds",
                           "From the decision to the homeserver's yes", latency_buckets());
  self_->set_exit_handler([this](caf::exit_msg& m) {
    http_->cancel_all();
    self_->quit(std::move(m.reason));
  });
  self_->send(deps_.store,
              outbox_subscribe{caf::actor_cast<outbox_sink>(caf::strong_actor_ptr(self_->ctrl())),
                               memory_cap / 2});
  return {[this](outbox_ready& m) { take(m); },
          [this](delivery_subscribe& m) { rooms_ = std::move(m.sink); },
          [this](const set_typing& m) {
            if (typing_.size() < small_cap || typing_.contains(m.room))
              typing_[m.room] = m.on;
            flush_small();
          },
          [this](const mark_read& m) {
            if (receipts_.size() < small_cap || receipts_.contains(m.room)) {
              receipts_[m.room] = m.event;
            } else {
              ++small_dropped_;
              dropped_total_.inc();
            }
            if (!std::exchange(small_armed_, true))
              clock_.after(1000ms, [this] {
                small_armed_ = false;
                flush_small();
              });
          },
          [](const ask_budget&) { return done{}; },
          [](const budget_refused&) {},
          [this](session_renewed& m) { deps_.session = std::move(m.session); },
          [this](http_finished& m) { http_->finish(m); },
          [this](tick t) { clock_.ring(t); },
          [this](drain) -> caf::result<done> {
            draining_ = true;
            // What was decided last may be on the disk, and its outbox_ready still on the way.
            behind_ = true;
            drained_.push_back(self_->make_response_promise<done>());
            auto promise = drained_.back();
            load();
            return promise;
          },
          [this](get_status) {
            return status_report{name, status()};
          }};
}

void matrix_sender_state::take(outbox_ready& m) {
  for (auto& row : m.rows) {
    if (row.seq <= last_seq_)
      continue; // came with a page already
    last_seq_ = row.seq;
    queue_.push(std::move(row));
  }
  if (m.more) {
    behind_ = true;
    load();
  }
  pump();
}

void matrix_sender_state::load() {
  if (loading_ || !behind_ || queue_.size() + page > memory_cap)
    return;
  loading_ = true;
  self_->request(deps_.store, 60s, store_outbox{last_seq_, page})
      .then(
          [this](outbox_page& got) {
            loading_ = false;
            if (got.rows.size() < page)
              behind_ = false;
            for (auto& row : got.rows) {
              if (row.seq <= last_seq_)
                continue;
              last_seq_ = row.seq;
              queue_.push(std::move(row));
            }
            load();
            pump();
            rest();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void matrix_sender_state::pump() {
  while (!paused_ && in_flight_ < in_flight_cap) {
    auto row = queue_.pop();
    if (!row)
      break;
    ++in_flight_;
    send(std::move(*row));
  }
  waiting_now_.set(static_cast<double>(queue_.size()));
}

void matrix_sender_state::send(outbox_row row) {
  // Transaction ids count for one device: under another one the server would say it twice.
  if (row.kind == outbox_kind::message && row.device != deps_.session.scope())
    return reconcile(row, {}, 0);
  auto request = matrix::ask::send(deps_.session, row);
  crash_here(crash_point::before_put);
  http_->send(std::move(request), [this, row = std::move(row)](http_result& r) {
    sent(row, matrix::read::sent_event(r, deps_.around.wall()));
  });
}

void matrix_sender_state::sent(const outbox_row& row, const matrix::answer<event_id>& got) {
  --in_flight_;
  if (got) {
    crash_here(crash_point::put_answered);
    failures_ = 0;
    ++sent_;
    sent_total_.inc();
    wait_seconds_.observe(static_cast<double>(deps_.around.wall() - row.made_at) / 1000.0);
    return settle(row, {row.id, outbox_state::sent, *got, {}});
  }
  const auto& f = got.error();
  if (f.final()) {
    ++dead_;
    dead_total_.inc();
    deps_.around.log->error("outbox_dead", row.tr,
                            "the homeserver refuses this for good: " + f.cause,
                            {{"room", row.room}, {"row", row.id}, {"type", row.type}});
    return settle(row, {row.id, outbox_state::dead, {}, f.cause});
  }
  ++retried_;
  if (f.kind == failure::kind_t::rate_limited) {
    ++limited_;
    limited_total_.inc();
    queue_.retry(row.room);
    return pause(f.retry_after.value_or(backoff(engine_, failures_++, 1000ms, 60s)));
  }
  if (f.kind == failure::kind_t::server_error) {
    // Perhaps only this room's trouble: it rests alone, the others go on.
    const auto tries = tries_[row.id]++;
    clock_.after(backoff(engine_, tries, 500ms, 60s), [this, room = row.room] {
      queue_.retry(room);
      pump();
    });
    return pump();
  }
  deps_.around.log->warning("outbox_retry", row.tr, "not sent yet: " + f.cause,
                            {{"room", row.room}, {"row", row.id}});
  queue_.retry(row.room);
  pause(f.kind == failure::kind_t::unauthorised || f.kind == failure::kind_t::soft_logout
            ? 60s
            : backoff(engine_, failures_++, 500ms, 60s));
}

void matrix_sender_state::settle(const outbox_row& row, send_outcome outcome) {
  tries_.erase(row.id);
  if (row.notify && rooms_)
    self_->send(rooms_, row_delivered{row.room, outcome});
  self_->send(deps_.store, store_record{{std::move(outcome)}});
  queue_.done(row.room);
  if (++credit_back_ >= 64)
    self_->send(deps_.store, outbox_credit{std::exchange(credit_back_, 0)});
  load();
  pump();
  rest();
}

void matrix_sender_state::pause(std::chrono::milliseconds delay) {
  if (std::exchange(paused_, true))
    return;
  clock_.after(std::max(delay, 50ms), [this] {
    paused_ = false;
    pump();
  });
}

void matrix_sender_state::rest() {
  if (!draining_ || queue_.size() > 0 || behind_)
    return;
  for (auto& promise : drained_)
    promise.deliver(done{});
  drained_.clear();
}

std::string matrix_sender_state::status() const {
  return "{\"waiting\":" + std::to_string(queue_.size()) +
         ",\"in_flight\":" + std::to_string(in_flight_) + ",\"sent\":" + std::to_string(sent_) +
         ",\"dead\":" + std::to_string(dead_) + ",\"retried\":" + std::to_string(retried_) +
         ",\"rate_limited\":" + std::to_string(limited_) +
         ",\"paused\":" + (paused_ ? "true" : "false") +
         ",\"behind\":" + (behind_ ? "true" : "false") + "}";
}

} // namespace pb
