// A limited timeline is walked back, page by page, to where we stood.

#include "actors/matrix/sync.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

#include <algorithm>

namespace pb {

void matrix_sync_state::fill_gaps(std::shared_ptr<filling> work) {
  if (work->gap >= work->batch.gaps.size() || !cursor_)
    return admit(std::move(work->batch.keep));
  if (work->page > 0)
    return fetch_gap(work);
  // Before we were in a room there is history, not a gap: only chats that we know are walked back.
  self_
      ->request(deps_.store, std::chrono::seconds(60),
                store_find_room{work->batch.gaps[work->gap].room})
      .then(
          [this, work](const found_room& known) {
            if (known.room && known.room->kind == room_kind::chat)
              return fetch_gap(work);
            ++work->gap;
            fill_gaps(work);
          },
          [this](caf::error& e) { self_->quit(std::move(e)); });
}

void matrix_sync_state::fetch_gap(const std::shared_ptr<filling>& work) {
  const auto& gap = work->batch.gaps[work->gap];
  matrix::messages_query q;
  q.room = gap.room;
  q.from = work->page == 0 ? gap.from : work->from;
  q.to = *cursor_;
  q.filter = matrix::compose_backfill_filter(deps_.session.user);
  http_->send(matrix::ask::messages(deps_.session, q), [this, work](http_result& r) {
    const auto& room = work->batch.gaps[work->gap].room;
    auto got = matrix::read::messages(r, room, deps_.around.wall());
    if (!got) {
      if (!got.error().final() && failures_ < 5) {
        clock_.after(got.error().retry_after.value_or(backoff(engine_, failures_++,
                                                              std::chrono::milliseconds(500),
                                                              std::chrono::seconds(30))),
                     [this, work] { fetch_gap(work); });
        return;
      }
      return close_gap(work, "fetch failed: " + got.error().cause);
    }
    failures_ = 0;
    for (auto& e : got->chunk)
      work->found.push_back(std::move(e));
    // An empty page is not the end; a missing `end` is, and so is the place that we came from.
    if (!got->end || *got->end == work->from || *got->end == *cursor_)
      return close_gap(work, {});
    work->from = *got->end;
    if (++work->page >= gap_pages)
      return close_gap(work, "more than " + std::to_string(gap_pages) + " pages");
    fetch_gap(work);
  });
}

/// `trouble` is empty when the hole is closed; else the events that were found are kept all the
/// same.
void matrix_sync_state::close_gap(const std::shared_ptr<filling>& work, std::string_view trouble) {
  const auto& room = work->batch.gaps[work->gap].room;
  auto& events = work->batch.keep.events;
  // Older than the timeline of this room: in front of its first event.
  auto at = std::find_if(events.begin(), events.end(),
                         [&](const inbox_row& r) { return r.event.room == room; });
  std::vector<inbox_row> older;
  for (auto i = work->found.rbegin(); i != work->found.rend(); ++i)
    if (is_for_rooms(*i, deps_.session.user))
      older.push_back({0, std::move(*i), trace{next_trace()}, false});
  const bool backlog = at != events.end() && at->backlog;
  for (auto& r : older)
    r.backlog = backlog;
  events.insert(at, std::make_move_iterator(older.begin()), std::make_move_iterator(older.end()));
  if (trouble.empty()) {
    ++gaps_closed_;
    gap_closed_total_.inc();
  } else {
    ++gaps_lost_;
    gap_lost_total_.inc();
    deps_.around.log->error("gap_abandoned", {},
                            "messages of a room may be missing: " + std::string{trouble},
                            {{"room", room}, {"found", work->found.size()}});
  }
  work->found.clear();
  work->page = 0;
  work->from.clear();
  ++work->gap;
  fill_gaps(work);
}

} // namespace pb
