#!/usr/bin/python3
"""The agents written in Python, each as a process of its own, against the client of python3-websockets:
those of docs/examples must do what docs/agents.md promises, and the scripted agent of the system
tests what its own help says."""
import asyncio
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import websockets

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/examples/echo_agent.py"
ASKING = ROOT / "docs/examples/asking_agent.py"
SCRIPTED = ROOT / "tests/system/scripted_agent.py"


class Process:
    """An agent that listens; stopped at the end of the with block."""

    def __init__(self, script, *arguments):
        self.command = [sys.executable, str(script), *arguments]

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        self.port = json.loads(line)["port"] if line.startswith("{") else int(line.split()[-1])
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(10)
        self.child.stdout.close()

    def connect(self, chat=1, prefix=""):
        return websockets.connect(f"ws://127.0.0.1:{self.port}{prefix}/v1/agent_ws/{chat}/",
                                  max_size=None)


def question(text, **fields):
    return json.dumps({"type": "USER_MESSAGE", "text": text, "attachments": [], "message_id": "m1", **fields})


async def until_end(ws):
    frames = []
    while not frames or frames[-1]["type"] not in ("AGENT_EVENT_END", "ERROR"):
        frames.append(json.loads(await asyncio.wait_for(ws.recv(), 10)))
    return frames


def text_of(frames):
    return "".join(f["text"] for f in frames if f["type"] == "AGENT_EVENT_TEXT_CHUNK")


async def ask(agent, text, chat=1, prefix=""):
    async with agent.connect(chat, prefix) as ws:
        await ws.send(question(text))
        return await until_end(ws)


