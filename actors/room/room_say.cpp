// What a room decides to say becomes rows, and rows become true together.

#include "actors/phrases.hpp"
#include "actors/room/room.hpp"
#include "actors/rows.hpp"

namespace pb {

outbox_row room_core::message(words what) const {
  matrix::message_draft m;
  m.text = std::move(what.text);
  m.kind = what.kind;
  m.silent = what.silent;
  m.reply_to = std::move(what.reply_to);
  m.thread = std::move(what.thread);
  m.replaces = std::move(what.replaces);
  m.turn = std::move(what.turn);
  m.part = what.part;
  m.markdown = what.markdown;
  m.row = std::move(what.row);
  m.confirmation = std::move(what.confirmation);
  if (!what.mention.empty())
    m.tells.push_back(std::move(what.mention));
  return message_row(engine_, deps_->around.wall(), id_, std::move(m));
}

outbox_row room_core::reply_row(const inbox_row& row, const std::string& text) const {
  words w{text};
  w.reply_to = answered_event(row.event);
  w.thread = thread_of(row.event);
  w.mention = row.event.sender;
  auto said = message(std::move(w));
  said.tr = row.tr;
  return said;
}

outbox_row room_core::marker_row(const room_row& row) const {
  const auto* state = row.state == room_state::archived ? "archived" : "active";
  return state_row(engine_, deps_->around.wall(), id_, matrix::chat_marker_type, "",
                   matrix::compose_chat_marker({row.owner, row.chat, row.platform, row.agent, state,
                                                row.epoch, row.intent}));
}

/// The agent's words and what we add to them. Past three messages the words are for a file: their
/// beginning is shown, and the addition with it.
matrix::long_answer room_core::laid_out(const std::string& text, const std::string& tail) const {
  auto out = matrix::lay_out(tail.empty() || text.empty() ? text + tail : text + "\n\n" + tail);
  if (!out.as_file)
    return out;
  const auto note =
      (tail.empty() ? "" : "\n\n" + tail) + "\n\n" + say(lang(), phrase::answer_as_file);
  auto& shown = out.parts.back();
  shown = std::string{matrix::cut_text(shown, matrix::part_bytes - note.size(),
                                       matrix::part_escaped_bytes - matrix::escaped_size(note))} +
          note;
  return out;
}

/// A file that is still to be uploaded.
outbox_row room_core::file_row(const file_order& order, const outbox_id& row) const {
  outbox_row r;
  r.id = row.empty() ? outbox_id{random_id(engine_)} : row;
  r.room = id_;
  r.kind = outbox_kind::file;
  r.txn = "pb-" + r.id.value;
  r.made_at = deps_->around.wall();
  r.turn = order.turn;
  r.body = matrix::compose_file_order(order);
  return r;
}

void room_core::reply(const inbox_row& row, const std::string& text, inbox_outcome outcome,
                      next_step next) {
  guard_.answered(row.event.sender, now());
  settlement s;
  s.inbox.push_back({row.seq, outcome});
  s.outbox.push_back(reply_row(row, text));
  commit(std::move(s), std::move(next));
}

void room_core::commit(settlement what, next_step next) {
  writes_.emplace_back(std::move(what), std::move(next));
  write_next();
}

void room_core::write_next() {
  if (writing_ || writes_.empty())
    return;
  writing_ = true;
  auto shared = std::make_shared<const settlement>(writes_.front().first);
  self_->request(deps_->store, in_house, store_settle{std::move(shared)})
      .then(
          [this](done) {
            writing_ = false;
            write_failures_ = 0;
            for (const auto& settled : writes_.front().first.inbox)
              owed_.erase(settled.seq);
            auto next = std::move(writes_.front().second);
            writes_.pop_front();
            if (next)
              next();
            if (writes_.empty() && std::exchange(reopen_, false))
              open();
            write_next();
            rest();
          },
          [this](caf::error& e) {
            const auto f = to_fault(e);
            if (f.code != fault_code::disk_full && f.code != fault_code::storage)
              return self_->quit(std::move(e)); // unknown outcome: be born again from the disk
            writing_ = false;
            clock_.after(backoff(engine_, write_failures_++, std::chrono::seconds(1),
                                 std::chrono::seconds(30)),
                         [this] { write_next(); });
          });
}

} // namespace pb
