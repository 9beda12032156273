#!/usr/bin/python3
"""A scripted agent for system tests: speaks agent-ws, does what the text of a message says.

    scripted_agent.py [--port N] [--record FILE] [--reject STATUS] [--workspace DIR]

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
    confirm        asks; says which answer came      file [PATH]    SEND_FILE (out/report.txt), END
    usage [I O]    END with usage (11 22)            who            the USER_MESSAGE as JSON text
    count          how many messages this chat had   html           text that tries to inject HTML

A text that begins with "do " is a script: steps with ";" between them, each played in its turn, then END
unless the last one ended it. No step may hold a ";".

    say TEXT       TEXT in one chunk ("\\n" in it: a line break)
    chunks N S     N chunks "1 " to "N ", S seconds between them (S may be left out: none)
    wait S         S seconds of silence
    tool NAME ARGS RESULT   a tool call and its result; args and result are words without spaces
    fails NAME     a tool call that ends in an error
    progress N M   AGENT_EVENT_CUSTOM_UPDATE {done: N, of: M}
    status TEXT    STATUS
    ask ID TEXT    AGENT_EVENT_CONFIRM with that id and prompt; expires N ID TEXT: the same with expires_in
    await ID       waits for CONFIRM of that id (any that came before counts), then says "ID=yes "
    await any      for the next CONFIRM of any id
    write PATH TEXT   a file in --workspace (folders are made), TEXT and a line break
    fill PATH N    a file of N bytes there
    read PATH      says what is in a file there, at most 1000 characters
    send PATH      AGENT_EVENT_SEND_FILE
    push ID KIND TEXT        AGENT_EVENT_PUSH (kind task_done, task_error or task_progress) now, in the turn
    later S ID KIND TEXT     the same S seconds from now, whatever goes on then, if the connection is there
    usage I O      tokens that END tells
    forget         from now on a CONFIRM that comes first is answered with ERROR unknown_confirmation
    ignore         from now on a CONFIRM that comes first is not answered at all
    reset · close CODE · error CODE · end       how the turn ends, if not with END at the end

A CONFIRM while nothing runs on its connection begins a turn: "late ID=yes" and END (see forget, ignore).
Anything else is echoed. Every frame is recorded as a line of JSON: {"t", "connection", "path",
"headers", "frame"}, and connections as {"event": "open" | "closed", "code": …}.
"""
import argparse
import asyncio
import collections
import http
import json
import os
import pathlib
import sys
import time

import websockets


