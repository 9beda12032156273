// Drafts and edits of running answers: in memory only, dropped freely, never doubled.

#include "actors/matrix/sender.hpp"

namespace pb {

void matrix_sender_state::take_progress(outbox_row row) {
  if (progress_ >= progress_cap || draining_ || no_token_) {
    ++progress_; // tell_dropped takes it back
    return tell_dropped(row);
  }
  ++progress_;
  row.device = deps_.session.scope();
  for (const auto& old : queue_.push(std::move(row), now()))
    tell_dropped(old);
  pump();
}

void matrix_sender_state::tell_dropped(const outbox_row& row) {
  --progress_;
  ++dropped_;
  dropped_total_.inc();
  if (row.notify && rooms_)
    self_->send(rooms_, row_delivered{row.room, {row.id, outbox_state::dropped, {}, "overtaken"}});
}

} // namespace pb
