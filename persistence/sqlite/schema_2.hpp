#pragma once
// Migration 2: what recovery needs. Notices about dead letters, rows that were overtaken, renewed
// tokens, things set aside, notes of agents, and a short memory of the events that were pruned.

namespace pb::sqlite {

inline constexpr const char* schema_2 = R"sql(
ALTER TABLE account ADD COLUMN refresh_token TEXT NOT NULL DEFAULT '';

-- By our clock, in ms; NULL also for what was settled before this step.
ALTER TABLE inbox ADD COLUMN settled_at INTEGER;
-- The room that was upgraded while the message waited; it is no event of `room`'s timeline.
ALTER TABLE inbox ADD COLUMN moved_from TEXT;

-- Which is the newest event of a room: gaps are walked back to it, so it is never pruned.
CREATE INDEX inbox_room ON inbox(room, seq);
-- What `!retry` asks for, and what goes together with a pruned message.
CREATE INDEX turn_message ON turn(room, inbox_seq);

-- Anew, because a CHECK cannot be widened.
CREATE TABLE outbox_2(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  txn TEXT NOT NULL CHECK(txn = 'pb-' || id OR (kind = 1 AND txn = '')),
  room TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 1),
  priority INTEGER NOT NULL CHECK(priority BETWEEN 0 AND 2),
  type TEXT NOT NULL,
  state_key TEXT NOT NULL,
  device TEXT NOT NULL,
  turn TEXT NOT NULL,
  about TEXT NOT NULL,         -- id of the dead row that this one tells of
  made_at INTEGER NOT NULL,
  ended_at INTEGER,            -- by our clock, in ms; NULL also before this step
  notify INTEGER NOT NULL CHECK(notify BETWEEN 0 AND 1),
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3),
  event_id TEXT,               -- when sent
  reason TEXT,                 -- when dead
  trace TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

INSERT INTO outbox_2(seq, id, txn, room, kind, priority, type, state_key, device, turn, about,
                     made_at, notify, state, event_id, reason, trace, body)
  SELECT seq, id, txn, room, kind, priority, type, state_key, device, turn, '',
         made_at, notify, state, event_id, reason, trace, body FROM outbox ORDER BY seq;
-- A number that was given out once is never given out again, also when its row is gone.
DELETE FROM sqlite_sequence WHERE name = 'outbox_2';
INSERT INTO sqlite_sequence(name, seq)
  SELECT 'outbox_2', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_2 RENAME TO outbox;

CREATE INDEX outbox_waiting ON outbox(seq) WHERE state = 0;
CREATE INDEX outbox_markers ON outbox(room) WHERE state = 0 AND kind = 1;
CREATE INDEX outbox_dead ON outbox(seq) WHERE state = 2;

CREATE TABLE poison(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  room TEXT NOT NULL,
  event_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  raw TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX poison_event ON poison(event_id) WHERE event_id <> '';
CREATE INDEX poison_at ON poison(at);

CREATE TABLE saved_context(
  owner TEXT NOT NULL,
  agent TEXT NOT NULL,
  name TEXT NOT NULL,
  room TEXT NOT NULL,
  path TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY(owner, agent, name)
) STRICT, WITHOUT ROWID;

-- Events whose rows were pruned: 16 bytes of the id's SHA-256 are enough to know them again.
CREATE TABLE seen(
  id BLOB PRIMARY KEY CHECK(length(id) = 16),
  day INTEGER NOT NULL         -- of admission, counted from 1970-01-01 UTC
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_day ON seen(day);

-- 'topology_known': a full walk was applied. A database with a cursor grew up with its rooms.
INSERT INTO meta(key, value) SELECT 'topology_known', '1' FROM meta WHERE key = 'cursor';
)sql";

} // namespace pb::sqlite
