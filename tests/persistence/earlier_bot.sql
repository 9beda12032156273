-- The earlier bot's file, made from its description: a table kv with JSON values.
CREATE TABLE kv(key TEXT PRIMARY KEY, value TEXT);
INSERT INTO kv VALUES('platform_chat_seq', '{"last": 40}');
-- Alice: a Space, three chats; the third has only a name to tell its number.
INSERT INTO kv VALUES('matrix_user:@alice:example.org', '{"space_room_id": "!space:example.org", "selected_agent": "writer", "next_chat_number": 9, "chats": ["C1", "C2", "alice-3"]}');
INSERT INTO kv VALUES('matrix_room:!a1:example.org', '{"chat_id": "C1", "user_id": "@alice:example.org", "space_id": "!space:example.org", "name": "Чат 1"}');
INSERT INTO kv VALUES('chat:C1', '{"platform_chat_id": 17, "agent_id": "writer", "title": "First", "saved": [{"name": "plan", "path": "notes/plan.md", "created_at": 1700000000}, {"name": "escape", "path": "../../etc/passwd", "created_at": 1}]}');
INSERT INTO kv VALUES('matrix_room:!a2:example.org', '{"chat_id": "C2", "user_id": "@alice:example.org", "agent_id": "coder", "archived": true}');
INSERT INTO kv VALUES('chat:C2', '{"platform_chat_id": "18", "agent_id": "writer"}');
INSERT INTO kv VALUES('matrix_room:!a3:example.org', '{"chat_id": "alice-3", "user_id": "@alice:example.org", "name": "Chat 5"}');
INSERT INTO kv VALUES('chat:alice-3', '{"platform_chat_id": 23, "agent_id": "writer"}');
-- Bob: other field names, no entry of his own, a room without any number.
INSERT INTO kv VALUES('matrix_room:!b1:example.org', '{"chat": "bob:C4", "owner": "@bob:example.org", "space_room_id": "!bobs:example.org", "title": "Work", "platform_id": 30, "selected_agent": "writer"}');
INSERT INTO kv VALUES('matrix_room:!b2:example.org', '{"owner": "@bob:example.org", "title": "Untitled"}');
-- What cannot be taken over.
INSERT INTO kv VALUES('matrix_room:!twin:example.org', '{"chat_id": "C7", "user_id": "@alice:example.org", "platform_chat_id": 17}');
INSERT INTO kv VALUES('matrix_room:!broken:example.org', '{"chat_id": ');
INSERT INTO kv VALUES('matrix_room:!nobody:example.org', '{"chat_id": "C8"}');
INSERT INTO kv VALUES('matrix_user:not a user', '{}');
INSERT INTO kv VALUES('matrix_user:@list:example.org', '[]');
INSERT INTO kv VALUES('chat:lonely', '{"platform_chat_id": 55}');
INSERT INTO kv VALUES('settings:theme', '"dark"');
INSERT INTO kv VALUES('sync_token', '"s1"');
