#pragma once
// Migration 4: what sessions with agents remember of their chats, and rooms that an operator bound
// to an agent.

namespace pb::sqlite {

inline constexpr const char* schema_4 = R"sql(
CREATE TABLE session_memory(
  seq INTEGER PRIMARY KEY,     -- a new one at every write: the order of age
  agent TEXT NOT NULL,
  chat INTEGER NOT NULL CHECK(chat BETWEEN 1 AND 9007199254740991),
  memory TEXT NOT NULL,        -- the protocol's own, opaque here
  at INTEGER NOT NULL,         -- by our clock, in ms
  UNIQUE(chat, agent)
) STRICT;

-- Counts as long as the room is with this very agent.
CREATE TABLE granted_room(
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

} // namespace pb::sqlite
