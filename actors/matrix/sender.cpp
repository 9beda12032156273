#include "actors/matrix/sender.hpp"

namespace pb {

using namespace std::chrono_literals;

matrix_sender_actor::behavior_type
matrix_sender(matrix_sender_actor::stateful_pointer<matrix_sender_state> self, sender_deps deps) {
  return self->state.start(std::move(deps));
}

void matrix_sender_state::open_metrics() {
  auto& numbers = *deps_.around.numbers;
  sent_total_ =
      numbers.counter_of("patchbay_outbox_sent_total", "Outbox rows that the homeserver took");
  dead_total_ =
      numbers.counter_of("patchbay_outbox_dead_total", "Outbox rows that it refused for good");
  dropped_total_ = numbers.counter_of("patchbay_outbox_dropped_total",
                                      "Progress that was overtaken before it left");
  limited_total_ =
      numbers.counter_of("patchbay_rate_limited_total", "Answers that asked us to wait");
  small_dropped_total_ = numbers.counter_of("patchbay_small_sends_dropped_total",
                                            "Typing notices and receipts that were not sent");
  waiting_now_ = numbers.gauge_of("patchbay_outbox_waiting", "Outbox rows in memory");
  rate_now_ =
      numbers.gauge_of("patchbay_send_budget_rate",
                       "Messages a second that the homeserver allows; 0: no limit is known");
  wait_seconds_ =
      numbers.histogram_of("patchbay_outbox_wait_seconds",
                           "From the decision to the homeserver's yes", latency_buckets());
  auto buckets = latency_buckets();
  for (const double more : {120.0, 300.0, 600.0, 1'800.0, 3'600.0})
    buckets.push_back(more);
  const std::array names{"final", "state", "progress"};
  for (std::size_t i = 0; i < names.size(); ++i)
    budget_seconds_[i] = numbers.histogram_of("patchbay_send_budget_wait_seconds",
                                              "From the queue to the homeserver, for each attempt",
                                              buckets, {{"class", names[i]}});
}

matrix_sender_actor::behavior_type matrix_sender_state::start(sender_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, name);
  http_ = std::make_unique<http_calls>(deps_.http, caf::strong_actor_ptr(self_->ctrl()));
  open_metrics();
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
              small_dropped_total_.inc();
            }
            if (!std::exchange(small_armed_, true))
              clock_.after(1000ms, [this] {
                small_armed_ = false;
                flush_small();
              });
          },
          [this](send_progress& m) { take_progress(std::move(m.row)); },
          [this](const drop_progress& m) {
            for (const auto& row : queue_.drop_progress(m.room, m.turn))
              tell_dropped(row);
          },
          [this](const ask_budget& m) { return ask(m); },
          [this](const budget_refused& m) { refused_elsewhere(m); },
          [this](session_renewed& m) {
            deps_.session = std::move(m.session);
            no_token_ = false;
            pump();
          },
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
    credited_.insert(row.seq);
    if (row.seq <= last_seq_) {
      give_back(row); // came with a page already
      continue;
    }
    add(std::move(row), true);
  }
  if (m.more) {
    behind_ = true;
    load();
  }
  pump();
}

void matrix_sender_state::add(outbox_row row, bool untouched) {
  last_seq_ = row.seq;
  std::vector<send_outcome> outcomes;
  for (const auto& old : queue_.push(std::move(row), now(), untouched)) {
    if (is_volatile(old)) {
      tell_dropped(old);
      continue;
    }
    ++dropped_;
    dropped_total_.inc();
    outcomes.push_back({old.id, outbox_state::dropped, {}, "overtaken"});
    if (old.notify && rooms_)
      self_->send(rooms_, row_delivered{old.room, outcomes.back()});
    give_back(old);
  }
  if (!outcomes.empty())
    self_->send(deps_.store, store_record{std::move(outcomes)});
}

void matrix_sender_state::load() {
  if (loading_ || !behind_ || queue_.size() + page > memory_cap)
    return;
  loading_ = true;
  self_->request(deps_.store, 60s, store_outbox{last_seq_, page})
      .then(
          [this](outbox_page& got) {
            loading_ = false;
            for (auto& row : got.rows)
              if (row.seq > last_seq_)
                add(std::move(row), !starting_);
            if (got.rows.size() < page)
              behind_ = starting_ = false;
            load();
            pump();
            rest();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void matrix_sender_state::settle(const outbox_row& row, send_outcome outcome, bool recorded) {
  past_.erase(row.id);
  if (row.notify && rooms_)
    self_->send(rooms_, row_delivered{row.room, outcome});
  if (is_volatile(row))
    --progress_;
  else if (!recorded)
    self_->send(deps_.store, store_record{{std::move(outcome)}});
  queue_.done(row.room);
  give_back(row);
  load();
  pump();
  rest();
}

/// Only for rows that came with the store's credit: else pages would make it grow without end.
void matrix_sender_state::give_back(const outbox_row& row) {
  if (credited_.erase(row.seq) > 0 && ++credit_back_ >= 64)
    self_->send(deps_.store, outbox_credit{std::exchange(credit_back_, 0)});
}

void matrix_sender_state::rest() {
  if (!draining_ || queue_.size() > 0 || behind_)
    return;
  for (auto& promise : drained_)
    promise.deliver(done{});
  drained_.clear();
}

std::string matrix_sender_state::status() const {
  const auto number = [](double x) {
    auto text = std::to_string(x);
    return text.substr(0, text.find('.') + 4);
  };
  return "{\"waiting\":" + std::to_string(queue_.size()) +
         ",\"in_flight\":" + std::to_string(in_flight_) + ",\"sent\":" + std::to_string(sent_) +
         ",\"dead\":" + std::to_string(dead_) + ",\"dropped\":" + std::to_string(dropped_) +
         ",\"retried\":" + std::to_string(retried_) +
         ",\"rate_limited\":" + std::to_string(limited_) +
         ",\"paused\":" + (paused_ ? "true" : "false") +
         ",\"token_in_doubt\":" + (no_token_ ? "true" : "false") +
         ",\"behind\":" + (behind_ ? "true" : "false") +
         ",\"budget\":{\"limited\":" + (budget_.limited() ? "true" : "false") +
         ",\"per_second\":" + number(budget_.rate()) + ",\"burst\":" + number(budget_.burst()) +
         ",\"requests_waiting\":" + std::to_string(queue_.asked()) + "}}";
}

} // namespace pb
