#!/usr/bin/python3
"""An agent that speaks agent-ws well but for one thing, for the tests of `patchbay agent check`.

    bad_agent.py FAULT [WORKSPACE]      prints "listening on PORT"

FAULT is a name in FAULTS, or "none"."""
import asyncio
import contextlib
import json
import os
import pathlib
import sys

import websockets

FAULTS = {
    # name: (the case that finds it, words of what is said about it)
    "no_end": ("turn", "no END within"),
    "closes_early": ("turn", "the connection ended before END: it closed with code 1000"),
    "two_ends": ("turn", "a second END"),
    "text_after_end": ("turn", "belongs to no turn"),
    "binary": ("turn", "a binary frame"),
    "not_json": ("turn", "a frame is none of the protocol"),
    "never_answers": ("turn", "and nothing else either"),
    "wrong_id": ("turn", "a message_id that is not the turn's"),
    "huge_frame": ("turn", "a rule of the connection was broken"),
    "no_empty_text": ("empty_text", "the connection ended before END"),
    "ignores_cancel": ("cancel", "no END within 1000 ms"),
    "stuck_after_cut": ("reconnect", "on a new connection: no END"),
    "mixes_chats": ("two_chats", "came back in chat"),
    "no_pings": ("pings", "stopped answering pings"),
    "needs_ids": ("missing_fields", "the connection ended before END"),
    "strict_fields": ("unknown_fields", "ERROR, code \"bad_frame\""),
    "dies_of_types": ("unknown_type", "the connection ended before END"),
    "dies_of_junk": ("broken_json", "cannot be reached"),
    "sends_outside": ("sent_files", "is refused"),
    "sends_missing": ("sent_files", "cannot be sent"),
    "asks_twice": ("question_yes", "was used twice"),
    "forgets_answer": ("late_answer", "no END within"),
    "none": (None, None),
}

fault = sys.argv[1] if len(sys.argv) > 1 else "none"
workspace = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
KNOWN = {"type", "text", "attachments", "user_id", "chat_id", "message_id"}
last_text = ""  # shared by all chats: what an agent must not do
unfinished = {}  # of each chat, the connection that has a turn which did not end


class Chat:
    def __init__(self, ws, number):
        self.ws, self.number, self.task, self.echo, self.decision = ws, number, None, {}, None

    async def send(self, kind, **fields):
        await self.ws.send(json.dumps({"type": kind, **self.echo, **fields}))

    async def chunk(self, text):
        await self.send("AGENT_EVENT_TEXT_CHUNK", text=text)

    async def ask(self, name):
        self.decision = asyncio.get_running_loop().create_future()
        await self.send("AGENT_EVENT_CONFIRM", confirmation_id=name, prompt="May I?")
        return await self.decision

    async def odd_turn(self):
        """What the first question gets, if the fault is one of the plain kind."""
        if fault == "no_end":
            await self.chunk("and so on")
        elif fault == "closes_early":
            await self.chunk("half")
            await self.ws.close(1000)
        elif fault in ("two_ends", "text_after_end"):
            await self.chunk("done")
            await self.send("AGENT_EVENT_END")
            await (self.send("AGENT_EVENT_END") if fault == "two_ends" else self.chunk("one more thing"))
        elif fault == "binary":
            await self.ws.send(b"\x00\x01")
        elif fault == "not_json":
            await self.ws.send("{'type': 'AGENT_EVENT_TEXT_CHUNK'}")
        elif fault == "wrong_id":
            await self.ws.send(json.dumps({"type": "AGENT_EVENT_TEXT_CHUNK", "text": "x", "message_id": "1"}))
            await self.send("AGENT_EVENT_END")
        elif fault == "huge_frame":
            await self.chunk("x" * (9 << 20))
        elif fault != "never_answers":
            return False
        return True

    async def turn(self, frame):
        global last_text
        text = frame["text"]
        if await self.odd_turn():
            return
        if fault == "no_empty_text" and text == "":
            await self.ws.close(1011)
            return
        if fault == "needs_ids":
            self.number = frame["chat_id"]
        if fault == "strict_fields" and set(frame) - KNOWN:
            await self.send("ERROR", code="bad_frame", details="a field that I do not know")
            return
        if fault == "stuck_after_cut" and unfinished.setdefault(self.number, self) is not self:
            return  # asked of turns, not of connections: the new one may be here before the old one's end
        if text.startswith("permission"):
            decision = await self.ask("q1")
            if fault == "asks_twice":
                decision = await self.ask("q1")
            await self.chunk(f"The answer was {decision}.")
        elif text.startswith("Count"):
            for i in range(400):
                await self.chunk(f"{i} ")
                await asyncio.sleep(0.05)
        else:
            last_text = text
            await self.chunk("You said: ")
            await asyncio.sleep(0.05)
            await self.chunk(last_text if fault == "mixes_chats" else text)
        if fault == "sends_outside":
            await self.send("AGENT_EVENT_SEND_FILE", path="../secret")
        elif fault == "sends_missing":
            await self.send("AGENT_EVENT_SEND_FILE", path="not-there.txt")
        elif "patchbay check.txt" in text:
            (workspace / "out.txt").write_text("mine", encoding="utf-8")
            await self.send("AGENT_EVENT_SEND_FILE", path="out.txt")
        await self.send("AGENT_EVENT_END")
        unfinished.pop(self.number, None)

    async def guarded_turn(self, frame):
        try:
            await self.turn(frame)
        except KeyError:
            await self.ws.close(1011)
        except websockets.ConnectionClosed:
            pass

    async def take(self, raw):
        try:
            frame = json.loads(raw)
            kind = frame["type"]
        except (ValueError, TypeError, KeyError):
            if fault == "dies_of_junk":
                os._exit(1)
            return
        if kind == "USER_MESSAGE":
            self.echo = {"message_id": frame["message_id"]} if "message_id" in frame else {}
            self.task = asyncio.create_task(self.guarded_turn(frame))
        elif kind == "CONFIRM" and self.decision and not self.decision.done():
            self.decision.set_result(frame["decision"])
        elif kind == "CONFIRM" and fault != "forgets_answer":
            self.echo = {}
            await self.send("ERROR", code="unknown_confirmation", details="nothing waits for this")
        elif kind == "CANCEL":
            if self.task and not self.task.done() and fault != "ignores_cancel":
                self.task.cancel()
                await self.send("AGENT_EVENT_END")
        elif fault == "dies_of_types" and kind != "CONFIRM":
            os._exit(1)


async def connection(ws, path):
    chat = Chat(ws, path.rstrip("/").rsplit("/", 1)[-1])
    with contextlib.suppress(websockets.ConnectionClosed):
        async for raw in ws:
            await chat.take(raw)
    if chat.task and not chat.task.done():
        chat.task.cancel()


class Deaf(websockets.WebSocketServerProtocol):
    """Does not answer pings."""

    async def pong(self, data=b""):
        pass


async def main():
    async with websockets.serve(connection, "127.0.0.1", 0, max_size=8 << 20, ping_interval=None,
                                create_protocol=Deaf if fault == "no_pings" else None) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
