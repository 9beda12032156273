#!/usr/bin/python3
"""An agent that asks before it acts, keeps its questions, and sends a file: python3-websockets.

    python3 asking_agent.py [PORT] [WORKSPACE]     # base_url: http://127.0.0.1:PORT, default 7000
"""
import asyncio
import itertools
import json
import pathlib
import sys

import websockets

workspace = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
questions = {}  # (chat, confirmation id) → what was to be done; a real agent keeps this on disk
numbers = itertools.count(1)


async def act(send, chat, task, decision):
    """The second half of a turn, whenever it comes."""
    if decision == "yes":
        (workspace / "report.txt").write_text(f"Chat {chat} asked for: {task}\n", encoding="utf-8")
        await send("AGENT_EVENT_SEND_FILE", path="report.txt")
    await send("AGENT_EVENT_TEXT_CHUNK", text="Done." if decision == "yes" else "Then I leave it.")
    await send("AGENT_EVENT_END")


async def connection(ws):
    path = ws.request.path if hasattr(ws, "request") else ws.path  # since websockets 13 · before
    chat = path.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    echo = {}  # message_id of the turn, where there is one

    async def send(kind, **fields):
        await ws.send(json.dumps({"type": kind, **echo, **fields}))

    async for raw in ws:
        try:
            frame = json.loads(raw)
            kind = frame["type"]
        except (ValueError, TypeError, KeyError):
            continue  # what we do not know is ignored
        if kind == "USER_MESSAGE":
            echo = {"message_id": frame["message_id"]} if "message_id" in frame else {}
            name = f"q{next(numbers)}"
            questions[chat, name] = frame["text"]
            await send("AGENT_EVENT_CONFIRM", confirmation_id=name, expires_in=3600,
                       prompt=f"Shall I write a report about “{frame['text'][:200]}”?")
        elif kind == "CONFIRM":  # of this turn, or of one whose connection is gone
            task = questions.pop((chat, frame["confirmation_id"]), None)
            if task is None:
                await send("ERROR", code="unknown_confirmation", details="nothing waits for this")
            else:
                await act(send, chat, task, frame["decision"])
        elif kind == "CANCEL":
            for key in [k for k in questions if k[0] == chat]:
                del questions[key]
            await send("AGENT_EVENT_END")


async def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 7000
    async with websockets.serve(connection, "127.0.0.1", port, max_size=8 << 20) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
