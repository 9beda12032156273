#include "actors/matrix/media.hpp"

namespace pb {

using namespace std::chrono_literals;

matrix_media_actor::behavior_type
matrix_media(matrix_media_actor::stateful_pointer<matrix_media_state> self, media_deps deps) {
  return self->state.start(std::move(deps));
}

matrix_media_actor::behavior_type matrix_media_state::start(media_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, name);
  http_ = std::make_unique<http_calls>(deps_.http, caf::strong_actor_ptr(self_->ctrl()));
  auto& numbers = *deps_.around.numbers;
  busy_total_ = numbers.counter_of("patchbay_media_busy_total",
                                   "Requests for files and events that found the queue full");
  in_bytes_ = numbers.counter_of("patchbay_file_bytes_total", "Bytes of files that went through",
                                 {{"direction", "in"}});
  out_bytes_ = numbers.counter_of("patchbay_file_bytes_total", "Bytes of files that went through",
                                  {{"direction", "out"}});
  waiting_now_ = numbers.gauge_of("patchbay_media_waiting", "Files and events that wait");
  self_->set_exit_handler([this](caf::exit_msg& m) {
    http_->cancel_all();
    self_->quit(std::move(m.reason));
  });
  return {[this](fetch_event& m) {
            return take<fetched_event>(
                events_, "fetch_event", {},
                [this, m = std::move(m)](const task_ptr<fetched_event>& j) { find(j, m); });
          },
          [this](fetch_file& m) {
            auto tr = m.tr;
            return take<staged_file>(
                transfers_, "fetch_file", std::move(tr),
                [this, m = std::move(m)](const task_ptr<staged_file>& j) { fetch(j, m); });
          },
          [this](upload_file& m) {
            auto tr = m.row.tr;
            return take<uploaded_file>(
                transfers_, "upload_file", std::move(tr),
                [this, row = std::move(m.row)](const task_ptr<uploaded_file>& j) { send(j, row); });
          },
          [this](session_renewed& m) { deps_.session = std::move(m.session); },
          [this](http_finished& m) { http_->finish(m); },
          [this](tick t) { clock_.ring(t); },
          [this](get_status) {
            return status_report{name, status()};
          }};
}

template <class T>
caf::result<T> matrix_media_state::take(lane& on, const char* what, trace tr,
                                        std::function<void(const task_ptr<T>&)> begin) {
  if (on.waiting.size() >= lane_cap) {
    ++busy_;
    busy_total_.inc();
    return to_error(
        {fault_code::busy, std::to_string(lane_cap) + " " + on.name + " wait already", {}});
  }
  auto j = std::make_shared<task<T>>();
  j->on = &on;
  j->what = what;
  j->tr = std::move(tr);
  j->promise = self_->template make_response_promise<T>();
  // Weak: the function is a part of what it speaks of.
  j->refuse = [weak = std::weak_ptr<task<T>>(j)](const fault& f) {
    if (const auto me = weak.lock())
      me->promise.deliver(to_error(f));
  };
  auto promise = j->promise;
  on.waiting.push_back([j, begin = std::move(begin)] { begin(j); });
  pump(on);
  return promise;
}

void matrix_media_state::pump(lane& on) {
  while (on.running < on.at_once && !on.waiting.empty()) {
    auto next = std::move(on.waiting.front());
    on.waiting.pop_front();
    ++on.running;
    next();
  }
  waiting_now_.set(static_cast<double>(transfers_.waiting.size() + events_.waiting.size()));
}

void matrix_media_state::over(const job& j) {
  --j.on->running;
  pump(*j.on);
}

void matrix_media_state::fail(const job_ptr& j, const fault& f) {
  ++failed_;
  deps_.around.log->warning("media_failed", j->tr, f.cause,
                            {{"what", j->what}, {"final", is_final(f.code)}});
  j->refuse(f);
  over(*j);
}

template <class T>
void matrix_media_state::answer(const task_ptr<T>& j, T value) {
  ++done_;
  j->promise.deliver(std::move(value));
  over(*j);
}

template void matrix_media_state::answer(const task_ptr<staged_file>& j, staged_file value);
template void matrix_media_state::answer(const task_ptr<uploaded_file>& j, uploaded_file value);

void matrix_media_state::call(const job_ptr& j, std::function<http_request()> make,
                              http_calls::then next) {
  auto request = make();
  http_->send(std::move(request), [this, j, make = std::move(make),
                                   next = std::move(next)](http_result& r) {
    if (r && r->status == 429) {
      const auto hint = matrix::to_failure(*r, wall()).retry_after;
      const auto wait = std::max(hint.value_or(backoff(engine_, 0, 2'000ms, 2'000ms)), 100ms);
      if (j->waited + wait <= rate_patience) {
        j->waited += wait;
        clock_.after(wait, [this, j, make, next] { call(j, make, next); });
        return;
      }
    }
    next(r);
  });
}

void matrix_media_state::find(const task_ptr<fetched_event>& j, const fetch_event& m) {
  call(
      j, [this, m] { return matrix::ask::get_event(deps_.session, m.room, m.event); },
      [this, j, room = m.room](http_result& r) {
        auto got = matrix::read::event(r, room, wall());
        if (!got)
          return fail(j, got.error().to_fault());
        answer(j, fetched_event{std::move(*got)});
      });
}

std::string matrix_media_state::status() const {
  const auto number = [](const char* key, std::uint64_t value) {
    return "\"" + std::string(key) + "\":" + std::to_string(value);
  };
  return "{" + number("transfers", transfers_.running) + "," +
         number("transfers_waiting", transfers_.waiting.size()) + "," +
         number("events", events_.running) + "," +
         number("events_waiting", events_.waiting.size()) + "," + number("done", done_) + "," +
         number("failed", failed_) + "," + number("refused_busy", busy_) + "," +
         number("upload_limit", upload_limit_.value_or(0)) + "}";
}

} // namespace pb
