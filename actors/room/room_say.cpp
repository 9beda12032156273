// What a room decides to say becomes rows, and rows become true together.

#include "actors/room/room.hpp"
#include "actors/rows.hpp"

namespace pb {

outbox_row room_core::message(const std::string& text, matrix::delivery kind,
                              const event_id& reply_to, const turn_id& turn, const user_id& mention,
                              int part) const {
  matrix::message_draft m;
  m.text = text;
  m.kind = kind;
  m.reply_to = reply_to;
  m.turn = turn;
  m.part = part;
  if (!mention.empty())
    m.tells.push_back(mention);
  return message_row(engine_, deps_.around.wall(), id_, std::move(m));
}

void room_core::reply(const inbox_row& row, const std::string& text, inbox_outcome outcome,
                      next_step next) {
  settlement s;
  s.inbox.push_back({row.seq, outcome});
  s.outbox.push_back(message(text, matrix::delivery::reply, row.event.id, {}, row.event.sender));
  s.outbox.back().tr = row.tr;
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
  self_->request(deps_.store, store_patience, store_settle{std::move(shared)})
      .then(
          [this](done) {
            writing_ = false;
            write_failures_ = 0;
            auto next = std::move(writes_.front().second);
            writes_.pop_front();
            if (next)
              next();
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
