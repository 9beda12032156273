// Dead letters: what the homeserver refuses for good, and what nobody can tell about any more. The
// room is told once, in the same transaction as the death.

#include "actors/matrix/sender.hpp"
#include "actors/phrases.hpp"
#include "actors/rows.hpp"

namespace pb {

using namespace std::chrono_literals;

void matrix_sender_state::refuse(const outbox_row& row, const failure& f) {
  // Who may not speak in the room cannot tell it either.
  const bool deaf = f.kind == failure::kind_t::forbidden || f.kind == failure::kind_t::not_found;
  std::string words;
  if (!deaf) {
    const auto code = f.errcode.empty() ? "HTTP " + std::to_string(f.status) : f.errcode;
    const auto why = f.kind == failure::kind_t::too_large
                         ? say(deps_.lang, phrase::why_too_large)
                         : say(deps_.lang, phrase::why_refused, {code});
    words = say(deps_.lang, phrase::undelivered, {why});
  }
  bury(row, f.cause, words);
}

void matrix_sender_state::bury(const outbox_row& row, std::string reason,
                               const std::string& words) {
  if (is_volatile(row)) { // the final says it all
    deps_.around.log->debug("progress_refused", row.tr, reason, {{"room", row.room}});
    return settle(row, {row.id, outbox_state::dead, {}, std::move(reason)});
  }
  ++dead_;
  dead_total_.inc();
  const bool tell = !words.empty() && row.kind != outbox_kind::state &&
                    row.priority == send_class::final_answer && row.about.empty();
  deps_.around.log->error(
      "outbox_dead", row.tr, "an event is given up: " + reason,
      {{"room", row.room}, {"row", row.id}, {"type", row.type}, {"told", tell ? "true" : "false"}});
  send_outcome outcome{row.id, outbox_state::dead, {}, std::move(reason)};
  if (!tell)
    return settle(row, std::move(outcome));
  settlement s;
  matrix::message_draft m;
  m.text = words;
  m.silent = true;
  m.kind = matrix::delivery::notice;
  if (row.kind == outbox_kind::file) // nothing of it is in the room: it is told where it was asked
    if (const auto order = matrix::parse_file_order(row.body)) {
      m.reply_to = order->reply_to;
      m.thread = order->thread;
      m.turn = order->turn;
    }
  auto notice = message_row(engine_, deps_.around.wall(), row.room, std::move(m));
  notice.about = row.id;
  notice.tr = row.tr;
  s.outcomes.push_back(std::move(outcome));
  s.outbox.push_back(std::move(notice));
  write_dead(std::make_shared<const settlement>(std::move(s)), row, 0);
}

void matrix_sender_state::write_dead(std::shared_ptr<const settlement> what, outbox_row row,
                                     unsigned failures) {
  self_->request(deps_.store, in_house, store_settle{what})
      .then(
          [this, what, row](done) {
            if (draining_)
              behind_ = true; // the notice is on the disk, and on its way
            settle(row, what->outcomes.front(), true);
          },
          [this, what, row, failures](caf::error& e) {
            const auto f = to_fault(e);
            if (f.code != fault_code::disk_full && f.code != fault_code::storage)
              return self_->quit(std::move(e)); // unknown outcome: be born again from the disk
            clock_.after(backoff(engine_, failures, 1000ms, 30s),
                         [this, what, row, failures] { write_dead(what, row, failures + 1); });
          });
}

} // namespace pb
