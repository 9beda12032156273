CREATE TABLE meta(
  key TEXT PRIMARY KEY,        -- 'cursor': next_batch of the last admitted sync response
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sequence(
  name TEXT PRIMARY KEY,       -- 'platform_chat_id'
  last INTEGER NOT NULL CHECK(last BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;

CREATE TABLE account(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  user TEXT NOT NULL,
  device TEXT NOT NULL,
  access_token TEXT NOT NULL   -- empty unless we logged in by password
, refresh_token TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE user(
  id TEXT PRIMARY KEY,
  space TEXT NOT NULL,
  agent TEXT NOT NULL,
  next_chat INTEGER NOT NULL CHECK(next_chat >= 1),
  lang INTEGER NOT NULL CHECK(lang BETWEEN 0 AND 1)
) STRICT, WITHOUT ROWID;

CREATE TABLE room(
  id TEXT PRIMARY KEY,
  kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 2),
  owner TEXT NOT NULL,
  chat TEXT NOT NULL,
  platform INTEGER NOT NULL CHECK(platform BETWEEN 0 AND 9007199254740991),
  agent TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 2),
  space TEXT NOT NULL,
  intent TEXT NOT NULL,
  title TEXT NOT NULL,
  encrypted_told INTEGER NOT NULL CHECK(encrypted_told BETWEEN 0 AND 1)
, lang INTEGER, streaming INTEGER, notices INTEGER NOT NULL DEFAULT 1 CHECK(notices BETWEEN 0 AND 1), allowed TEXT NOT NULL DEFAULT '[]', turns INTEGER NOT NULL DEFAULT 0, input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0, question TEXT) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX room_platform ON room(platform) WHERE platform > 0;

CREATE TABLE encrypted_room(
  id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE invite(
  room TEXT PRIMARY KEY,
  inviter TEXT NOT NULL,
  direct INTEGER NOT NULL CHECK(direct BETWEEN 0 AND 1),
  trace TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE intent(
  id TEXT PRIMARY KEY,
  kind INTEGER NOT NULL CHECK(kind BETWEEN 0 AND 1),
  step INTEGER NOT NULL CHECK(step BETWEEN 0 AND 4),
  owner TEXT NOT NULL,
  origin TEXT NOT NULL,
  origin_event TEXT NOT NULL,
  title TEXT NOT NULL,
  chat TEXT NOT NULL,
  platform INTEGER NOT NULL CHECK(platform BETWEEN 0 AND 9007199254740991),
  agent TEXT NOT NULL,
  space TEXT NOT NULL,
  room TEXT NOT NULL,
  trace TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,
  room TEXT NOT NULL,
  sender TEXT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT,
  sent_at INTEGER NOT NULL,    -- as the homeserver says, in ms
  admitted_at INTEGER NOT NULL, -- by our clock, in ms
  backlog INTEGER NOT NULL CHECK(backlog BETWEEN 0 AND 1),
  outcome INTEGER CHECK(outcome BETWEEN 0 AND 3), -- NULL: pending
  trace TEXT NOT NULL,
  content TEXT NOT NULL
, settled_at INTEGER, moved_from TEXT) STRICT;

CREATE INDEX inbox_pending ON inbox(room, seq) WHERE outcome IS NULL;

CREATE TABLE turn(
  id TEXT PRIMARY KEY,
  room TEXT NOT NULL REFERENCES room(id),
  agent TEXT NOT NULL,
  chat INTEGER NOT NULL,
  inbox_seq INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 4),
  attempts INTEGER NOT NULL CHECK(attempts >= 1),
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX turn_open ON turn(room) WHERE state = 0;

CREATE INDEX inbox_room ON inbox(room, seq);

CREATE INDEX turn_message ON turn(room, inbox_seq);

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

CREATE TABLE seen(
  id BLOB PRIMARY KEY CHECK(length(id) = 16),
  day INTEGER NOT NULL         -- of admission, counted from 1970-01-01 UTC
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_day ON seen(day);

CREATE TABLE chat_number(
  platform INTEGER PRIMARY KEY CHECK(platform BETWEEN 1 AND 9007199254740991),
  room TEXT NOT NULL
) STRICT;

CREATE INDEX chat_number_room ON chat_number(room);

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

CREATE TABLE "outbox"(
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

CREATE INDEX outbox_waiting ON outbox(seq) WHERE state = 0;

CREATE INDEX outbox_markers ON outbox(room) WHERE state = 0 AND kind = 1;

CREATE INDEX outbox_dead ON outbox(seq) WHERE state = 2;

CREATE TABLE session_memory(
  seq INTEGER PRIMARY KEY,     -- a new one at every write: the order of age
  agent TEXT NOT NULL,
  chat INTEGER NOT NULL CHECK(chat BETWEEN 1 AND 9007199254740991),
  memory TEXT NOT NULL,        -- the protocol's own, opaque here
  at INTEGER NOT NULL,         -- by our clock, in ms
  UNIQUE(chat, agent)
) STRICT;

CREATE TABLE granted_room(
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
