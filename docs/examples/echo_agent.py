#!/usr/bin/python3
"""An agent for Patchbay: python3 echo_agent.py [PORT]   (Debian: python3-websockets; pip: websockets)"""
import asyncio
import contextlib
import json
import sys

import websockets

memory = {}  # chat id → what was said there; a real agent keeps this on disk


async def answer(chat, text):
    """Yours: pieces of Markdown. CANCEL interrupts it at an await, an exception becomes an ERROR."""
    said = memory.setdefault(chat, [])
    said.append(text)
    for word in f"You said: {text} (message {len(said)} here)".split(" "):
        yield word + " "
        await asyncio.sleep(0.02)


async def turn(send, chat, text):
    """Any number of events, then one END or one ERROR, whatever happens."""
    try:
        async for piece in answer(chat, text):
            await send(type="AGENT_EVENT_TEXT_CHUNK", text=piece)
    except asyncio.CancelledError:
        pass  # CANCEL wants an END, too
    except Exception as e:
        return await send(type="ERROR", code="internal", details=str(e))
    await send(type="AGENT_EVENT_END", usage={"input_tokens": len(text.split()), "output_tokens": 1})


async def connection(ws):
    """One chat, for as long as the router keeps the connection."""
    path = ws.request.path if hasattr(ws, "request") else ws.path  # since websockets 13 · before
    chat, task = path.rstrip("/").rsplit("/", 1)[-1], None
    async for raw in ws:
        with contextlib.suppress(ValueError):
            frame = json.loads(raw)
        if not isinstance(frame, dict):
            continue
        if kind == "USER_MESSAGE":
            async def send(turn_id=turn_id, **fields):
                with contextlib.suppress(websockets.ConnectionClosed):  # nobody waits for the rest
                    await ws.send(json.dumps({"message_id": turn_id, **fields}))

            task = asyncio.create_task(turn(send, chat, frame["text"]))
        elif kind == "CANCEL" and task:
            task.cancel()
    if task:
        task.cancel()  # the router is gone


async def main():
    port = int((sys.argv + [7000])[1])
    async with websockets.serve(connection, "127.0.0.1", port, max_size=8 << 20) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()

asyncio.run(main())
