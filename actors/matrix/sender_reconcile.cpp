// A row that may have been sent under another device: the room itself says whether it was.

#include "actors/matrix/sender.hpp"
#include "bridges/matrix/api.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

namespace {
constexpr int most_pages =
    5; ///< of 100 events: what is farther back than that was sent by nobody now
}

void matrix_sender_state::reconcile(const outbox_row& row, std::string from, int pages) {
  matrix::messages_query q;
  q.room = row.room;
  q.from = std::move(from);
  http_->send(matrix::ask::messages(deps_.session, q), [this, row, pages](http_result& r) {
    const auto got = matrix::read::messages(r, row.room, deps_.around.wall());
    if (!got)
      return sent(row, tl::unexpected(got.error()));
    for (const auto& e : got->chunk)
      if (e.sender == deps_.session.user && matrix::delivery_row(e.content) == row.id) {
        deps_.around.log->info("outbox_reconciled", row.tr, "it was sent before the device changed",
                               {{"room", row.room}, {"row", row.id}});
        return sent(row, e.id);
      }
    if (got->end && !got->chunk.empty() && pages + 1 < most_pages)
      return reconcile(row, *got->end, pages + 1);
    auto again = row;
    again.device = deps_.session.scope(); // new scope, same bytes
    auto request = matrix::ask::send(deps_.session, again);
    http_->send(std::move(request), [this, row](http_result& answer) {
      sent(row, matrix::read::sent_event(answer, deps_.around.wall()));
    });
  });
}

} // namespace pb
