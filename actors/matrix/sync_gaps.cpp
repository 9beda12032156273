// Where messages are missing, the room is walked back, page by page, until an event that is known.
// What cannot be found is named, with its cause, in metric, log and room.

#include "actors/matrix/sync.hpp"
#include "actors/phrases.hpp"
#include "actors/rows.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

#include <algorithm>
#include <set>

namespace pb {

using namespace std::chrono_literals;
using failure = matrix::matrix_failure;

namespace {
constexpr int audit_page = 20; ///< events of one look for a hole that nobody reported
constexpr const char* by_limit = "limit";
constexpr const char* by_fetch = "fetch_failed";
constexpr const char* by_baseline = "baseline_lost";
} // namespace

/// A server may say that nothing is missing and be wrong: after an absence, and now and then, the
/// event before a room's timeline is looked at. It must be known.
void matrix_sync_state::find_holes(const std::shared_ptr<filling>& work) {
  const auto now = self_->clock().now();
  if (audited_.size() > audit_cap)
    audited_.clear();
  for (auto& room : work->batch.continued) {
    const auto [last, fresh] = audited_.try_emplace(room.room, now);
    if (!work->backlog && (fresh || now - last->second < deps_.audit_every))
      continue;
    last->second = now;
    work->batch.gaps.push_back(std::move(room));
  }
  work->batch.continued.clear();
}

void matrix_sync_state::every_room_may_have_a_hole(const std::shared_ptr<filling>& work) {
  work->backlog = true;
  self_->request(deps_.store, 60s, store_rooms{})
      .then(
          [this, work](const room_list& known) {
            for (const auto& row : known.rooms)
              if (row.kind == room_kind::chat && row.state != room_state::left)
                work->batch.gaps.push_back({row.id, {}, false, false});
            release_others(work);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// Rooms without a hole do not wait for those with one: their events are on disk at once, the
/// cursor follows when everything is.
void matrix_sync_state::release_others(const std::shared_ptr<filling>& work) {
  auto& keep = work->batch.keep;
  if (work->batch.gaps.empty())
    return admit(keep, [this, work] { position_fixed(work); });
  std::set<room_id> holed;
  for (const auto& gap : work->batch.gaps)
    holed.insert(gap.room);
  // A look at a room of which nobody says that it has a hole costs one request: first of all.
  auto& gaps = work->batch.gaps;
  std::stable_partition(gaps.begin(), gaps.end(), [](const auto& gap) { return gap.suspected; });
  admission now = keep;
  now.cursor.clear();
  const auto is_holed = [&](const inbox_row& r) { return holed.contains(r.event.room); };
  std::erase_if(now.events, is_holed);
  std::erase_if(keep.events, [&](const inbox_row& r) { return !is_holed(r); });
  keep.invites.clear();
  keep.memberships.clear();
  keep.encrypted.clear();
  keep.poison.clear();
  admit(std::move(now), [this, work] { fill_gaps(work); });
}

void matrix_sync_state::fill_gaps(const std::shared_ptr<filling>& work) {
  if (work->gap >= work->batch.gaps.size())
    return admit(work->batch.keep, [this, work] { position_fixed(work); });
  const auto& gap = work->batch.gaps[work->gap];
  // Nobody is answered in a Space. A room that we have no record of (yet) may be about to get one.
  self_->request(deps_.store, 60s, store_find_room{gap.room})
      .then(
          [this, work](const found_room& known) {
            const auto& here = work->batch.gaps[work->gap];
            if (known.room && known.room->kind == room_kind::space)
              return next_gap(work);
            self_->request(deps_.store, 60s, store_known{here.room, {}})
                .then(
                    [this, work](const known_answer& before) { begin_walk(work, before.baseline); },
                    [this](caf::error& e) { self_->quit(std::move(e)); });
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

/// `baseline`: an event of the room is known, so the walk has to meet one. Without it (the database
/// was lost) all that lies before our position is history.
void matrix_sync_state::begin_walk(const std::shared_ptr<filling>& work, bool baseline) {
  const auto& gap = work->batch.gaps[work->gap];
  if (!baseline && !gap.newly_joined && (gap.suspected || gap.from.empty()))
    return next_gap(work);
  work->walk.emplace(gap, deps_.session.user, baseline);
  work->page = 0;
  work->tries = 0;
  work->from = gap.from;
  audits_ += gap.suspected ? 1 : 0;
  fetch_gap(work);
}

void matrix_sync_state::fetch_gap(const std::shared_ptr<filling>& work) {
  const auto& gap = work->walk->gap();
  matrix::messages_query q;
  q.room = gap.room;
  q.from = work->from;
  q.filter = matrix::compose_backfill_filter();
  if (!work->walk->baseline() && cursor_)
    q.to = *cursor_;
  if (gap.suspected && work->page == 0)
    q.limit = audit_page;
  http_->send(matrix::ask::messages(deps_.session, q), [this, work](http_result& r) {
    const auto& here = work->walk->gap();
    auto got = matrix::read::messages(r, here.room, deps_.around.wall());
    if (got) {
      work->tries = 0;
      auto page = std::make_shared<matrix::messages_page>(std::move(*got));
      self_->request(deps_.store, 60s, store_known{here.room, gap_walk::ids_of(page->chunk)})
          .then([this, work, page](const known_answer& known) { took_page(work, *page, known); },
                [this](caf::error& e) { self_->quit(std::move(e)); });
      return;
    }
    const auto& f = got.error();
    if (f.kind == failure::kind_t::unauthorised || f.kind == failure::kind_t::soft_logout)
      return doubt([this, work] { fetch_gap(work); });
    if (here.suspected && work->walk->found() == 0)
      return close_gap(work, {}); // nobody says that there is a hole
    if (f.final() || ++work->tries >= gap_tries)
      return close_gap(work, by_fetch, f.cause);
    clock_.after(f.retry_after.value_or(backoff(engine_, work->tries, 500ms, 8s)),
                 [this, work] { fetch_gap(work); });
  });
}

void matrix_sync_state::took_page(const std::shared_ptr<filling>& work, matrix::messages_page& page,
                                  const known_answer& known) {
  auto& walk = *work->walk;
  if (walk.take(std::move(page.chunk), known))
    return close_gap(work, {});
  // An empty page is not the end; a missing `end` is.
  if (!page.end || *page.end == work->from)
    return close_gap(work, walk.baseline() ? by_baseline : "");
  work->from = *page.end;
  if (++work->page >= gap_pages)
    return close_gap(work, by_limit);
  fetch_gap(work);
}

void matrix_sync_state::close_gap(const std::shared_ptr<filling>& work, std::string_view cause,
                                  const std::string& detail) {
  const auto room = work->walk->gap().room;
  const bool reported = !work->walk->gap().suspected;
  const auto missing = work->walk->missing();
  work->walk.reset();
  auto& keep = work->batch.keep;
  // Older than the timeline of this room: in front of its first event.
  const auto at = std::find_if(keep.events.begin(), keep.events.end(),
                               [&](const inbox_row& r) { return r.event.room == room; });
  std::vector<inbox_row> older;
  older.reserve(missing.size());
  for (const auto& e : missing)
    older.push_back({0, e, trace{next_trace()}, true}); // nobody wrote too fast
  keep.events.insert(at, std::make_move_iterator(older.begin()),
                     std::make_move_iterator(older.end()));
  if (!reported && !missing.empty()) {
    ++holes_;
    deps_.around.log->warning("hole_found", {},
                              "the homeserver left out messages of a room without saying so",
                              {{"room", room}, {"found", missing.size()}});
  }
  if (cause.empty()) {
    if (reported || !missing.empty()) {
      ++gaps_closed_;
      gap_closed_total_.inc();
    }
  } else {
    ++gaps_lost_;
    deps_.around.numbers
        ->counter_of("patchbay_gaps_total", "Holes in timelines",
                     {{"outcome", "abandoned"}, {"cause", std::string{cause}}})
        .inc();
    deps_.around.log->error("gap_abandoned", {},
                            "messages of a room may be missing: " + std::string{cause} +
                                (detail.empty() ? "" : ", " + detail),
                            {{"room", room}, {"found", missing.size()}});
    matrix::message_draft told;
    told.text = say(deps_.lang, phrase::messages_missing, {cause});
    told.kind = matrix::delivery::notice;
    keep.outbox.push_back(message_row(engine_, deps_.around.wall(), room, std::move(told)));
  }
  next_gap(work, cause.empty());
}

/// A room whose hole is closed does not wait for those that follow. One whose hole stays open does:
/// what it is told of that goes with the cursor, or a crash in between would tell it twice.
void matrix_sync_state::next_gap(const std::shared_ptr<filling>& work, bool closed) {
  const auto room = work->batch.gaps[work->gap++].room;
  auto& events = work->batch.keep.events;
  const auto others = std::stable_partition(
      events.begin(), events.end(), [&](const inbox_row& r) { return r.event.room == room; });
  if (!closed || others == events.begin())
    return fill_gaps(work);
  admission now;
  now.events.assign(std::make_move_iterator(events.begin()), std::make_move_iterator(others));
  events.erase(events.begin(), others);
  admit(std::move(now), [this, work] { fill_gaps(work); });
}

} // namespace pb
