// What a room decides to say becomes rows, and rows become true together.

#include "actors/room/room.hpp"
#include "bridges/matrix/compose.hpp"

namespace pb {

outbox_row room_core::row_of(const std::string& body) const {
  outbox_row r;
  r.id = outbox_id{random_id(engine_)};
  r.room = id_;
  r.txn = "pb-" + r.id.value;
  r.body = body;
  r.made_at = deps_.around.wall();
  return r;
}

outbox_row room_core::message(const std::string& text, matrix::delivery kind,
                              const event_id& reply_to, const turn_id& turn, const user_id& mention,
                              int part) const {
  auto r = row_of({});
  matrix::message_draft m;
  m.text = text;
  m.kind = kind;
  m.reply_to = reply_to;
  m.turn = turn;
  m.part = part;
  m.row = r.id;
  if (!mention.empty())
    m.tells.push_back(mention);
  r.body = matrix::compose_message(m);
  r.turn = turn;
  return r;
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
