// A row that the homeserver may have and not remember: the room itself says whether it was sent.

#include "actors/matrix/sender.hpp"
#include "actors/phrases.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

namespace {
constexpr int most_pages = 50;                     ///< of 100 events of ours
constexpr unix_ms slack = unix_ms{26} * 3'600'000; ///< the two clocks may be a day apart
} // namespace

/// Under another scope, or after the server's memory of transaction ids, the same PUT would say it
/// a second time.
bool matrix_sender_state::may_be_there_already(const outbox_row& row) const {
  if (row.kind != outbox_kind::message)
    return false; // state is idempotent by its content
  const auto scope = deps_.session.scope();
  const auto wall = deps_.around.wall();
  if (const auto p = past_.find(row.id); p != past_.end() && p->second.absent_under == scope)
    return wall - p->second.absent_at > txn_memory;
  return row.device != scope || wall - row.made_at > txn_memory;
}

void matrix_sender_state::reconcile(attempt a, std::string from, int pages) {
  matrix::messages_query q;
  q.room = a.row.room;
  if (a.row.type == "m.room.message")
    q.filter = matrix::compose_own_filter(deps_.session.user);
  q.from = from;
  auto request = matrix::ask::messages(deps_.session, q);
  http_->send(std::move(request), [this, a = std::move(a), from = std::move(from),
                                   pages](http_result& r) mutable {
    const auto& row = a.row;
    const auto got = matrix::read::messages(r, row.room, deps_.around.wall());
    if (!got) {
      // A refused read is no refused send: only a room that is closed to us ends the row.
      const auto& f = got.error();
      if (f.kind != failure::kind_t::forbidden && f.kind != failure::kind_t::not_found)
        return put_off(a, f);
      --in_flight_;
      return refuse(row, f);
    }
    for (const auto& e : got->chunk)
      if (e.sender == deps_.session.user && matrix::delivery_row(e.content) == row.id) {
        deps_.around.log->info("outbox_reconciled", row.tr, "it is in the room already",
                               {{"room", row.room}, {"row", row.id}});
        --in_flight_;
        failures_ = 0;
        ++sent_;
        sent_total_.inc();
        return settle(row, {row.id, outbox_state::sent, e.id, {}});
      }
    const bool older = !got->chunk.empty() && got->chunk.back().sent_at < row.made_at - slack;
    // Servers before 2022 name an end even when there is nothing beyond it.
    const bool end = !got->end || (got->chunk.empty() && *got->end == from);
    if (older || end) {
      auto& p = past_[row.id];
      p.absent_under = deps_.session.scope();
      p.absent_at = deps_.around.wall();
      return put(std::move(a));
    }
    if (pages + 1 < most_pages)
      return reconcile(std::move(a), *got->end, pages + 1);
    --in_flight_;
    bury(row, "nobody can tell whether it is in the room",
         say(deps_.lang, phrase::perhaps_delivered));
  });
}

} // namespace pb
