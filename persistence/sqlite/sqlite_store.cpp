#include "persistence/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <utility>

namespace pb::sqlite {
namespace {

/// Past this many pages (4 KiB each) the write-ahead log goes into the file at the next begin().
constexpr int log_page_limit = 2'000;

/// Of one event, in bytes: far above what a homeserver accepts, below SQLite's limit of a row.
constexpr std::size_t row_limit = std::size_t{8} << 20;

std::size_t size_of(const matrix_event& e) {
  return e.id.value.size() + e.room.value.size() + e.sender.value.size() + e.type.size() +
         (e.state_key ? e.state_key->size() : 0) + e.content.size();
}

} // namespace

sqlite_store::sqlite_store(database db, std::function<unix_ms()> now, bool restored)
    : db_(std::move(db)), now_(std::move(now)), restored_(restored),
      begin_(db_.prepare("begin", "BEGIN IMMEDIATE")), commit_(db_.prepare("commit", "COMMIT")),
      rollback_(db_.prepare("rollback", "ROLLBACK")),
      savepoint_(db_.prepare("savepoint", "SAVEPOINT op")),
      release_(db_.prepare("release", "RELEASE op")),
      back_(db_.prepare("roll back", "ROLLBACK TO op")),
      work_(db_.prepare("rooms with work",
                        "SELECT room FROM inbox INDEXED BY inbox_pending WHERE outcome IS NULL"
                        " UNION SELECT room FROM turn INDEXED BY turn_open WHERE state = 0"
                        " UNION SELECT room FROM confirmation INDEXED BY confirmation_open"
                        " WHERE state = 0")),
      counts_(db_.prepare(
          "counts",
          "SELECT (SELECT count(*) FROM inbox INDEXED BY inbox_pending WHERE outcome IS NULL),"
          " (SELECT count(*) FROM outbox INDEXED BY outbox_waiting WHERE state = 0),"
          " (SELECT count(*) FROM outbox INDEXED BY outbox_dead WHERE state = 2),"
          " (SELECT count(*) FROM turn INDEXED BY turn_open WHERE state = 0),"
          " (SELECT count(*) FROM room), (SELECT count(*) FROM poison),"
          " (SELECT CAST(coalesce(max(value), 0) AS INTEGER) FROM meta"
          " WHERE key = 'poison_dropped'),"
          " (SELECT count(*) FROM confirmation INDEXED BY confirmation_open WHERE state = 0)")),
      meta_(db_), inbox_(db_), turns_(db_), outbox_(db_), seen_(db_), poison_(db_, seen_),
      retention_(db_, seen_, poison_), confirmations_(db_), saved_(db_), memories_(db_),
      rooms_(db_), users_(db_), invites_(db_), intents_(db_) {}

// -- transactions --

result<void> sqlite_store::begin() {
  if (broken_)
    return pass(*broken_);
  if (grouped_)
    return fail(fault_code::bug, "begin: a transaction is open");
  // Here and not in commit(): what was committed can be told before the file is brought up to date.
  // When space ran out it is done at once, because the log can then begin anew in its old place.
  if ((tight_ || db_.log_pages() > log_page_limit) && !checkpoint())
    return pass(*broken_);
  swept_ = false;
  if (auto ok = begin_.run(); !ok)
    return ok;
  grouped_ = true;
  lost_.reset();
  return {};
}

result<void> sqlite_store::commit() {
  if (!grouped_)
    return fail(fault_code::bug, "commit: no transaction is open");
  if (lost_) {
    const auto why = *lost_;
    rollback();
    tight_ = why.code == fault_code::disk_full;
    if (why.code == fault_code::storage)
      broken_ = why;
    return pass(why);
  }
  auto ok = commit_.run();
  if (ok) {
    grouped_ = false;
    // After a sweep there may be nothing to write for long: the log would keep its size. What was
    // committed is committed, whatever the checkpoint finds.
    if (std::exchange(swept_, false))
      checkpoint();
    return ok;
  }
  rollback();
  tight_ = ok.error().code == fault_code::disk_full;
  if (!tight_)
    broken_ = ok.error();
  return ok;
}

bool sqlite_store::checkpoint() {
  auto ok = db_.checkpoint();
  tight_ = false;
  // After an error of fsync nobody knows what is on disk: a second try would only hide it. No
  // space is different: the log still holds everything, and goes on growing until it is refused.
  if (!ok && ok.error().code != fault_code::disk_full && ok.error().code != fault_code::busy)
    broken_ = ok.error();
  return !broken_;
}

void sqlite_store::rollback() {
  if (db_.in_transaction())
    (void)rollback_.run(); // fails only when the transaction has ended already
  grouped_ = false;
  lost_.reset();
}

result<void> sqlite_store::writable() const {
  if (broken_)
    return pass(*broken_);
  if (lost_)
    return pass(*lost_);
  if (!grouped_)
    return fail(fault_code::bug, "a write outside of begin and commit");
  return {};
}

void sqlite_store::after_failure(const fault& why) {
  if (grouped_ && !db_.in_transaction())
    lost_ = why;
}

template <class F>
auto sqlite_store::light(F&& op) -> decltype(op()) {
  if (auto ok = writable(); !ok)
    return pass(ok.error());
  const auto before = db_.total_changes();
  auto done = op();
  if (!done) {
    if (db_.total_changes() != before)
      lost_ = done.error();
    after_failure(done.error());
  }
  return done;
}

template <class F>
auto sqlite_store::whole(F&& op) -> decltype(op()) {
  if (auto ok = writable(); !ok)
    return pass(ok.error());
  auto done = [&]() -> decltype(op()) {
    if (auto ok = savepoint_.run(); !ok)
      return pass(ok.error());
    auto result_of_op = op();
    if (result_of_op) {
      if (auto ok = release_.run(); !ok) {
        lost_ = ok.error();
        return pass(ok.error());
      }
    } else if (db_.in_transaction()) {
      // What cannot be taken back must not be committed either.
      if (auto ok = back_.run(); !ok || !release_.run())
        lost_ = ok ? result_of_op.error() : ok.error();
    }
    return result_of_op;
  }();
  if (!done)
    after_failure(done.error());
  return done;
}

// -- writes --

result<void> sqlite_store::save_account(const account_row& account) {
  return light([&] { return meta_.save_account(account); });
}

result<void> sqlite_store::dispatch(const turn_row& turn) {
  return light([&] { return turns_.dispatch(turn); });
}

result<platform_chat_id> sqlite_store::draw_platform_chat_id() {
  return light([&] { return meta_.draw(); });
}

result<admitted> sqlite_store::admit(const admission& batch) {
  auto all = [&]() -> result<admitted> {
    admitted out;
    if (auto ok = apply(batch, out); !ok)
      return pass(ok.error());
    return out;
  };
  std::size_t bytes = 0;
  for (const auto& row : batch.events)
    bytes = std::max(bytes, size_of(row.event));
  if (bytes > row_limit)
    return fail(fault_code::too_large, "admit: an event of " + std::to_string(bytes) + " bytes");
  const bool plain = batch.restored.empty() && batch.restored_users.empty() &&
                     batch.poison.empty() && batch.outbox.empty();
  return plain ? light(all) : whole(all);
}

result<void> sqlite_store::apply(const admission& batch, admitted& out) {
  const unix_ms now = batch.events.empty() && batch.poison.empty() ? 0 : now_();
  for (const auto& event : batch.events) {
    auto old = seen_.has(event.event.id);
    if (!old)
      return pass(old.error());
    if (*old)
      continue;
    auto seq = inbox_.add(event, now);
    if (!seq)
      return pass(seq.error());
    if (*seq)
      out.fresh.emplace_back(event).seq = **seq;
  }
  for (const auto& room : batch.restored) {
    if (auto ok = rooms_.restore(room); !ok)
      return ok;
    // Also of a room that was known: its marker may be newer than our row.
    if (room.platform.value < std::int64_t{1} << 53)
      if (auto ok = meta_.raise(room.platform); !ok)
        return ok;
  }
  for (const auto& user : batch.restored_users)
    if (auto ok = users_.restore(user); !ok)
      return ok;
  for (const auto& change : batch.memberships)
    if (auto ok = rooms_.apply(change); !ok)
      return ok;
  for (const auto& room : batch.encrypted)
    if (auto ok = rooms_.encrypt(room); !ok)
      return ok;
  for (const auto& invite : batch.invites) {
    if (auto ok = invites_.put(invite); !ok)
      return ok;
    out.invites.push_back(invite);
  }
  for (const auto& bad : batch.poison) {
    auto old = is_known(bad.event);
    if (!old)
      return pass(old.error());
    if (*old)
      continue;
    if (auto ok = poison_.add(bad, now); !ok)
      return pass(ok.error());
  }
  if (auto ok = say(batch.outbox, out.outbox); !ok)
    return ok;
  // Without a cursor (rooms found at a walk, no sync response) the position stays.
  return batch.cursor.empty() ? result<void>{} : meta_.set_cursor(batch.cursor);
}

result<std::vector<outbox_row>> sqlite_store::settle(const settlement& what) {
  auto all = [&]() -> result<std::vector<outbox_row>> {
    std::vector<outbox_row> out;
    if (auto ok = apply(what, out); !ok)
      return pass(ok.error());
    return out;
  };
  const bool small = !what.user && !what.intent && what.outbox.size() <= 1 &&
                     what.outcomes.empty() && !what.moved_from && !what.room_epoch_is &&
                     what.saved.empty() && what.confirmations.empty();
  if (!small)
    return whole(all);
  if (!what.room)
    return light(all);
  // A turn's end counts in its room: a row that keeps its number cannot be refused.
  const auto keeps = rooms_.has(what.room->id, what.room->platform);
  if (!keeps)
    return pass(keeps.error());
  return *keeps ? light(all) : whole(all);
}

result<void> sqlite_store::apply(const settlement& what, std::vector<outbox_row>& out) {
  // In this order: what can be refused first, and a turn's room before the turn.
  if (auto ok = say(what.outbox, out); !ok)
    return ok;
  if (what.moved_from) {
    if (!what.room || what.room->id == *what.moved_from)
      return fail(fault_code::bug, "settle: a room moves to nowhere");
    if (auto ok = rooms_.leave_behind(*what.moved_from, what.room->id);
        !ok) // before its number is given on
      return ok;
  }
  if (what.room)
    if (auto ok = put_room(what); !ok)
      return ok;
  if (what.moved_from) {
    if (auto ok = inbox_.move(*what.moved_from, what.room->id); !ok)
      return ok;
    if (auto ok = confirmations_.move(*what.moved_from, what.room->id); !ok)
      return ok;
  }
  const bool timed = !what.inbox.empty() || !what.outcomes.empty() || !what.confirmations.empty();
  const unix_ms now = timed ? now_() : 0;
  for (const auto& outcome : what.outcomes)
    if (auto ok = outbox_.record(outcome, now); !ok)
      return ok;
  if (what.used)
    if (auto ok = rooms_.add_usage(what.used->first, what.used->second); !ok)
      return ok;
  if (what.turn)
    if (auto ok = turns_.put(*what.turn); !ok)
      return ok;
  for (const auto& settled : what.inbox)
    if (auto ok = inbox_.settle(settled, now); !ok)
      return ok;
  if (what.user)
    if (auto ok = users_.put(*what.user); !ok)
      return ok;
  if (what.intent)
    if (auto ok = intents_.put(*what.intent); !ok)
      return ok;
  if (what.intent_done)
    if (auto ok = intents_.done(*what.intent_done); !ok)
      return ok;
  if (what.invite_done)
    if (auto ok = invites_.done(*what.invite_done); !ok)
      return ok;
  for (const auto& asked : what.confirmations)
    if (auto ok = confirmations_.put(asked, now); !ok)
      return ok;
  for (const auto& saved : what.saved)
    if (auto ok = saved_.put(saved); !ok)
      return ok;
  return what.topology_known ? meta_.mark("topology_known", "1") : result<void>{};
}

result<void> sqlite_store::say(const std::vector<outbox_row>& rows, std::vector<outbox_row>& out) {
  out.reserve(rows.size());
  for (const auto& message : rows) {
    if (message.kind == outbox_kind::redact)
      return fail(fault_code::bug, "outbox: a redaction is never on disk");
    if (auto ok = never_said(message); !ok)
      return ok;
    auto& row = out.emplace_back(message);
    if (row.device.empty())
      row.device = scope_;
    auto seq = outbox_.add(row);
    if (!seq)
      return pass(seq.error());
    row.seq = *seq;
  }
  return {};
}

result<void> sqlite_store::never_said(const outbox_row& row) {
  // Whatever has a turn is named by chance: no look into the memory for it.
  if (!row.turn.empty() || row.kind == outbox_kind::state)
    return {};
  auto old = seen_.has(row.id);
  if (!old)
    return pass(old.error());
  if (*old)
    return fail(fault_code::conflict, "outbox: row " + row.id.value + " was there, and is pruned");
  return {};
}

result<void> sqlite_store::put_room(const settlement& what) {
  auto room = *what.room;
  if (what.room_epoch_is) {
    const auto now = rooms_.find(room.id);
    if (!now)
      return pass(now.error());
    if (!*now || (*now)->epoch != *what.room_epoch_is)
      return fail(fault_code::conflict, "settle: the room has changed since it was looked at");
    room.choices = (*now)->choices;
    room.usage = (*now)->usage;
    room.question = (*now)->question;
  }
  if (auto ok = rooms_.put(room); !ok)
    return ok;
  return meta_.raise(room.platform); // never behind a number that is in use
}

result<void> sqlite_store::freeze(const outbox_id& row, const std::string& body) {
  return light([&] { return outbox_.freeze(row, body); });
}

result<void> sqlite_store::record(const std::vector<send_outcome>& outcomes) {
  auto all = [&]() -> result<void> {
    const auto now = now_();
    for (const auto& outcome : outcomes)
      if (auto ok = outbox_.record(outcome, now); !ok)
        return ok;
    return {};
  };
  return outcomes.size() == 1 ? light(all) : whole(all);
}

result<void> sqlite_store::raise_platform_chat_id(platform_chat_id seen) {
  if (seen.value >= std::int64_t{1} << 53)
    return fail(fault_code::conflict, "raise platform_chat_id: past what JSON can carry");
  return light([&] { return meta_.raise(seen); });
}

result<void> sqlite_store::remember(const agent_id& agent, platform_chat_id chat,
                                    const std::string& memory) {
  return light([&] { return memories_.put(agent, chat, memory, now_()); });
}

result<pruned> sqlite_store::prune(std::chrono::milliseconds keep, std::size_t limit) {
  constexpr std::size_t most = 100'000; // per call, so that nothing overflows
  return light([&] {
    auto done = retention_.run(now_(), keep, std::min(limit, most));
    if (done && !done->more)
      swept_ = true;
    return done;
  });
}

} // namespace pb::sqlite