class Agent:
    def __init__(self, options):
        self.options = options
        self.record_file = open(options.record, "a", encoding="utf-8") if options.record else None
        self.connections = 0
        self.messages = collections.Counter()
        self.late = "tell"  # what a CONFIRM that comes first gets: tell, forget or ignore

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
        self.decisions, self.decided = [], asyncio.Condition()
        self.usage = None
        self.pending = set()  # what was promised for later

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
            elif kind == "CONFIRM" and self.task and not self.task.done():
                async with self.decided:
                    self.decisions.append(frame)
                    self.decided.notify_all()
            elif kind == "CONFIRM":
                self.message_id = None
                self.task = asyncio.create_task(self.late_answer(frame))
            elif kind == "CANCEL" and self.task and not self.task.done() and not self.deaf:
                self.task.cancel()
                await self.send("AGENT_EVENT_END")
        for task in {self.task, *self.pending} - {None}:
            task.cancel()

    async def late_answer(self, frame):
        if self.agent.late == "forget":
            return await self.send("ERROR", code="unknown_confirmation", details="nobody asked", retryable=False)
        if self.agent.late == "tell":
            await self.text(f"late {frame.get('confirmation_id')}={frame.get('decision')}")
            await self.send("AGENT_EVENT_END")

    async def decision_of(self, name):
        """The frame of the next CONFIRM with that id (any: "any") that nobody has waited for."""
        def find():
            return next((d for d in self.decisions if name in ("any", d.get("confirmation_id"))), None)
        async with self.decided:
            await self.decided.wait_for(find)
            found = find()
            self.decisions.remove(found)
            return found

    async def turn(self, frame):
        self.decisions.clear()
        self.usage = None
        try:
            if frame.get("text", "").startswith("do ") and not self.forced:
                return await self.play(frame["text"][3:])
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

    async def push(self, event_id, kind, *words):
        await self.ws.send(json.dumps({"type": "AGENT_EVENT_PUSH", "event_id": event_id, "kind": kind,
                                       "text": " ".join(words)}))

    async def push_later(self, seconds, *what):
        await asyncio.sleep(float(seconds))
        try:
            await self.push(*what)
        except websockets.ConnectionClosed:
            pass

    def file(self, path):
        return pathlib.Path(self.agent.options.workspace or ".") / path

    async def play(self, script):
        """The steps of a script, then END unless one of them was the end."""
        for step in filter(None, (s.strip() for s in script.split(";"))):
            if await self.step(*step.split()):
                return
        await self.send("AGENT_EVENT_END", **({"usage": self.usage} if self.usage else {}))

    async def step(self, name, *args):
        """True: the turn has ended."""
        if name == "say":
            await self.text(" ".join(args).replace("\\n", "\n"))
        elif name == "chunks":
            for i in range(int(args[0])):
                await asyncio.sleep(float(args[1]) if len(args) > 1 and i else 0)
                await self.text(f"{i + 1} ")
        elif name == "wait":
            await asyncio.sleep(float(args[0]))
        elif name in ("tool", "fails"):
            call = {"tool_call_id": f"c-{args[0]}", "tool_name": args[0]}
            await self.send("AGENT_EVENT_TOOL_CALL_CHUNK", args_chunk=args[1] if len(args) > 1 else "{}", **call)
            await self.send("AGENT_EVENT_TOOL_RESULT", result=args[2] if len(args) > 2 else None,
                            is_error=name == "fails", **call)
        elif name == "progress":
            await self.send("AGENT_EVENT_CUSTOM_UPDATE", name="progress",
                            payload={"done": int(args[0]), "of": int(args[1])})
        elif name == "status":
            await self.send("STATUS", text=" ".join(args))
        elif name == "ask":
            await self.send("AGENT_EVENT_CONFIRM", confirmation_id=args[0], prompt=" ".join(args[1:]))
        elif name == "expires":
            await self.send("AGENT_EVENT_CONFIRM", confirmation_id=args[1], prompt=" ".join(args[2:]),
                            expires_in=float(args[0]))
        elif name == "await":
            found = await self.decision_of(args[0])
            await self.text(f"{found.get('confirmation_id')}={found.get('decision')} ")
        elif name in ("write", "fill"):
            path = self.file(args[0])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * int(args[1]) if name == "fill" else " ".join(args[1:]) + "\n", encoding="utf-8")
        elif name == "read":
            try:
                await self.text(self.file(" ".join(args)).read_text(encoding="utf-8", errors="replace")[:1000])
            except OSError as e:
                await self.text(f"cannot read: {e.strerror}")
        elif name == "send":
            await self.send("AGENT_EVENT_SEND_FILE", path=" ".join(args))
        elif name == "push":
            await self.push(*args)
        elif name == "later":
            task = asyncio.create_task(self.push_later(*args))
            self.pending.add(task)
            task.add_done_callback(self.pending.discard)
        elif name == "usage":
            self.usage = {"input_tokens": int(args[0]), "output_tokens": int(args[1])}
        elif name in ("forget", "ignore"):
            self.agent.late = name
        elif name == "reset":
            self.reset()
            return True
        elif name == "close":
            await self.ws.close(int(args[0]))
            return True
        elif name == "error":
            await self.send("ERROR", code=args[0], details="as asked", retryable=False)
            return True
        elif name == "end":
            await self.send("AGENT_EVENT_END")
            return True
        else:
            await self.send("ERROR", code="bad_script", details=f"no such step: {name}", retryable=False)
            return True
        return False

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
            decision = (await self.decision_of("q1")).get("decision")
            await self.text(f"The answer was {decision}.")
        elif words[:1] == ["file"]:
            await self.send("AGENT_EVENT_SEND_FILE", path=number or "out/report.txt")
            await self.text("There is the file.")
        elif words[:1] == ["usage"]:
            await self.text("counted")
            spent = [int(w) for w in words[1:3]] if len(words) > 2 else [11, 22]
            return await self.send("AGENT_EVENT_END", usage={"input_tokens": spent[0], "output_tokens": spent[1]})
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
    parser.add_argument("--workspace", help="where scripts read and write files")
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