class ExampleAgent(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.agent = self.enterContext(Process(EXAMPLE, "0"))

    async def test_it_streams_an_answer_and_remembers_the_chat(self):
        first = await ask(self.agent, "Good morning", chat=5)
        self.assertEqual(text_of(first).strip(), "You said: Good morning (message 1 here)")
        self.assertGreater(len(first), 4)
        self.assertTrue(all(f["message_id"] == "m1" for f in first))
        self.assertIn("message 2 here", text_of(await ask(self.agent, "again", chat=5)))
        self.assertIn("message 1 here", text_of(await ask(self.agent, "again", chat=6)))

    async def test_cancel_ends_the_turn_and_the_connection_goes_on(self):
        async with self.agent.connect() as ws:
            await ws.send(question("word " * 400))
            await ws.recv()
            await ws.send(json.dumps({"type": "CANCEL"}))
            frames = await until_end(ws)
            self.assertLess(len(frames), 200)
            await ws.send(question("and now"))
            self.assertIn("and now", text_of(await until_end(ws)))


class AskingAgent(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.workspace = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.agent = self.enterContext(Process(ASKING, "0", str(self.workspace)))

    async def asked(self, ws, text="frogs"):
        await ws.send(question(text))
        frame = json.loads(await asyncio.wait_for(ws.recv(), 10))
        self.assertEqual((frame["type"], frame["message_id"]), ("AGENT_EVENT_CONFIRM", "m1"))
        self.assertIn(text, frame["prompt"])
        return frame["confirmation_id"]

    @staticmethod
    def decided(name, decision):
        return json.dumps({"type": "CONFIRM", "confirmation_id": name, "decision": decision})

    async def test_it_waits_for_the_decision_and_sends_a_file(self):
        async with self.agent.connect(chat=3) as ws:
            await ws.send(self.decided(await self.asked(ws), "yes"))
            frames = await until_end(ws)
            self.assertEqual([f["path"] for f in frames if "path" in f], ["report.txt"])
            self.assertIn("frogs", (self.workspace / "report.txt").read_text())
            await ws.send(self.decided(await self.asked(ws), "no"))
            self.assertEqual(text_of(await until_end(ws)), "Then I leave it.")

    async def test_a_question_outlives_its_connection_and_is_answered_once(self):
        async with self.agent.connect(chat=3) as ws:
            name = await self.asked(ws)
        for chat, last in ((4, "ERROR"), (3, "AGENT_EVENT_END"), (3, "ERROR")):
            async with self.agent.connect(chat=chat) as ws:
                await ws.send(self.decided(name, "yes"))
                frames = await until_end(ws)
                self.assertEqual(frames[-1]["type"], last)
                self.assertNotIn("message_id", frames[-1])

    async def test_cancel_takes_the_question_back(self):
        async with self.agent.connect(chat=3) as ws:
            name = await self.asked(ws)
            await ws.send(json.dumps({"type": "CANCEL"}))
            await until_end(ws)
            await ws.send(self.decided(name, "yes"))
            self.assertEqual((await until_end(ws))[-1]["type"], "ERROR")


class Documentation(unittest.TestCase):
    def test_the_examples_stand_in_the_documentation_as_they_are_and_are_short(self):
        page = (ROOT / "docs/agents.md").read_text(encoding="utf-8")
        for language, name, most in (("python", "echo_agent.py", 59), ("typescript", "echo_agent.mts", 59),
                                     ("python", "asking_agent.py", 69)):
            code = (ROOT / "docs/examples" / name).read_text(encoding="utf-8")
            self.assertLessEqual(len(code.splitlines()), most, name)
            blocks = re.findall(rf"```{language}\n(.*?)```", page, re.S)
            self.assertIn(code, blocks, f"{name} differs from docs/agents.md")


class ScriptedAgent(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.record = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "frames.jsonl"
        self.agent = self.enterContext(Process(SCRIPTED, "--record", str(self.record),
                                               "--workspace", str(self.record.parent)))

    async def test_ordinary_behaviours_end_with_end(self):
        for text, answer in (("echo  Hello you", "Hello you"), ("chunks 4", "1 2 3 4 "),
                             ("tool", "The sky is blue."), ("status", "ready"), ("big 1000", None),
                             ("unknown type", "known after all"), ("wrong types", "survived"),
                             ("goodbye", "my last words"), ("file", "There is the file."),
                             ("sleep 0.01", "awake: sleep 0.01"), ("anything", "echo: anything")):
            frames = await ask(self.agent, text)
            self.assertEqual(frames[-1]["type"], "AGENT_EVENT_END", text)
            if answer is not None:
                self.assertEqual(text_of(frames), answer)
        self.assertEqual(len(text_of(await ask(self.agent, "big 1000"))), 1000)
        self.assertEqual((await ask(self.agent, "error overloaded"))[-1]["code"], "overloaded")
        self.assertEqual((await ask(self.agent, "usage"))[-1]["usage"]["output_tokens"], 22)

    async def test_a_prefix_of_the_address_chooses_for_every_message(self):
        self.assertEqual(text_of(await ask(self.agent, "anything", prefix="/do/chunks-2")), "1 2 ")

    async def test_endings_without_end(self):
        for text, code in (("die mid", 1006), ("die now", 1006), ("no end", 1000), ("close 1012", 1012)):
            async with self.agent.connect() as ws:
                await ws.send(question(text))
                with self.assertRaises(websockets.ConnectionClosed, msg=text):
                    while True:
                        self.assertNotEqual(json.loads(await asyncio.wait_for(ws.recv(), 10))["type"],
                                            "AGENT_EVENT_END")
                self.assertEqual(ws.close_code, code, text)

    async def test_a_second_end_and_what_comes_after_it(self):
        async with self.agent.connect() as ws:
            await ws.send(question("second end"))
            kinds = [json.loads(await asyncio.wait_for(ws.recv(), 10))["type"] for _ in range(4)]
        self.assertEqual(kinds, ["AGENT_EVENT_TEXT_CHUNK", "AGENT_EVENT_END", "AGENT_EVENT_END",
                                 "AGENT_EVENT_TEXT_CHUNK"])

    async def test_frames_that_are_none(self):
        async with self.agent.connect() as ws:
            await ws.send(question("malformed"))
            with self.assertRaises(ValueError):
                json.loads(await ws.recv())
            await until_end(ws)
            await ws.send(question("binary"))
            self.assertIsInstance(await ws.recv(), bytes)

    async def test_confirm_tells_the_answer_and_cancel_is_obeyed(self):
        async with self.agent.connect() as ws:
            await ws.send(question("confirm"))
            ask_frame = json.loads(await ws.recv())
            self.assertEqual(ask_frame["type"], "AGENT_EVENT_CONFIRM")
            await ws.send(json.dumps({"type": "CONFIRM", "confirmation_id": "q1", "decision": "no"}))
            self.assertEqual(text_of(await until_end(ws)), "The answer was no.")
            await ws.send(question("hang"))
            await ws.recv()
            await ws.send(json.dumps({"type": "CANCEL"}))
            await until_end(ws)

    async def test_a_script_is_played_step_by_step(self):
        frames = await ask(self.agent, "do status warm; say a\\nb ; chunks 3 0.01; tool look {} blue; fails look; "
                           "progress 1 2; usage 5 6")
        kinds = [f["type"].removeprefix("AGENT_EVENT_") for f in frames]
        self.assertEqual(kinds, ["STATUS"] + ["TEXT_CHUNK"] * 4 + ["TOOL_CALL_CHUNK", "TOOL_RESULT"] * 2 +
                         ["CUSTOM_UPDATE", "END"])
        self.assertEqual(text_of(frames), "a\nb1 2 3 ")
        self.assertEqual([f["is_error"] for f in frames if "is_error" in f], [False, True])
        self.assertEqual(frames[-1]["usage"], {"input_tokens": 5, "output_tokens": 6})
        self.assertEqual((await ask(self.agent, "do say x; error busy; say y"))[-1]["code"], "busy")
        self.assertEqual((await ask(self.agent, "do dance"))[-1]["code"], "bad_script")

    async def test_a_script_asks_and_waits_in_any_order(self):
        async with self.agent.connect() as ws:
            await ws.send(question("do ask a first one?; expires 30 b second?; await b; await any"))
            asked = [json.loads(await ws.recv()) for _ in range(2)]
            self.assertEqual([f["prompt"] for f in asked], ["first one?", "second?"])
            self.assertEqual(asked[1]["expires_in"], 30)
            for name, decision in (("a", "no"), ("b", "yes")):
                await ws.send(json.dumps({"type": "CONFIRM", "confirmation_id": name, "decision": decision}))
            self.assertEqual(text_of(await until_end(ws)), "b=yes a=no ")

    async def test_a_confirm_that_comes_first_begins_a_turn(self):
        confirm = json.dumps({"type": "CONFIRM", "confirmation_id": "q", "decision": "yes"})
        async with self.agent.connect() as ws:
            await ws.send(confirm)
            self.assertEqual(text_of(await until_end(ws)), "late q=yes")
            await ws.send(question("do forget"))
            await until_end(ws)
            await ws.send(confirm)
            self.assertEqual((await until_end(ws))[-1]["code"], "unknown_confirmation")
            await ws.send(question("do ignore"))
            await until_end(ws)
            await ws.send(confirm)
            await ws.send(question("echo still here"))
            self.assertEqual(text_of(await until_end(ws)), "still here")

    async def test_pushes_in_and_out_of_turns_and_files(self):
        async with self.agent.connect() as ws:
            await ws.send(question("do push e1 task_progress half way; later 0.05 e2 task_done all done; "
                                   "write out/a b.txt; read out/a; read none; send out/a; fill big 70000"))
            frames = await until_end(ws)
            self.assertEqual(frames[0], {"type": "AGENT_EVENT_PUSH", "event_id": "e1",
                                         "kind": "task_progress", "text": "half way"})
            self.assertEqual(text_of(frames), "b.txt\ncannot read: No such file or directory")
            self.assertIn("out/a", [f.get("path") for f in frames])
            self.assertEqual((self.record.parent / "big").stat().st_size, 70000)
            late = json.loads(await asyncio.wait_for(ws.recv(), 10))
            self.assertEqual((late["event_id"], late["text"]), ("e2", "all done"))

    async def test_everything_that_came_is_on_record(self):
        await ask(self.agent, "who", chat=77)
        await asyncio.sleep(0)
        for _ in range(100):
            lines = [json.loads(line) for line in self.record.read_text().splitlines()]
            if lines and lines[-1].get("event") == "closed":
                break
            await asyncio.sleep(0.05)
        self.assertEqual([line.get("event") for line in lines], ["open", None, "closed"])
        self.assertEqual(lines[1]["frame"]["text"], "who")
        self.assertEqual(lines[1]["path"], "/v1/agent_ws/77/")

    async def test_an_upgrade_can_be_rejected(self):
        with Process(SCRIPTED, "--reject", "403") as closed:
            with self.assertRaises(websockets.InvalidStatusCode) as caught:
                await closed.connect()
            self.assertEqual(caught.exception.status_code, 403)


if __name__ == "__main__":
    unittest.main()
