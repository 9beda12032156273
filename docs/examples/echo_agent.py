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
    last = {"type": "AGENT_EVENT_END", "usage": {"input_tokens": len(text.split()), "output_tokens": 1}}
    try:
        async for piece in answer(chat, text):
            await send(type="AGENT_EVENT_TEXT_CHUNK", text=piece)
    except asyncio.CancelledError:
        pass  # CANCEL wants an END, too
    except Exception as e:
        last = {"type": "ERROR", "code": "internal", "details": str(e)}
    with contextlib.suppress(websockets.ConnectionClosed):  # cut off: the next turn comes on a new one
        await send(**last)


async def connection(ws):
    """One chat, for as long as the router keeps the connection."""
    path = ws.request.path if hasattr(ws, "request") else ws.path  # since websockets 13 · before
    chat, task = path.rstrip("/").rsplit("/", 1)[-1], None
    async for raw in ws:
        try:
            frame = json.loads(raw)
            kind, echo = frame["type"], {"message_id": frame.get("message_id")}
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # what we do not know is ignored
        if kind == "USER_MESSAGE":
            async def send(echo=echo, **fields):
                await ws.send(json.dumps({**echo, **fields}))
            task = asyncio.create_task(turn(send, chat, frame["text"]))
        elif kind == "CANCEL" and task:
            task.cancel()


async def main(port):
    async with websockets.serve(connection, "127.0.0.1", port, max_size=8 << 20) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7000))
