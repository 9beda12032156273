#include "actors/rows.hpp"

#include "actors/common.hpp"

namespace pb {

outbox_row message_row(random_bits engine, unix_ms now, const room_id& room,
                       matrix::message_draft what) {
  outbox_row r;
  r.id = what.row.empty() ? outbox_id{random_id(engine)} : what.row;
  r.room = room;
  r.txn = "pb-" + r.id.value;
  r.made_at = now;
  r.turn = what.turn;
  what.row = r.id;
  r.body = matrix::compose_message(what);
  return r;
}

outbox_row state_row(random_bits engine, unix_ms now, const room_id& room, std::string_view type,
                     std::string key, std::string body) {
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

std::string name_after(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::uint64_t basis : {14695981039346656037ULL, 0x9E3779B97F4A7C15ULL}) {
    auto print = basis; // FNV-1a, twice
    for (const char c : text)
      print = (print ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    for (int shift = 60; shift >= 0; shift -= 4)
      out.push_back(digits[(print >> shift) & 15U]);
  }
  return out;
}

} // namespace pb
