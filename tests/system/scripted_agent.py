#!/usr/bin/python3
"""A scripted agent for system tests: speaks agent-ws, does what the text of a message says.

    scripted_agent.py [--port N] [--record FILE] [--reject STATUS]

Prints one line of JSON, {"port": N, "pid": N}, when it listens (127.0.0.1). The address is
[/prefix]/v1/agent_ws/{chat_id}/; a prefix /do/WORDS gives every message of that agent the behaviour
WORDS (dashes for spaces: /do/chunks-5), otherwise the text's first words choose it:

    echo TEXT      TEXT in one chunk                 chunks N       N chunks "1 " to "N "
    sleep S        S seconds of silence, then text   drip N S       N chunks, S seconds between them
    big N          N bytes of text in one chunk      huge frame     one frame of 9 MB
    die mid        a chunk, then TCP reset           die now        TCP reset, nothing said
    close CODE     a chunk, a close frame with CODE  no end         a chunk, then close 1000
    hang           a chunk, then silence for ever    mute           nothing, ever
    error CODE     ERROR with CODE                   deaf           ignores CANCEL for a minute
    second end     END twice, then a late chunk      goodbye        GRACEFUL_DISCONNECT, text, END
    unknown type   types and fields nobody knows     malformed      a frame that is not JSON, then END
    binary         a binary frame                    wrong types    fields of wrong types, then END
    tool           tool call in pieces and result    status         STATUS, custom update, text
    confirm        asks; says which answer came      file           SEND_FILE out/report.txt, END
    usage          END with usage                    who            the USER_MESSAGE as JSON text
    count          how many messages this chat had   html           text that tries to inject HTML
Anything else is echoed. Every frame is recorded as a line of JSON: {"t", "connection", "path",
"headers", "frame"}, and connections as {"event": "open" | "closed", "code": …}.
"""
import argparse
import asyncio
import collections
import http
import json
import os
import sys
import time

import websockets


class Agent:
    def __init__(self, options):
        self.options = options
        self.record_file = open(options.record, "a", encoding="utf-8") if options.record else None
        self.connections = 0
        self.messages = collections.Counter()

    def record(self, **what):
        if self.record_file:
            self.record_file.write(json.dumps({"t": round(time.time(), 4), **what}) + "\n")
            self.record_file.flush()

    async def upgrade(self, path, headers):
        if self.options.reject:
            self.record(event="rejected", path=path, headers=dict(headers.raw_items()))
            return http.HTTPStatus(self.options.reject), [], b"no\n"
        if "/agent_ws/" not in path:
            return http.HTTPStatus.NOT_FOUND, [], b"no such agent\n"
        return None

    async def serve(self, ws, path):
        self.connections += 1
        number = self.connections
        headers = {k.lower(): v for k, v in ws.request_headers.raw_items()}
        self.record(event="open", connection=number, path=path, headers=headers)
        try:
            await Conversation(self, ws, path, number).run()
        except websockets.ConnectionClosed:
            pass
        finally:
            await ws.wait_closed()
            self.record(event="closed", connection=number, path=path, code=ws.close_code)


