#pragma once
// Migration 3: what a whole chat needs. Questions that people answer, files on their way out, what
// is set and counted in a room, and every number that a room ever had.

namespace pb::sqlite {

inline constexpr const char* schema_3 = R"sql(
-- Without CHECK on purpose: a value that means nothing to a program reads as nothing set.
ALTER TABLE room ADD COLUMN lang INTEGER;
ALTER TABLE room ADD COLUMN streaming INTEGER;
ALTER TABLE room ADD COLUMN notices INTEGER NOT NULL DEFAULT 1 CHECK(notices BETWEEN 0 AND 1);
ALTER TABLE room ADD COLUMN allowed TEXT NOT NULL DEFAULT '[]'; -- JSON: user ids
-- Since the last clear.
ALTER TABLE room ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN question TEXT; -- JSON; NULL: none waits

-- Whose a number is or was: agents know a conversation by it also after a clear or an upgrade.
CREATE TABLE chat_number(
  platform INTEGER PRIMARY KEY CHECK(platform BETWEEN 1 AND 9007199254740991),
  room TEXT NOT NULL
) STRICT;

CREATE INDEX chat_number_room ON chat_number(room);

INSERT INTO chat_number(platform, room) SELECT platform, id FROM room WHERE platform > 0;

CREATE TABLE confirmation(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,     -- also of the outbox row with the prompt
  room TEXT NOT NULL,
  turn TEXT NOT NULL,
  agent TEXT NOT NULL,
  chat INTEGER NOT NULL,
  name TEXT NOT NULL,          -- the agent's
  number INTEGER NOT NULL,     -- the people's
  prompt TEXT NOT NULL,
  asker TEXT NOT NULL,
  inbox_seq INTEGER NOT NULL,
  prompt_event TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  shown_at INTEGER NOT NULL,   -- as the homeserver says, in ms
  expires_at INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5),
  answered_by TEXT NOT NULL,
  answer_seq INTEGER NOT NULL,
  delivered INTEGER NOT NULL CHECK(delivered BETWEEN 0 AND 1),
  ended_at INTEGER             -- by our clock, in ms; NULL: open
) STRICT;

CREATE INDEX confirmation_room ON confirmation(room, number);
CREATE INDEX confirmation_open ON confirmation(room, number) WHERE state = 0;

-- Anew, because a CHECK cannot be widened: kind 2 is a file that is not uploaded yet.
CREATE TABLE outbox_3(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  txn TEXT NOT NULL CHECK(txn = 'pb-' || id OR (kind = 1 AND txn = '')),
  room TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 2),
  priority INTEGER NOT NULL CHECK(priority BETWEEN 0 AND 2),
  type TEXT NOT NULL,
  state_key TEXT NOT NULL,
  device TEXT NOT NULL,
  turn TEXT NOT NULL,
  about TEXT NOT NULL,         -- id of the dead row that this one tells of
  made_at INTEGER NOT NULL,
  ended_at INTEGER,            -- by our clock, in ms; NULL also before step 2
  notify INTEGER NOT NULL CHECK(notify BETWEEN 0 AND 1),
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3),
  event_id TEXT,               -- when sent
  reason TEXT,                 -- when dead
  trace TEXT NOT NULL,
  body TEXT NOT NULL           -- of a file: what is to be uploaded, as JSON
) STRICT;

INSERT INTO outbox_3(seq, id, txn, room, kind, priority, type, state_key, device, turn, about,
                     made_at, ended_at, notify, state, event_id, reason, trace, body)
  SELECT seq, id, txn, room, kind, priority, type, state_key, device, turn, about,
         made_at, ended_at, notify, state, event_id, reason, trace, body FROM outbox ORDER BY seq;
-- A number that was given out once is never given out again, also when its row is gone.
DELETE FROM sqlite_sequence WHERE name = 'outbox_3';
INSERT INTO sqlite_sequence(name, seq)
  SELECT 'outbox_3', seq FROM sqlite_sequence WHERE name = 'outbox';
DROP TABLE outbox;
ALTER TABLE outbox_3 RENAME TO outbox;

CREATE INDEX outbox_waiting ON outbox(seq) WHERE state = 0;
CREATE INDEX outbox_markers ON outbox(room) WHERE state = 0 AND kind = 1;
CREATE INDEX outbox_dead ON outbox(seq) WHERE state = 2;
)sql";

} // namespace pb::sqlite
