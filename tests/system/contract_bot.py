"""What the scenarios of test_chat_*.py expect of the router, as a bot of a few lines on the development
homeserver: a scenario that fails against this one is wrong itself."""
import json
import threading
import time

from chat_world import PROMPT, Agent, Chat
from harness import PATIENCE, eventually
from people import Person, quoted, relation, said


class Bot(threading.Thread):
    def __init__(self, url, workspace):
        super().__init__(daemon=True)
        self.me, self.workspace = Person(url, "agents"), workspace
        self.read, self.record, self.question = {}, [], None
        self.ending, self.trouble, self.homes, self.ids = threading.Event(), None, set(), iter(range(7, 10_000))

    def run(self):
        try:
            while not self.ending.is_set():
                self.me.sync(100)
                for room in list(self.me.invites):
                    self.welcome(room)
                for room, line in list(self.me.timelines.items()):
                    while len(line) > self.read.setdefault(room, 0):
                        self.read[room] += 1
                        self.hear(room, line[self.read[room] - 1])
        except BaseException as e:  # told by the test that waits in vain
            self.trouble = e

    def make(self, name, owner, marker, **more):
        kind = "io.patchbay.chat" if "chat" in marker else "io.patchbay.space"
        return self.me.call("POST", "/createRoom", {
            "name": name, "preset": "private_chat", "invite": [owner],
            "power_level_content_override": {"invite": 100, "events": {"m.room.name": 50, kind: 100}},
            "initial_state": [{"type": kind, "state_key": "", "content": {"owner": owner, **marker}}], **more})["room_id"]

    def welcome(self, lobby):
        person = next(e["sender"] for e in self.me.invites.pop(lobby) if e["type"] == "m.room.member"
                      and e["state_key"] == self.me.id)
        self.me.join(lobby)
        self.say(lobby, "notice", "Welcome; your chats are in the Space.")
        if person in self.homes:
            return
        self.homes.add(person)
        self.space = self.make("Agents", person, {"agent": "main", "language": "en"}, creation_content={"type": "m.space"})
        room = self.make("Chat 1", person, {"chat": "C1", "platform_chat_id": next(self.ids), "agent_id": "main",
                                            "state": "active", "epoch": 0})
        self.me.call("PUT", f"/rooms/{quoted(self.space)}/state/m.space.child/{quoted(room)}", {"via": ["localhost"]})

    def say(self, room, kind, body, to=None, **more):
        silent = kind in ("draft", "notice")
        content = {"msgtype": "m.notice" if silent else "m.text", "body": body, "m.mentions": {},
                   "io.patchbay.delivery": {"turn": to and to["event_id"], "kind": kind, "part": 0}, **more}
        if to:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": to["event_id"]}}
            if kind == "final":
                content["m.mentions"] = {"user_ids": [to["sender"]]}
            root = to["content"].get("m.relates_to", {})
            if root.get("rel_type") == "m.thread":
                content["m.relates_to"].update(rel_type="m.thread", event_id=root["event_id"], is_falling_back=True)
        return self.me.event(room, content)

    def grow(self, room, kind, body, to, draft):
        mentions = {"user_ids": [to["sender"]]} if kind == "final" else {}
        new = {"msgtype": "m.text" if kind == "final" else "m.notice", "body": body, "m.mentions": mentions}
        self.me.event(room, {**new, "body": "* " + body, "m.new_content": new,
                             "m.relates_to": {"rel_type": "m.replace", "event_id": draft},
                             "io.patchbay.delivery": {"turn": to["event_id"], "kind": kind, "part": 0}})

    def redacted(self, room, event):
        return any(e["type"] == "m.room.redaction" and e.get("redacts") == event["event_id"]
                   for e in self.me.timelines[room])

    def hear(self, room, e):
        content = e["content"]
        if e["sender"] == self.me.id or not self.me.state.get(room, {}).get(("io.patchbay.chat", "")):
            return
        if e["type"] == "m.reaction":
            answer = {"✅": "yes", "❌": "no"}.get(content["m.relates_to"]["key"].rstrip("\uFE0F"))
            if answer and self.question and content["m.relates_to"]["event_id"] == self.question[1]:
                self.decide(room, answer)
        elif e["type"] == "m.room.redaction" and self.question and e.get("redacts") == self.question[0]["event_id"]:
            self.cancel()
        elif e["type"] == "m.room.message" and content.get("msgtype") != "m.notice":
            if relation(content) == "edit":
                waiting = next((x for x in self.me.timelines[room][self.read[room]:]
                                if x["event_id"] == content["m.relates_to"]["event_id"]), None)
                mine = [x for x in self.record if x["event"] == content["m.relates_to"]["event_id"]]
                if not waiting and mine and not mine[0].get("edited") and not mine[0].get("told"):
                    mine[0]["told"] = True
                    self.say(room, "notice", "It is answered already.", {"event_id": mine[0]["event"], **e, **{
                        "event_id": mine[0]["event"], "content": {}}})
            elif not self.redacted(room, e):
                self.turn(room, e, self.me.shown(room, e))

    def frame(self, kind, event=None, **fields):
        self.record.append({"type": kind, "event": event, **fields})

    def cancel(self):
        self.frame("CANCEL")
        self.question = None

    def decide(self, room, answer):
        self.frame("CONFIRM", decision=answer)
        asked, self.question = self.question[0], None
        self.say(room, "final", Agent.decided(answer), asked)

    def turn(self, room, e, shown):
        text = said(shown["content"])
        first = text.split()[0] if text.strip() else ""
        edited = shown is not e
        if first in ("!yes", "!no") and not edited:
            return self.decide(room, first[1:]) if self.question else self.say(room, "reply", "Nothing is open.", e)
        if first == "!stop":
            if self.question and self.question[1] and self.question[2]:
                self.grow(room, "final", Agent.hanging + "\n\nStopped. !retry asks again.", self.question[0], self.question[1])
            self.cancel()
            return self.say(room, "reply", "Stopped.", e)
        if first == "!clear" and not edited:
            marker = self.me.get_state(room, "io.patchbay.chat")
            self.chat_id = next(self.ids)
            self.me.call("PUT", f"/rooms/{quoted(room)}/state/io.patchbay.chat/",
                         {**marker, "platform_chat_id": self.chat_id, "epoch": marker["epoch"] + 1})
            return self.say(room, "reply", f"A fresh context: {self.chat_id}.", e)
        attachments = []
        if "url" in e["content"]:
            path = f"incoming/{self.me.platform_chat_id(room)}/{e['content']['filename']}"
            (self.workspace / path).parent.mkdir(parents=True, exist_ok=True)
            (self.workspace / path).write_bytes(self.me.download(e["content"]["url"])[0])
            attachments, text = [path], f"The user sent a file: {e['content']['filename']}, {path}"
        quoted_event = e["content"].get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id")
        quote = next((x for x in self.me.timelines[room] if x["event_id"] == quoted_event), None)
        if quote and relation(e["content"]) == "reply":
            text = "> " + said(self.me.shown(room, quote)["content"]) + "\n" + text
        self.frame("USER_MESSAGE", e["event_id"], text=text, attachments=attachments, edited=edited)
        if text == Agent.stream(12, 0.15):
            self.me.call("PUT", f"/rooms/{quoted(room)}/typing/{quoted(self.me.id)}", {"typing": True, "timeout": 9000})
            draft = self.say(room, "draft", "1", e)
            for pieces in (3, 7):
                self.grow(room, "draft", Agent.streamed(pieces), e, draft)
            self.grow(room, "final", Agent.streamed(12), e, draft)
        elif text == Agent.confirm:
            self.question = [e, self.say(room, "notice", PROMPT + " !yes or !no", e), False]
        elif text == Agent.hang:
            self.question = [e, self.say(room, "draft", Agent.hanging, e), True]
        elif text == Agent.send_file:
            data = (self.workspace / "out/report.txt").read_bytes()
            self.say(room, "file", "report.txt", e, msgtype="m.file", filename="report.txt",
                     url=self.me.upload(data, "report.txt", "text/plain"),
                     info={"size": len(data), "mimetype": "text/plain"})
            self.say(room, "final", "There is the file.", e)
        else:
            if first == "sleep":
                time.sleep(float(text.split()[1]))
                self.me.sync(1)
            self.say(room, "final", text.removeprefix("echo").strip(), e)


class ContractChat(Chat):
    """Chat with that bot in the router's and the agent's place."""

    def __init__(self, t, client, config="", registry=None):  # pylint: disable=super-init-not-called
        self.t, self.client = t, client
        self.workspace = t.dir / "workspace"
        (self.workspace / "out").mkdir(parents=True)
        self.url = t.homeserver("--frozen-media").url
        self.robot = Bot(self.url, self.workspace)
        self.bot = self.robot.me.id
        self.robot.start()
        t.stack.callback(self.robot.join, PATIENCE)
        t.stack.callback(self.robot.ending.set)
        self.alice = self.person("alice-nio")
        self.space, self.chat = self.alice.meet(self.bot)

    def frames(self, kind="USER_MESSAGE"):
        if self.robot.trouble:
            raise self.robot.trouble
        return [f for f in self.robot.record if f["type"] == kind]

    def asked(self, text):
        before = len(self.frames())
        event = self.alice.send(self.chat, text)
        eventually(lambda: "the bot has it: " + json.dumps(self.robot.record), lambda: len(self.frames()) > before)
        return event
