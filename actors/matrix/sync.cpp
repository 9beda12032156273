#include "actors/matrix/sync.hpp"
#include "actors/crash_point.hpp"

#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

using namespace std::chrono_literals;
using failure = matrix::matrix_failure;

matrix_sync_actor::behavior_type
matrix_sync(matrix_sync_actor::stateful_pointer<matrix_sync_state> self, sync_deps deps) {
  return self->state.start(std::move(deps));
}

matrix_sync_actor::behavior_type matrix_sync_state::start(sync_deps deps) {
  deps_ = std::move(deps);
  engine_ = engine_for(deps_.around, name);
  trace_prefix_ = random_id(engine_).substr(0, 8);
  http_ = std::make_unique<http_calls>(deps_.http, caf::strong_actor_ptr(self_->ctrl()));
  auto& numbers = *deps_.around.numbers;
  events_total_ = numbers.counter_of("patchbay_inbox_events_total", "Events that were admitted");
  poison_total_ = numbers.counter_of("patchbay_poison_events_total",
                                     "Events that could not be understood and were left out");
  gap_closed_total_ = numbers.counter_of("patchbay_gaps_total", "Holes in timelines",
                                         {{"outcome", "closed"}, {"cause", ""}});
  failures_total_ =
      numbers.counter_of("patchbay_sync_failures_total", "Polls that brought nothing");
  last_good_gauge_ = numbers.gauge_of("patchbay_last_good_sync_seconds",
                                      "Time of the last good sync, seconds since 1970");
  self_->set_exit_handler([this](caf::exit_msg& m) {
    http_->cancel_all();
    self_->quit(std::move(m.reason));
  });
  load();
  return {[this](session_renewed& m) {
            deps_.session = std::move(m.session);
            if (auto again = std::exchange(when_renewed_, {}))
              again();
          },
          [this](http_finished& m) { http_->finish(m); }, [this](tick t) { clock_.ring(t); },
          [this](get_status) {
            return status_report{
                name, "{\"polls\":" + std::to_string(polls_) + ",\"events\":" +
                          std::to_string(events_) + ",\"poisoned\":" + std::to_string(poisoned_) +
                          ",\"gaps_closed\":" + std::to_string(gaps_closed_) +
                          ",\"gaps_abandoned\":" + std::to_string(gaps_lost_) + ",\"audits\":" +
                          std::to_string(audits_) + ",\"holes_found\":" + std::to_string(holes_) +
                          ",\"failures_in_a_row\":" + std::to_string(failures_) + "}"};
          }};
}

std::string matrix_sync_state::next_trace() {
  return trace_prefix_ + "-" + std::to_string(++traces_);
}

