#include "persistence/sqlite/restored.hpp"

namespace pb::sqlite {
namespace {

constexpr const char* has_mark = "SELECT count(*) FROM meta WHERE key = 'backup'";

result<void> settle(database& db, unix_ms now) {
  const auto at = std::to_string(now);
  for (const auto& sql : {
           // Messages that waited then were answered since, or are history to the full walk.
           "UPDATE inbox SET outcome = 2, settled_at = " + at + " WHERE outcome IS NULL",
           "UPDATE turn SET state = 3, at = " + at + " WHERE state = 0",
           // An agent may have had the answer since: it is never given another one.
           "UPDATE confirmation SET state = 4, ended_at = coalesce(ended_at, " + at +
               ") WHERE state = 0 OR (state IN (1, 2) AND delivered = 0)",
           // What its list offered may be something else by now.
           std::string{"UPDATE room SET question = NULL WHERE question IS NOT NULL"},
           // No session has this scope: the sender reads the room before it sends one of these.
           std::string{"UPDATE outbox SET device = 'restored' WHERE state = 0"},
           // A creation whose numbers were drawn is looked for before it goes on. An earlier one
           // may have gone through all its steps since, under numbers that this copy does not
           // know: to begin it again could make a second Space. The walk finds what it made.
           std::string{"DELETE FROM intent WHERE step IN (0, 1) OR chat = ''"},
           std::string{"UPDATE intent SET step = 3 WHERE step = 2"},
           // The next sync fixes a new position, after a full walk over the homeserver's rooms.
           std::string{"DELETE FROM meta WHERE key IN ('cursor', 'topology_known', 'backup')"},
       })
    if (auto ok = db.exec(sql); !ok)
      return ok;
  return {};
}

} // namespace

result<void> mark_as_backup(database& copy, unix_ms now) {
  return copy.exec("INSERT OR REPLACE INTO meta VALUES ('backup', '" + std::to_string(now) + "')");
}

result<bool> is_backup(database& db) {
  auto marks = db.ask(has_mark);
  if (!marks)
    return tl::unexpected<fault>(marks.error());
  return *marks != "0";
}

result<bool> settle_after_restore(database& db, unix_ms now) {
  auto marked = is_backup(db);
  if (!marked || !*marked)
    return marked;
  if (auto ok = db.exec("BEGIN IMMEDIATE"); !ok)
    return tl::unexpected<fault>(ok.error());
  auto done = settle(db, now);
  if (done)
    done = db.exec("COMMIT");
  if (!done) {
    if (db.in_transaction())
      (void)db.exec("ROLLBACK");
    return tl::unexpected<fault>(done.error());
  }
  return true;
}

} // namespace pb::sqlite
