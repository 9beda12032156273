#include "persistence/sqlite/confirmation_table.hpp"

#include <limits>

namespace pb::sqlite {
namespace {

#define PB_CONFIRMATION_COLUMNS                                                                    \
  "id, room, turn, agent, chat, name, number, prompt, asker, inbox_seq, prompt_event, made_at,"    \
  " shown_at, expires_at, state, answered_by, answer_seq, delivered"
// Where a crash came between the sending of a prompt and its note here, the outbox knows its event.
#define PB_CONFIRMATION_SELECT                                                                     \
  "SELECT seq, id, room, turn, agent, chat, name, number, prompt, asker, inbox_seq,"               \
  " CASE prompt_event WHEN '' THEN coalesce((SELECT o.event_id FROM outbox o"                      \
  " WHERE o.id = confirmation.id), '') ELSE prompt_event END,"                                     \
  " made_at, shown_at, expires_at, state, answered_by, answer_seq, delivered FROM confirmation"

std::vector<confirmation_row>& operator<<(std::vector<confirmation_row>& rows, row& r) {
  auto& c = rows.emplace_back();
  r >> c.seq >> c.id >> c.room >> c.turn >> c.agent >> c.chat >> c.name >> c.number >> c.prompt >>
      c.asker >> c.inbox_seq >> c.prompt_event >> c.made_at >> c.shown_at >> c.expires_at >>
      c.state >> c.answered_by >> c.answer_seq >> c.delivered;
  return rows;
}

} // namespace

confirmation_table::confirmation_table(database& db)
    : put_(db.prepare("put confirmation",
                      "INSERT INTO confirmation(" PB_CONFIRMATION_COLUMNS ", ended_at) VALUES"
                      " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))"
                      " ON CONFLICT(id) DO UPDATE SET prompt_event = excluded.prompt_event,"
                      " shown_at = excluded.shown_at, expires_at = excluded.expires_at,"
                      " state = excluded.state, answered_by = excluded.answered_by,"
                      " answer_seq = excluded.answer_seq,"
                      " delivered = max(delivered, excluded.delivered),"
                      " ended_at = CASE excluded.state WHEN 0 THEN NULL"
                      "   ELSE coalesce(ended_at, excluded.ended_at) END"
                      " WHERE state = 0 OR excluded.state <> 0"
                      " OR (state IN (1, 2) AND delivered = 0)")),
      // A number may be there twice after a room was replaced.
      of_room_(db.prepare("confirmations of a room",
                          "SELECT * FROM (" PB_CONFIRMATION_SELECT " INDEXED BY confirmation_open"
                          " WHERE room = ?1 AND state = 0)"
                          " UNION ALL SELECT * FROM (" PB_CONFIRMATION_SELECT
                          " INDEXED BY confirmation_room"
                          " WHERE room = ?1 AND state <> 0 ORDER BY number DESC, seq DESC LIMIT ?2)"
                          " ORDER BY number, seq")),
      page_(db.prepare("confirmations",
                       PB_CONFIRMATION_SELECT " WHERE seq < ? ORDER BY seq DESC LIMIT ?")),
      open_page_(db.prepare("open confirmations",
                            PB_CONFIRMATION_SELECT " INDEXED BY confirmation_open"
                                                   " WHERE state = 0 AND seq < ?"
                                                   " ORDER BY seq DESC LIMIT ?")),
      move_(db.prepare("move confirmations",
                       "UPDATE confirmation INDEXED BY confirmation_room SET room = ?1"
                       " WHERE room = ?2 AND (state <> 0 OR turn NOT IN (SELECT id FROM turn"
                       " INDEXED BY turn_open WHERE room = ?2 AND state = 0))")) {}

result<void> confirmation_table::put(const confirmation_row& c, unix_ms now) {
  return put_.run(c.id, c.room, c.turn, c.agent, c.chat, c.name, c.number, c.prompt, c.asker,
                  c.inbox_seq, c.prompt_event, c.made_at, c.shown_at, c.expires_at, c.state,
                  c.answered_by, c.answer_seq, c.delivered,
                  c.state == confirmation_state::open ? unix_ms{0} : now);
}

result<std::vector<confirmation_row>> confirmation_table::of_room(const room_id& room,
                                                                  std::int64_t others) {
  std::vector<confirmation_row> rows;
  if (auto ok = of_room_.each([&](row& r) { rows << r; }, room, others); !ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<std::vector<confirmation_row>> confirmation_table::page(bool open_only, std::int64_t before,
                                                               std::int64_t limit) {
  std::vector<confirmation_row> rows;
  auto ok = (open_only ? open_page_ : page_)
                .each([&](row& r) { rows << r; },
                      before > 0 ? before : std::numeric_limits<std::int64_t>::max(), limit);
  if (!ok)
    return tl::unexpected<fault>(ok.error());
  return rows;
}

result<void> confirmation_table::move(const room_id& from, const room_id& to) {
  return move_.run(to, from);
}

} // namespace pb::sqlite
