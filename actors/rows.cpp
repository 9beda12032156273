#include "actors/rows.hpp"

#include "actors/common.hpp"

namespace pb {

outbox_row message_row(std::mt19937_64& engine, unix_ms now, const room_id& room,
                       matrix::message_draft what) {
  outbox_row r;
  r.id = outbox_id{random_id(engine)};
  r.room = room;
  r.txn = "pb-" + r.id.value;
  r.made_at = now;
  r.turn = what.turn;
  what.row = r.id;
  r.body = matrix::compose_message(what);
  return r;
}

outbox_row state_row(std::mt19937_64& engine, unix_ms now, const room_id& room,
                     std::string_view type, std::string key, std::string body) {
  outbox_row r;
  r.id = outbox_id{random_id(engine)};
  r.room = room;
  r.txn = "pb-" + r.id.value;
  r.made_at = now;
  r.kind = outbox_kind::state;
  r.priority = send_class::state;
  r.type = std::string{type};
  r.state_key = std::move(key);
  r.body = std::move(body);
  r.notify = true; // a room that is born while it waits begins no turn before it is sent
  return r;
}

} // namespace pb
