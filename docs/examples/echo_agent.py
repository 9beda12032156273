#!/usr/bin/python3
"""An agent for Patchbay in one file: pip install websockets (Debian: python3-websockets).

    python3 echo_agent.py [PORT]        # base_url: http://127.0.0.1:PORT, default 7000
"""
import asyncio
import json
import sys

import websockets

memory = {}  # chat id → what was said there; a real agent keeps this on disk


async def answer(send, chat, text):
    """One turn: any number of events, then END."""
    said = memory.setdefault(chat, [])
    said.append(text)
    del said[:-100]
    for word in f"You said: {text} (message {len(said)} here)".split():
        await send("AGENT_EVENT_TEXT_CHUNK", text=word + " ")
        await asyncio.sleep(0.02)
    await send("AGENT_EVENT_END", usage={"input_tokens": len(text), "output_tokens": 0})


async def connection(ws):
    path = ws.request.path if hasattr(ws, "request") else ws.path  # since websockets 13 · before
    chat = path.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    turn = None
    async for raw in ws:
        frame = json.loads(raw)
        if frame["type"] == "USER_MESSAGE":
            message_id = frame.get("message_id")

            async def send(kind, message_id=message_id, **fields):
                await ws.send(json.dumps({"type": kind, "message_id": message_id, **fields}))

            turn = asyncio.create_task(answer(send, chat, frame["text"]))
        elif frame["type"] == "CANCEL" and turn and not turn.done():
            turn.cancel()
            await send("AGENT_EVENT_END")
    if turn:
        turn.cancel()


async def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 7000
    async with websockets.serve(connection, "127.0.0.1", port, max_size=8 << 20) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
