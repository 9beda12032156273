"""A person at a Matrix client, and the world of one router with its homeserver and agents."""
import itertools
import json
import time
import urllib.parse

from harness import PATIENCE, check, eventually, free_port, http, same, transfer

quoted = lambda s: urllib.parse.quote(s, safe="")
numbers = itertools.count(1)


def relation(content):
    """edit, thread, reply or nothing: how a message refers to another."""
    relates = content.get("m.relates_to", {})
    return {"m.replace": "edit", "m.thread": "thread"}.get(relates.get("rel_type")) or (
        "reply" if relates.get("m.in_reply_to") else "")


def delivery(content):
    """io.patchbay.delivery of a message; of an edit, wherever the edit carries it."""
    return content.get("io.patchbay.delivery") or content.get("m.new_content", {}).get("io.patchbay.delivery")


def said(content):
    """The text itself: of an edit the new one, without its star."""
    return content.get("m.new_content", content).get("body", "")


class Person:
    def __init__(self, url, name, password="a long password", login=False):
        self.url, self.since = url, None
        body = {"username": name, "password": password, "auth": {"type": "m.login.dummy"}}
        if login:
            body = {"type": "m.login.password", "password": password,
                    "identifier": {"type": "m.id.user", "user": name}}
        self.token = None
        account = self.call("POST", "/login" if login else "/register", body)
        self.token, self.id, self.device = account["access_token"], account["user_id"], account["device_id"]
        self.timelines, self.state, self.invites = {}, {}, {}

    def call(self, method, path, body=None, expect=200):
        status, answer = http(method, self.url + "/_matrix/client/v3" + path, body, self.token, 60)
        check(status == expect, method, path, "answered", status, answer)
        return answer

    def sync(self, timeout=300):
        where = f"/sync?timeout={timeout}" + (f"&since={quoted(self.since)}" if self.since else "")
        got = self.call("GET", where)
        self.since = got["next_batch"]
        rooms = got.get("rooms", {})
        for room, found in rooms.get("join", {}).items():
            line = self.timelines.setdefault(room, [])
            events = found.get("timeline", {}).get("events", [])
            if found.get("timeline", {}).get("limited"):
                events = self.missing(room, found["timeline"]["prev_batch"], line) + events
            known = {e["event_id"] for e in line}
            line.extend(e for e in events if e["event_id"] not in known)
            for e in found.get("state", {}).get("events", []) + events:
                if "state_key" in e:
                    self.state.setdefault(room, {})[e["type"], e["state_key"]] = e
        for room, found in rooms.get("invite", {}).items():
            self.invites[room] = found["invite_state"]["events"]
        for room in rooms.get("join", {}):
            self.invites.pop(room, None)

    def move(self, url):
        """The homeserver has another address after its restart."""
        self.url = url

    def missing(self, room, before, line):
        known, found = {e["event_id"] for e in line}, []
        while before:
            page = self.call("GET", f"/rooms/{quoted(room)}/messages?dir=b&limit=100&from={quoted(before)}")
            new = [e for e in page["chunk"] if e["event_id"] not in known]
            found += new
            before = page.get("end") if new else None
        return found[::-1]

    def until(self, what, condition, seconds=PATIENCE):
        """Polls the homeserver until condition() is true."""
        def look():
            value = condition()
            if not value:
                self.sync()
                value = condition()
            return value
        return eventually(what, look, seconds, 0)

    def invite(self, bot, **more):
        return self.call("POST", "/createRoom", {"is_direct": True, "invite": [bot],
                                                 "preset": "trusted_private_chat", **more})["room_id"]

    def join(self, room):
        self.call("POST", f"/join/{quoted(room)}", {})

    def send(self, room, body, **content):
        content = {"msgtype": "m.text", "body": body, **content}
        return self.event(room, content)

    def event(self, room, content, kind="m.room.message"):
        return self.call("PUT", f"/rooms/{quoted(room)}/send/{kind}/x{next(numbers)}.{time.time_ns()}",
                         content)["event_id"]

    def get_state(self, room, kind, key=""):
        return self.call("GET", f"/rooms/{quoted(room)}/state/{kind}/{quoted(key)}")

    def rooms_with(self, kind):
        return [r for r, state in self.state.items() if (kind, "") in state]

    def meet(self, bot):
        """Invites the bot and accepts what it makes: (Space, first chat)."""
        self.lobby = self.invite(bot)
        return self.accept_home()

    def accept_home(self):
        def home():
            for room in list(self.invites):
                self.join(room)
            spaces, chats = self.rooms_with("io.patchbay.space"), self.rooms_with("io.patchbay.chat")
            return (spaces[0], chats[0]) if spaces and chats else None
        return self.until("a Space and a first chat", home)

    def new_chat(self, room, title=""):
        before = set(self.rooms_with("io.patchbay.chat"))
        self.send(room, f"!new {title}".strip())

        def made():
            for invited in list(self.invites):
                self.join(invited)
            return next(iter(set(self.rooms_with("io.patchbay.chat")) - before), None)
        return self.until("a new chat", made)

    def edits(self, room, event):
        """The edits of one of the room's messages, oldest first."""
        return [e for e in self.timelines.get(room, [])
                if relation(e["content"]) == "edit" and e["content"]["m.relates_to"].get("event_id") == event["event_id"]
                and e["sender"] == event["sender"] and "m.new_content" in e["content"]]

    def shown(self, room, event):
        """The message as a client shows it: with its newest edit, which leaves the relation alone."""
        edits = self.edits(room, event)
        if not edits:
            return event
        new = {**edits[-1]["content"]["m.new_content"], "io.patchbay.delivery": delivery(edits[-1]["content"])}
        if "m.relates_to" in event["content"]:
            new["m.relates_to"] = event["content"]["m.relates_to"]
        return {**event, "content": new}

    def answers(self, room, to=None, kind=None):
        """Messages with io.patchbay.delivery as they stand after their edits, in order."""
        found = []
        for e in self.timelines.get(room, []):
            content = e["content"]
            if e["type"] != "m.room.message" or not delivery(content) or relation(content) == "edit":
                continue
            if to and content.get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id") != to:
                continue
            e = self.shown(room, e)
            if kind is None or delivery(e["content"])["kind"] in kind:
                found.append(e)
        return found

    def trace(self, room, to=None):
        """The golden delivery trace: (kind, relation, text) of everything that was delivered, in order.
        The text of drafts depends on the clock and is left out, and a run of draft edits is one."""
        lines, originals = [], {e["event_id"] for e in self.answers(room, to)}
        for e in self.timelines.get(room, []):
            content = e["content"]
            original = content["m.relates_to"].get("event_id") if relation(content) == "edit" else e["event_id"]
            if e["type"] != "m.room.message" or not delivery(content) or (to and original not in originals):
                continue
            kind = delivery(content)["kind"]
            line = (kind, relation(content), "…" if kind == "draft" else said(content).strip())
            if not (lines and kind == "draft" and lines[-1] == line):
                lines.append(line)
        return lines

    # What a person does besides sending a text.

    def reply(self, room, to, body, **content):
        return self.send(room, body, **{"m.relates_to": {"m.in_reply_to": {"event_id": to}}, **content})

    def in_thread(self, room, root, body):
        return self.send(room, body, **{"m.relates_to": {
            "rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}})

    def edit(self, room, event, body):
        new = {"msgtype": "m.text", "body": body}
        return self.event(room, {**new, "body": "* " + body, "m.new_content": new,
                                 "m.relates_to": {"rel_type": "m.replace", "event_id": event}})

    def react(self, room, event, key):
        return self.event(room, {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": key}},
                          "m.reaction")

    def redact(self, room, event):
        return self.call("PUT", f"/rooms/{quoted(room)}/redact/{quoted(event)}/x{next(numbers)}.{time.time_ns()}",
                         {})["event_id"]

    def upload(self, data, name, kind):
        status, _, body = transfer("POST", f"{self.url}/_matrix/media/v3/upload?filename={quoted(name)}", data,
                                   self.token, kind)
        same(status, 200, body[:200])
        return json.loads(body)["content_uri"]

    def download(self, uri):
        """(bytes, type, disposition) of mxc://server/id, by the path that asks for a token."""
        status, headers, body = transfer(
            "GET", f"{self.url}/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}", token=self.token)
        same(status, 200, body[:200])
        return body, headers["content-type"], headers["content-disposition"]

    def send_file(self, room, data, name, kind="application/octet-stream", caption=None, msgtype="m.file"):
        uri = self.upload(data, name, kind)
        return self.event(room, {"msgtype": msgtype, "body": caption or name, "filename": name, "url": uri,
                                 "info": {"size": len(data), "mimetype": kind}})

    def answer(self, room, to, kind=("final", "reply"), seconds=PATIENCE):
        return self.until(lambda: f"an answer of kind {kind} to {to}; there are "
                          + json.dumps([e["content"].get("body", "")[:120] for e in self.answers(room, to)]),
                          lambda: (self.answers(room, to, kind) or [None])[0], seconds)

    def ask(self, room, text, kind=("final", "reply"), seconds=PATIENCE):
        """The body of the answer to a text."""
        return self.answer(room, self.send(room, text), kind, seconds)["content"]["body"]

    def platform_chat_id(self, room):
        return self.get_state(room, "io.patchbay.chat")["platform_chat_id"]


class World:
    """A homeserver with faults, agents by prefix of one scripted agent, and a router between them."""

    def __init__(self, t, registry=None, config="", start=True, homeserver=None, agent=None, env=None):
        self.t = t
        self.homeserver = homeserver or t.homeserver()
        self.bot = Person(self.homeserver.url, "agents", "a long password")
        self.agent = agent or t.agent()
        self.env = {"TEST_TOKEN": self.bot.token, "AGENT_TOKEN": "an agent secret", **(env or {})}
        self.port = free_port()
        self.console = f"http://127.0.0.1:{self.port}"
        if registry is None:
            registry = {"agents": [{"id": "main", "label": "Main", "base_url": self.agent.url()}],
                        "default_agent": "main"}
        t.file("matrix-agents.yaml", json.dumps(registry))  # JSON is YAML
        self.configure(config)
        self.router = self.run() if start else None
        if start:
            self.router.ready()

    def configure(self, more="", url=None, user=None, auth="access_token: {env: TEST_TOKEN}"):
        self.t.file("patchbay.yaml", f"""\
homeserver:
  url: {url or self.homeserver.url}
  user_id: "{user or self.bot.id}"
  {auth}
registry: matrix-agents.yaml
admin: {{listen: "127.0.0.1:{self.port}", token: {{env: TEST_ADMIN_TOKEN}}}}
{more}""")

    def run(self, *more):
        env = {"TEST_ADMIN_TOKEN": "an admin token, long", **self.env}
        self.router = self.t.router("--config", "patchbay.yaml", *more, env=env)
        return self.router

    def again(self):
        self.run().ready()
        return self.router

    def readyz(self):
        return http("GET", self.console + "/readyz")

    def person(self, name="alice"):
        """Registered, with Space and first chat: (person, chat)."""
        who = Person(self.homeserver.url, name)
        return who, who.meet(self.bot.id)[1]

    def spoil_sync(self, person, room, **rule):
        """The router's poll that is under way when this returns will be answered as the rule says. The
        rule is taken when a poll begins, so the one before it is brought to its end by a notice."""
        fault = self.homeserver.fault(method="GET", path="/_matrix/client/v3/sync", user=self.bot.id, **rule)

        def taken():
            if self.homeserver.hits(fault):
                return True
            person.event(room, {"msgtype": "m.notice", "body": "for the poll"})
            return False
        eventually("a spoiled poll", taken, pause=0.1)

    def check_order(self, person, room, sent):
        """Every message of `sent` has its one final answer, in the order of sending."""
        wanted = dict.fromkeys(sent)
        got = [e["content"]["m.relates_to"]["m.in_reply_to"]["event_id"]
               for e in person.answers(room, kind=("final",))]
        same([e for e in got if e in wanted], list(sent), "order of answers")
