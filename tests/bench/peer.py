#!/usr/bin/python3
"""The router that a team would otherwise write: matrix-nio, asyncio, websockets, sqlite3.

The Python peer of the benchmarks. It does the same job with the same three durable commits a message
as the router and the floor: the message with the cursor; the dispatched mark after the WebSocket
handshake and before the write; the answer with the end of its message. A commit for each message, as
such programs are written; a connection for each turn, as the usual client library does.
No streaming to the room, no recovery, no commands: it does less than Patchbay must.

usage: peer.py HOMESERVER USER_ID ACCESS_TOKEN DEVICE_ID AGENTS_URL DATABASE full|normal
AGENTS_URL: what stands before agent_K/v1/agent_ws/CHAT/. needs: python3-matrix-nio, python3-websockets
"""
import asyncio
import json
import resource
import signal
import sqlite3
import sys
import uuid

import websockets
from nio import AsyncClient, AsyncClientConfig, RoomMessageText

SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE inbox(event_id TEXT PRIMARY KEY, room TEXT, sender TEXT, body TEXT, state INTEGER);
CREATE TABLE outbox(txn TEXT PRIMARY KEY, room TEXT, body TEXT, state INTEGER, event_id TEXT);
CREATE TABLE cursor(id INTEGER PRIMARY KEY CHECK (id = 1), since TEXT);
"""


async def main(homeserver, user_id, token, device, agents, database, synchronous):
    config = AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, encryption_enabled=False)
    client = AsyncClient(homeserver, user_id, device_id=device, config=config)
    client.access_token, client.user_id = token, user_id
    store = sqlite3.connect(database)
    store.executescript(SCHEMA)
    store.execute(f"PRAGMA synchronous={'FULL' if synchronous == 'full' else 'NORMAL'}")
    base = agents.replace("http", "ws", 1).rstrip("/")
    chats = {}  # room id → address of its agent and chat
    locks = {}  # room id → one turn at a time, in order
    turns = set()
    sent = []  # committed with whatever is committed next

    def receipts():
        if sent:
            store.executemany("UPDATE outbox SET state=1, event_id=? WHERE txn=?", sent)
            sent.clear()

    async def turn(room_id, event):
        async with locks.setdefault(room_id, asyncio.Lock()):
            answer = ""
            async with websockets.connect(chats[room_id], max_size=None, compression=None) as ws:
                with store:
                    receipts()
                    store.execute("UPDATE inbox SET state=1 WHERE event_id=?", (event.event_id,))
                await ws.send(json.dumps({"type": "USER_MESSAGE", "text": event.body, "attachments": [],
                                          "user_id": event.sender, "message_id": event.event_id}))
                async for raw in ws:
                    m = json.loads(raw)
                    if m["type"] == "AGENT_EVENT_TEXT_CHUNK":
                        answer += m["text"]
                    elif m["type"] == "AGENT_EVENT_END":
                        break
                    elif m["type"] == "ERROR":
                        raise RuntimeError(raw)
            content = {"msgtype": "m.text", "body": answer, "m.mentions": {"user_ids": [event.sender]},
                       "m.relates_to": {"m.in_reply_to": {"event_id": event.event_id}}}
            txn = uuid.uuid4().hex
            with store:
                receipts()
                store.execute("INSERT INTO outbox VALUES(?,?,?,0,NULL)", (txn, room_id, json.dumps(content)))
                store.execute("UPDATE inbox SET state=2 WHERE event_id=?", (event.event_id,))
            r = await client.room_send(room_id, "m.room.message", content, tx_id=txn,
                                       ignore_unverified_devices=True)
            sent.append((r.event_id, txn))

    async def on_text(room, event):
        if event.sender == user_id:
            return
        with store:
            receipts()
            new = store.execute("INSERT OR IGNORE INTO inbox VALUES(?,?,?,?,0)",
                                (event.event_id, room.room_id, event.sender, event.body)).rowcount
            store.execute("INSERT OR REPLACE INTO cursor VALUES(1,?)", (client.next_batch,))
        if new:
            task = asyncio.create_task(turn(room.room_id, event))
            turns.add(task)
            task.add_done_callback(ended)

    def ended(task):
        turns.discard(task)
        if not task.cancelled() and task.exception():
            print(repr(task.exception()), file=sys.stderr, flush=True)

    first = await client.sync(timeout=1, full_state=True)
    for room_id, info in first.rooms.join.items():
        for event in info.state:
            source = getattr(event, "source", {})
            if source.get("type") == "io.patchbay.chat":
                content = source["content"]
                agent = content["agent_id"].replace("-", "_")
                chats[room_id] = f"{base}/{agent}/v1/agent_ws/{content['platform_chat_id']}/"
    client.add_event_callback(on_text, RoomMessageText)
    print("ready", flush=True)
    forever = asyncio.ensure_future(client.sync_forever(timeout=30000))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, forever.cancel)
    try:
        await forever
    except asyncio.CancelledError:
        pass
    with store:
        receipts()
    await client.close()


if __name__ == "__main__":
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    asyncio.run(main(*sys.argv[1:]))
