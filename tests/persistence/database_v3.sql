-- A database as version 3 of the schema wrote it (program of commit f9032df, from the one of version
-- 2), as SQL. Made once from the real file and never changed; the tests of migration start from it.
BEGIN TRANSACTION;
CREATE TABLE account(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  user TEXT NOT NULL,
  device TEXT NOT NULL,
  access_token TEXT NOT NULL   -- empty unless we logged in by password
, refresh_token TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "account" VALUES(1,'@bot:example.org','OLDDEVICE','syt_secret','syr_refresh');
CREATE TABLE chat_number(
  platform INTEGER PRIMARY KEY CHECK(platform BETWEEN 1 AND 9007199254740991),
  room TEXT NOT NULL
) STRICT;
INSERT INTO "chat_number" VALUES(201,'!c1:example.org');
INSERT INTO "chat_number" VALUES(202,'!c2:example.org');
INSERT INTO "chat_number" VALUES(203,'!c3:example.org');
INSERT INTO "chat_number" VALUES(204,'!c4:example.org');
INSERT INTO "chat_number" VALUES(205,'!c6:example.org');
INSERT INTO "chat_number" VALUES(210,'!c2:example.org');
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
INSERT INTO "confirmation" VALUES(1,'q1','!c1:example.org','t1','writer',201,'confirm-q1',1,'Delete 😀?
`rm -rf`','@alice:example.org',11,'',1702000000000,0,1702001800000,0,'',0,0,NULL);
INSERT INTO "confirmation" VALUES(2,'q2','!c1:example.org','t1','writer',201,'confirm-q2',2,'Delete 😀?
`rm -rf`','@alice:example.org',11,'$q2',1702000000000,1702000000100,1702001800000,1,'@alice:example.org',13,0,1702000000000);
CREATE TABLE encrypted_room(
  id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO "encrypted_room" VALUES('!c2:example.org');
INSERT INTO "encrypted_room" VALUES('!never-seen:example.org');
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
INSERT INTO "inbox" VALUES(3,'$e3','!c2:example.org','@alice:example.org','m.room.message',NULL,1700000000003,1700000000500,0,1,'ref-e3','{"msgtype":"m.text","body":"message 3"}',1701728000500,NULL);
INSERT INTO "inbox" VALUES(4,'$e4','!c1:example.org','@alice:example.org','m.room.message',NULL,1700000000004,1701728000500,0,0,'ref-e4','{"msgtype":"m.text","body":"message 4"}',1701728000500,NULL);
INSERT INTO "inbox" VALUES(5,'$e5','!c2:example.org','@alice:example.org','m.room.message',NULL,1700000000005,1701728000500,0,1,'ref-e5','{"msgtype":"m.text","body":"message 5"}',1701728000500,NULL);
INSERT INTO "inbox" VALUES(6,'$e6','!c1:example.org','@alice:example.org','m.room.message',NULL,1700000000006,1701728000500,1,3,'ref-e6','{"msgtype":"m.text","body":"message 6"}',1701728000500,NULL);
INSERT INTO "inbox" VALUES(7,'$e7','!c1:example.org','@alice:example.org','m.room.topic','',1700000000007,1701728000500,0,NULL,'ref-e7','{"msgtype":"m.text","body":"message 7"}',NULL,NULL);
INSERT INTO "inbox" VALUES(8,'$e8','!c2:example.org','@alice:example.org','m.room.message',NULL,1700000000008,1701728000500,0,NULL,'ref-e8','{"msgtype":"m.text","body":"message 8"}',NULL,NULL);
INSERT INTO "inbox" VALUES(9,'$e9','!c6:example.org','@alice:example.org','m.room.message',NULL,1700000000009,1701728000500,0,NULL,'ref-e9','{"msgtype":"m.text","body":"message 9"}',NULL,'!c5:example.org');
INSERT INTO "inbox" VALUES(10,'$e10','!unknown:example.org','@alice:example.org','m.room.message',NULL,1700000000010,1701728000500,0,NULL,'ref-e10','{"msgtype":"m.text","body":"message 10"}',NULL,NULL);
INSERT INTO "inbox" VALUES(11,'$e11','!c1:example.org','@alice:example.org','m.room.message',NULL,1700000000000,1702000000000,0,NULL,'trace-$e11','{"body":"hi"}',NULL,NULL);
INSERT INTO "inbox" VALUES(12,'$e12','!c2:example.org','@alice:example.org','m.room.message',NULL,1700000000000,1702000000000,0,NULL,'trace-$e12','{"body":"hi"}',NULL,NULL);
INSERT INTO "inbox" VALUES(13,'$yes','!c1:example.org','@alice:example.org','m.room.message',NULL,1700000000000,1702000000000,0,NULL,'trace-$yes','{"msgtype":"m.text","body":"!yes 1"}',NULL,NULL);
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
INSERT INTO "intent" VALUES('intent-9',0,3,'@bob:example.org','!inv:example.org','$o','Notes','C1',209,'writer','!space2:example.org','','ref-intent');
CREATE TABLE invite(
  room TEXT PRIMARY KEY,
  inviter TEXT NOT NULL,
  direct INTEGER NOT NULL CHECK(direct BETWEEN 0 AND 1),
  trace TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "invite" VALUES('!inv:example.org','@bob:example.org',1,'ref-inv');
CREATE TABLE meta(
  key TEXT PRIMARY KEY,        -- 'cursor': next_batch of the last admitted sync response
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('cursor','s3');
INSERT INTO "meta" VALUES('topology_known','1');
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
INSERT INTO "outbox" VALUES(1,'dead1','pb-dead1','!c2:example.org',0,0,'m.room.message','','OLDDEVICE','t-failed','',1701728000500,1701728000500,1,2,NULL,'M_FORBIDDEN','ref-dead1','{"msgtype":"m.text","body":"said dead1"}');
INSERT INTO "outbox" VALUES(2,'drop1','pb-drop1','!c1:example.org',0,2,'m.room.message','','OLDDEVICE','t-answered','',1701728000500,1701728000500,0,3,NULL,NULL,'ref-drop1','{"msgtype":"m.text","body":"said drop1"}');
INSERT INTO "outbox" VALUES(3,'sent1','pb-sent1','!c1:example.org',0,0,'m.room.message','','OLDDEVICE','t-answered','',1701728000500,1701728000500,1,1,'$s1',NULL,'ref-sent1','{"msgtype":"m.text","body":"said sent1"}');
INSERT INTO "outbox" VALUES(4,'wait1','pb-wait1','!c2:example.org',0,0,'m.room.message','','OLDDEVICE','t-interrupted','',1701728000500,NULL,1,0,NULL,NULL,'ref-wait1','{"msgtype":"m.text","body":"said wait1"}');
INSERT INTO "outbox" VALUES(5,'mark1','','!c1:example.org',1,1,'io.patchbay.chat','','OLDDEVICE','','',1701728000500,NULL,1,0,NULL,NULL,'ref-mark1','{"msgtype":"m.text","body":"said mark1"}');
INSERT INTO "outbox" VALUES(6,'notice1','pb-notice1','!c2:example.org',0,0,'m.room.message','','OLDDEVICE','','dead1',1701728000500,NULL,0,0,NULL,NULL,'ref-notice1','{"msgtype":"m.text","body":"said notice1"}');
INSERT INTO "outbox" VALUES(7,'prog1','pb-prog1','!c2:example.org',0,2,'m.room.message','','OTHER','t-open','',1701728000500,NULL,0,0,NULL,NULL,'ref-prog1','{"msgtype":"m.text","body":"said prog1"}');
INSERT INTO "outbox" VALUES(8,'wait2','pb-wait2','!lobby:example.org',0,0,'m.room.message','','OLDDEVICE','','',1701728000500,NULL,1,0,NULL,NULL,'ref-wait2','{"msgtype":"m.text","body":"said wait2"}');
INSERT INTO "outbox" VALUES(9,'last','pb-last','!c1:example.org',0,0,'m.room.message','','OLDDEVICE','','',1701728000500,1701728000500,1,1,'$s2',NULL,'ref-last','{"msgtype":"m.text","body":"said last"}');
INSERT INTO "outbox" VALUES(10,'file1','pb-file1','!c1:example.org',2,0,'m.room.message','','NEWDEVICE','','',1702000000000,NULL,1,0,NULL,NULL,'trace','{"path":"out/plan.pdf"}');
INSERT INTO "outbox" VALUES(11,'q1','pb-q1','!c1:example.org',0,0,'m.room.message','','NEWDEVICE','t1','',1702000000000,NULL,1,0,NULL,NULL,'trace','{"body":"an answer"}');
INSERT INTO "outbox" VALUES(12,'q2','pb-q2','!c1:example.org',0,0,'m.room.message','','NEWDEVICE','t1','',1702000000000,NULL,1,0,NULL,NULL,'trace','{"body":"an answer"}');
CREATE TABLE poison(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  room TEXT NOT NULL,
  event_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  raw TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
INSERT INTO "poison" VALUES(1,'!c1:example.org','$bad','no sender','{"type":1}',1701728000500);
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
INSERT INTO "room" VALUES('!c1:example.org',0,'@alice:example.org','C1',201,'writer',1,0,'!space:example.org','intent-1','Chat 1',0,1,1,0,'["@bob:example.org"]',3,1200,340,'{"asked":"@alice:example.org","expires_at":1702000600000,"options":["plans","drafts"]}');
INSERT INTO "room" VALUES('!c2:example.org',0,'@alice:example.org','C2',210,'writer',3,0,'!space:example.org','intent-2','Chat 2',1,NULL,NULL,1,'[]',0,0,0,NULL);
INSERT INTO "room" VALUES('!c3:example.org',0,'@alice:example.org','C3',203,'writer',3,1,'!space:example.org','intent-3','Chat 3',0,NULL,NULL,1,'[]',0,0,0,NULL);
INSERT INTO "room" VALUES('!c4:example.org',0,'@alice:example.org','C4',204,'writer',4,2,'!space:example.org','intent-4','Chat 4',0,NULL,NULL,1,'[]',0,0,0,NULL);
INSERT INTO "room" VALUES('!c5:example.org',0,'@alice:example.org','C5',0,'writer',5,2,'!space:example.org','intent-5','Chat 5',0,NULL,NULL,1,'[]',0,0,0,NULL);
INSERT INTO "room" VALUES('!c6:example.org',0,'@alice:example.org','C5',205,'writer',5,0,'!space:example.org','intent-5','Chat 5',0,NULL,NULL,1,'[]',0,0,0,NULL);
INSERT INTO "room" VALUES('!lobby:example.org',1,'@alice:example.org','',0,'',0,0,'','','',0,NULL,NULL,1,'[]',0,0,0,NULL);
INSERT INTO "room" VALUES('!space:example.org',2,'@alice:example.org','',0,'',0,0,'','','Agents',0,NULL,NULL,1,'[]',0,0,0,NULL);
CREATE TABLE saved_context(
  owner TEXT NOT NULL,
  agent TEXT NOT NULL,
  name TEXT NOT NULL,
  room TEXT NOT NULL,
  path TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY(owner, agent, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "saved_context" VALUES('@alice:example.org','writer','plans','!c1:example.org','contexts/plans.md',1701728000500);
CREATE TABLE seen(
  id BLOB PRIMARY KEY CHECK(length(id) = 16),
  day INTEGER NOT NULL         -- of admission, counted from 1970-01-01 UTC
) STRICT, WITHOUT ROWID;
INSERT INTO "seen" VALUES(X'7FFAF27067059FAFF3A339A5C7B8865A',19675);
INSERT INTO "seen" VALUES(X'89750AE9D56358C16ED36CBA9429B601',19675);
CREATE TABLE sequence(
  name TEXT PRIMARY KEY,       -- 'platform_chat_id'
  last INTEGER NOT NULL CHECK(last BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
INSERT INTO "sequence" VALUES('platform_chat_id',210);
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
INSERT INTO "turn" VALUES('t-answered','!c1:example.org','writer',201,4,1,1,1701728001500);
INSERT INTO "turn" VALUES('t-cancelled','!c1:example.org','writer',201,6,4,1,1701728001500);
INSERT INTO "turn" VALUES('t-failed','!c2:example.org','writer',202,3,2,1,1701728001500);
INSERT INTO "turn" VALUES('t-interrupted','!c2:example.org','writer',202,5,3,1,1701728001500);
INSERT INTO "turn" VALUES('t-next','!c1:example.org','writer',201,11,0,1,1702000000200);
INSERT INTO "turn" VALUES('t-open','!c2:example.org','writer',202,8,0,2,1701728005500);
CREATE TABLE user(
  id TEXT PRIMARY KEY,
  space TEXT NOT NULL,
  agent TEXT NOT NULL,
  next_chat INTEGER NOT NULL CHECK(next_chat >= 1),
  lang INTEGER NOT NULL CHECK(lang BETWEEN 0 AND 1)
) STRICT, WITHOUT ROWID;
INSERT INTO "user" VALUES('@alice:example.org','!space:example.org','writer',6,1);
INSERT INTO "user" VALUES('@bob:example.org','','',1,0);
CREATE UNIQUE INDEX room_platform ON room(platform) WHERE platform > 0;
CREATE INDEX inbox_pending ON inbox(room, seq) WHERE outcome IS NULL;
CREATE INDEX turn_open ON turn(room) WHERE state = 0;
CREATE INDEX inbox_room ON inbox(room, seq);
CREATE INDEX turn_message ON turn(room, inbox_seq);
CREATE UNIQUE INDEX poison_event ON poison(event_id) WHERE event_id <> '';
CREATE INDEX poison_at ON poison(at);
CREATE INDEX seen_day ON seen(day);
CREATE INDEX chat_number_room ON chat_number(room);
CREATE INDEX confirmation_room ON confirmation(room, number);
CREATE INDEX confirmation_open ON confirmation(room, number) WHERE state = 0;
CREATE INDEX outbox_waiting ON outbox(seq) WHERE state = 0;
CREATE INDEX outbox_markers ON outbox(room) WHERE state = 0 AND kind = 1;
CREATE INDEX outbox_dead ON outbox(seq) WHERE state = 2;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('inbox',13);
INSERT INTO "sqlite_sequence" VALUES('poison',1);
INSERT INTO "sqlite_sequence" VALUES('outbox',12);
INSERT INTO "sqlite_sequence" VALUES('confirmation',2);
COMMIT;
PRAGMA application_id=1346520130;
PRAGMA user_version=3;
