// The running answer as it grows: a silent draft, then edits of it. All of it in memory: what is
// dropped here is said by the final.

#include "actors/room/room.hpp"
#include "bridges/matrix/text.hpp"

namespace pb {

stream_plan::time room_core::now() const {
  return std::chrono::duration_cast<stream_plan::time>(self_->clock().now().time_since_epoch());
}

void room_core::arm_stream() {
  if (!turn_ || turn_->over)
    return;
  auto& p = turn_->shown;
  if (p.version != turn_->fold.version())
    p.plan.changed(now());
  // One request at a time: a slow homeserver gets fewer edits, not a queue of them.
  if (p.armed || !p.in_flight.empty())
    return;
  const auto due = p.plan.due();
  if (!due)
    return;
  p.armed = true;
  clock_.after(std::max(*due - now(), stream_plan::time{0}), [this, turn = turn_->request.id] {
    if (!turn_ || turn_->request.id != turn)
      return;
    turn_->shown.armed = false;
    if (!turn_->over)
      show_progress();
  });
}

void room_core::show_progress() {
  auto& p = turn_->shown;
  auto view = turn_->fold.view(lang(), row_.choices.notices);
  if (view.find_first_not_of(" \t\r\n") == std::string::npos || row_.encrypted)
    return;
  words w;
  const auto shown = matrix::cut_part(view);
  w.text = shown.size() < view.size() ? std::string{shown} + " …" : std::move(view);
  w.kind = matrix::delivery::draft;
  w.silent = true;
  w.markdown = true;
  w.turn = turn_->request.id;
  w.reply_to = answered_event(turn_->what.row.event);
  w.thread = turn_->what.thread;
  w.replaces = p.draft_event;
  auto row = message(std::move(w));
  row.priority = send_class::progress;
  row.notify = true;
  row.tr = turn_->request.tr;
  p.in_flight = row.id;
  if (p.draft_event.empty())
    p.draft = row.id;
  p.version = turn_->fold.version();
  p.plan.shown(now());
  self_->send(deps_->sender, send_progress{std::move(row)});
}

/// The final edits the draft, whose event id may be on its way: waited for, but not for long.
/// False: nothing is on its way.
bool room_core::await_draft() {
  auto& p = turn_->shown;
  if (p.in_flight.empty())
    return false;
  self_->send(deps_->sender, drop_progress{id_, turn_->request.id});
  if (p.in_flight != p.draft)
    return false; // an edit: the final goes behind it
  clock_.after(deps_->timing.draft_patience, [this, turn = turn_->request.id] {
    if (turn_ && turn_->request.id == turn)
      conclude();
  });
  return true;
}

} // namespace pb