class Conversation:
    def __init__(self, agent, ws, path, number):
        self.agent, self.ws, self.path, self.number = agent, ws, path, number
        self.chat = path.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
        self.forced = path.split("/")[2].replace("-", " ") if path.startswith("/do/") else None
        self.task = None
        self.deaf = False
        self.message_id = None
        self.decision = asyncio.get_running_loop().create_future()

    async def run(self):
        async for raw in self.ws:
            try:
                frame = json.loads(raw)
            except ValueError:
                frame = {"type": "NOT JSON", "raw": str(raw)}
            self.agent.record(connection=self.number, path=self.path, frame=frame)
            kind = frame.get("type")
            if kind == "USER_MESSAGE":
                self.message_id = frame.get("message_id")
                self.agent.messages[self.chat] += 1
                self.task = asyncio.create_task(self.turn(frame))
            elif kind == "CONFIRM" and self.task and not self.decision.done():
                self.decision.set_result(frame.get("decision"))
            elif kind == "CONFIRM":
                await self.text("Late answer: " + str(frame.get("decision")))
                await self.send("AGENT_EVENT_END")
            elif kind == "CANCEL" and self.task and not self.task.done() and not self.deaf:
                self.task.cancel()
                await self.send("AGENT_EVENT_END")
        if self.task:
            self.task.cancel()

    async def turn(self, frame):
        try:
            words = (self.forced or frame.get("text", "")).split()
            await self.behave(words, frame)
        except (asyncio.CancelledError, websockets.ConnectionClosed):
            pass

    async def send(self, kind, **fields):
        if self.message_id is not None:
            fields.setdefault("message_id", self.message_id)
        await self.ws.send(json.dumps({"type": kind, **fields}))

    async def text(self, text):
        await self.send("AGENT_EVENT_TEXT_CHUNK", text=text)

    def reset(self):
        """Ends the connection without a close frame."""
        self.ws.transport.abort()

    async def behave(self, words, frame):
        said = frame.get("text", "")
        first = " ".join(words[:2])
        number = words[1] if len(words) > 1 else ""
        count = int(number) if number.isdigit() else 3
        if words[:1] == ["echo"] and not self.forced:
            await self.text(said[4:].lstrip())
        elif words[:1] == ["chunks"]:
            for i in range(count):
                await self.text(f"{i + 1} ")
        elif words[:1] == ["drip"]:
            for i in range(count):
                await self.text(f"{i + 1} ")
                await asyncio.sleep(float(words[2]) if len(words) > 2 else 0.2)
        elif words[:1] == ["sleep"]:
            await asyncio.sleep(float(number or 1))
            await self.text("awake: " + said)
        elif words[:1] == ["big"]:
            line = "All work and no play makes a long answer. "
            await self.text((line * (count // len(line) + 1))[:count])
        elif first == "huge frame":
            await self.text("x" * 9_000_000)
        elif first == "die mid":
            await self.text("half an answer")
            await asyncio.sleep(0.1)
            return self.reset()
        elif first == "die now":
            return self.reset()
        elif words[:1] == ["close"]:
            await self.text("half an answer")
            return await self.ws.close(count if count >= 1000 else 1011)
        elif first == "no end":
            await self.text("all of it, without an end")
            return await self.ws.close(1000)
        elif words[:1] == ["hang"]:
            await self.text("half an answer")
            return await asyncio.sleep(86400)
        elif words[:1] == ["mute"]:
            return await asyncio.sleep(86400)
        elif words[:1] == ["deaf"]:
            self.deaf = True
            await self.text("I do not listen. ")
            await asyncio.sleep(60)
        elif words[:1] == ["error"]:
            return await self.send("ERROR", code=number or "failed", details="as asked", retryable=False)
        elif first == "second end":
            await self.text("one answer")
            for _ in range(2):
                await self.send("AGENT_EVENT_END")
            return await self.text("too late")
        elif words[:1] == ["goodbye"]:
            await self.send("GRACEFUL_DISCONNECT")
            await self.text("my last words")
        elif first == "unknown type":
            await self.send("AGENT_EVENT_FROM_THE_FUTURE", data=[1, 2])
            await self.send("AGENT_EVENT_TEXT_CHUNK", text="known after all", mood="good")
        elif words[:1] == ["malformed"]:
            await self.ws.send("{this is not JSON")
        elif words[:1] == ["binary"]:
            await self.ws.send(b"\x00\x01")
        elif first == "wrong types":
            await self.send("AGENT_EVENT_TOOL_CALL_CHUNK", tool_call_id=7, tool_name=["x"], args_chunk={})
            await self.send("AGENT_EVENT_TOOL_RESULT", result=None, is_error="no")
            await self.send("AGENT_EVENT_CUSTOM_UPDATE", name=1, payload=2)
            await self.send("STATUS", text={"a": 1})
            await self.text("survived")
            return await self.send("AGENT_EVENT_END", tokens_used="many", usage=[1])
        elif words[:1] == ["tool"]:
            for piece in ('{"query": ', '"weather"}'):
                await self.send("AGENT_EVENT_TOOL_CALL_CHUNK", tool_call_id="c1", tool_name="search",
                                args_chunk=piece)
            await self.send("AGENT_EVENT_TOOL_RESULT", tool_call_id="c1", tool_name="search",
                            result={"sky": "blue"}, is_error=False)
            await self.text("The sky is blue.")
        elif words[:1] == ["status"]:
            await self.send("STATUS", text="warming up")
            await self.send("AGENT_EVENT_CUSTOM_UPDATE", name="progress", payload={"done": 1, "of": 3})
            await self.text("ready")
        elif words[:1] == ["confirm"]:
            await self.send("AGENT_EVENT_CONFIRM", confirmation_id="q1", prompt="May I?", expires_in=60)
            decision = await self.decision
            self.decision = asyncio.get_running_loop().create_future()
            await self.text(f"The answer was {decision}.")
        elif words[:1] == ["file"]:
            await self.send("AGENT_EVENT_SEND_FILE", path="out/report.txt")
            await self.text("There is the file.")
        elif words[:1] == ["usage"]:
            await self.text("counted")
            return await self.send("AGENT_EVENT_END", usage={"input_tokens": 11, "output_tokens": 22})
        elif words[:1] == ["who"]:
            await self.text(json.dumps(frame, sort_keys=True))
        elif words[:1] == ["count"]:
            await self.text(f"message {self.agent.messages[self.chat]} of chat {self.chat}")
        elif words[:1] == ["html"]:
            await self.text("<script>alert(1)</script> @room <img src=http://x/y> [a](javascript:1)")
        else:
            await self.text("echo: " + said)
        await self.send("AGENT_EVENT_END")


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", help="JSON lines of everything that came are appended here")
    parser.add_argument("--reject", type=int, default=0, help="answer every upgrade with this status")
    options = parser.parse_args()
    agent = Agent(options)
    async with websockets.serve(agent.serve, "127.0.0.1", options.port, process_request=agent.upgrade,
                                max_size=None, compression=None) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1], "pid": os.getpid()}), flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