void matrix_sync_state::load() {
  self_->request(deps_.store, 60s, store_load{})
      .then(
          [this](loaded_state& all) {
            cursor_ = all.cursor;
            make_filter();
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void matrix_sync_state::make_filter() {
  auto inline_filter = matrix::compose_sync_filter(deps_.session.user);
  http_->send(matrix::ask::create_filter(deps_.session, inline_filter),
              [this, inline_filter](http_result& r) {
                const auto got = matrix::read::filter_id(r, deps_.around.wall());
                // A server that keeps no filters takes them in the query.
                filter_ = got ? *got : inline_filter;
                poll();
              });
}

void matrix_sync_state::poll() {
  matrix::sync_query q;
  q.since = cursor_;
  q.filter = cursor_ ? filter_ : matrix::compose_initial_filter();
  // The first poll does not wait, nor does the one after trouble: that we are served again is to be
  // known at once, not at the end of a long poll. An initial sync may come out of the server's
  // cache, which goes by its parameters: a timeout that was never used makes it fresh.
  q.timeout = !cursor_ ? std::chrono::milliseconds(1 + static_cast<std::int64_t>(engine_() % 999))
              : first_poll_ || failures_ > 0 ? 0ms
                                             : deps_.poll;
  ++polls_;
  http_->send(matrix::ask::sync(deps_.session, q),
              [this](http_result& r) { answered(matrix::read::sync(r, deps_.around.wall())); });
}

void matrix_sync_state::answered(const matrix::answer<matrix::sync_response>& got) {
  if (!got)
    return trouble(got.error());
  const auto now = self_->clock().now();
  admission_rules rules;
  rules.bot = deps_.session.user;
  rules.initial = !cursor_;
  rules.backlog = first_poll_ || (last_good_ && now - *last_good_ > 60s + deps_.poll);
  rules.next_trace = [this] { return next_trace(); };
  failures_ = 0;
  last_good_ = now;
  if (got->poisoned.total > 0) {
    poisoned_ += got->poisoned.total;
    poison_total_.add(static_cast<double>(got->poisoned.total));
    for (const auto& bad : got->poisoned.items)
      deps_.around.log->warning("event_poisoned", {},
                                "an event cannot be understood and is left out: " + bad.reason,
                                {{"room", bad.room}, {"event", bad.event}});
  }
  auto work = std::make_shared<filling>();
  work->batch = sort_batch(*got, rules);
  if (!work->batch.keep.events.empty())
    crash_here(crash_point::sync_received);
  work->backlog = rules.backlog;
  for (const auto& bad : got->poisoned.items)
    work->batch.keep.poison.push_back(
        {0, bad.room, bad.event, bad.reason, bad.raw, deps_.around.wall()});
  if (rules.initial && position_lost_)
    return every_room_may_have_a_hole(work);
  if (cursor_)
    find_holes(work);
  release_others(work);
}

void matrix_sync_state::trouble(const failure& f) {
  failures_total_.inc();
  const auto now = self_->clock().now();
  deps_.health->sync_trouble(deps_.around.wall(), "the homeserver does not serve us: " + f.cause);
  if (!told_ || now - *told_ >= 60s) {
    told_ = now;
    deps_.around.log->warning("sync_failed", {}, "no sync, trying on: " + f.cause,
                              {{"failures", failures_ + 1}});
  }
  if (f.kind == failure::kind_t::unauthorised || f.kind == failure::kind_t::soft_logout) {
    ++failures_;
    return doubt([this] { poll(); });
  }
  if (f.final() && cursor_ && f.status == 400) {
    deps_.around.log->error("sync_position_lost", {},
                            "the homeserver does not know our position any more; starting at its "
                            "present end, and walking our rooms back to what is known",
                            {});
    cursor_.reset();
    position_lost_ = true;
  }
  const auto delay =
      f.retry_after ? std::max(*f.retry_after, 100ms) : backoff(engine_, failures_, 500ms, 60s);
  ++failures_;
  clock_.after(delay, [this] { poll(); });
}

void matrix_sync_state::doubt(next_step again) {
  when_renewed_ = std::move(again);
  self_->send(deps_.session_keeper, session_doubt{deps_.session.access_token});
}

void matrix_sync_state::admit(admission keep, next_step then) {
  auto shared = std::make_shared<const admission>(std::move(keep));
  self_->request(deps_.store, in_house, store_admit{shared})
      .then(
          [this, shared, then](const admitted& fresh) {
            if (!fresh.fresh.empty())
              crash_here(crash_point::after_admit_commit);
            store_failures_ = 0;
            for (const auto& room : shared->encrypted)
              self_->send(deps_.rooms, room_changed{room});
            admitted_now(fresh, shared->memberships);
            then();
          },
          [this, shared, then](caf::error& e) {
            const auto f = to_fault(e);
            if (f.code != fault_code::disk_full && f.code != fault_code::storage)
              return self_->quit(std::move(e));
            // Nothing is lost: the cursor stays where it was until there is room on the disk.
            deps_.around.log->error(
                "admission_failed", {},
                "what came cannot be written, so nothing more is taken: " + f.cause, {});
            clock_.after(backoff(engine_, store_failures_++, 1000ms, 30s),
                         [this, shared, then] { admit(*shared, then); });
          });
}

/// The whole response is on disk, and the cursor with it.
void matrix_sync_state::position_fixed(const std::shared_ptr<filling>& work) {
  cursor_ = work->batch.keep.cursor;
  position_lost_ = false;
  const auto wall = deps_.around.wall();
  deps_.health->synced(wall);
  last_good_gauge_.set(static_cast<double>(wall) / 1000.0);
  told_.reset();
  for (const auto& room : work->batch.upgraded)
    self_->send(deps_.topology, room_upgraded{room});
  if (std::exchange(first_poll_, false) && deps_.on_first_sync)
    deps_.on_first_sync();
  poll();
}

void matrix_sync_state::admitted_now(const admitted& fresh,
                                     const std::vector<membership_row>& changed) {
  events_ += fresh.fresh.size();
  events_total_.add(static_cast<double>(fresh.fresh.size()));
  for (const auto& m : changed)
    self_->send(deps_.rooms, room_changed{m.room});
  if (!fresh.invites.empty())
    self_->send(deps_.topology, new_invites{fresh.invites});
  if (!fresh.fresh.empty())
    self_->send(deps_.rooms, room_events{fresh.fresh});
}

} // namespace pb
