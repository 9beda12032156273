"""The process kills itself at each named boundary (actors/crash_point.hpp); then a storm of kills."""
import concurrent.futures
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import tempfile
import time

from harness import check, eventually, same
from people import Person, World

# Of one message: what may have happened when it died there, and so what has to follow.
UNMARKED = ("sync_received", "before_admit_commit", "after_admit_commit", "turn_begun", "before_dispatch_commit")
MARKED = ("after_dispatch_commit", "frame_written", "agent_spoke", "agent_ended", "before_settle_commit")
DECIDED = ("after_settle_commit", "before_put", "put_answered", "after_record_commit")
# How often the agent may have had the message: from, to; by whether it is idempotent.
FRAMES = {False: {**dict.fromkeys(UNMARKED + DECIDED, (1, 1)), "after_dispatch_commit": (0, 0),
                  "frame_written": (0, 1), "agent_spoke": (1, 1), "agent_ended": (1, 1),
                  "before_settle_commit": (1, 1)},
          True: {**dict.fromkeys(UNMARKED + DECIDED, (1, 1)), "after_dispatch_commit": (1, 1),
                 "frame_written": (1, 2), "agent_spoke": (2, 2), "agent_ended": (2, 2),
                 "before_settle_commit": (2, 2)}}


def registry(agent, idempotent):
    return {"agents": [{"id": "a", "label": "A", "base_url": agent.url(), "idempotent": idempotent}],
            "default_agent": "a"}


def armed(w, point):
    """The router, started so that it kills itself there."""
    w.env["PATCHBAY_CRASH_AT"] = point
    try:
        w.again()
    finally:
        del w.env["PATCHBAY_CRASH_AT"]


def died(w, point):
    same(w.router.wait(), -signal.SIGKILL, f"killed at {point}")


def terminal(person, room, to):
    return person.answers(room, to, ("final", "reply"))


def crash_at_each_boundary_of_a_message(t, idempotent):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent, idempotent))
    alice, chat = w.person()
    sent = []
    for point in UNMARKED + MARKED + DECIDED:
        same(w.router.stop(), 0, "stopped before")
        armed(w, point)
        first = alice.send(chat, f"chunks 2 at {point}")
        second = alice.send(chat, f"echo behind {point}")
        sent += [first, second]
        died(w, point)
        w.again()
        said = alice.answer(chat, first)["content"]["body"]
        # Once the first is decided the second may be with the agent by the time of the kill.
        then = alice.answer(chat, second)["content"]["body"]
        check(then == f"behind {point}" or (not idempotent and point in DECIDED and "stopped" in then), point, then)
        if idempotent or point not in MARKED:
            same(said.strip(), "1 2", point)
        else:
            check("stopped" in said and "again" in said, point, "is told:", said)
        given = [f for f in agent.frames() if f["text"] == f"chunks 2 at {point}"]
        least, most = FRAMES[idempotent][point]
        check(least <= len(given) <= most, point, "the agent had it", len(given), "times")
        check(len({f["message_id"] for f in given}) <= 1, point, "under one message id")
        given = [f for f in agent.frames() if f["text"] == f"echo behind {point}"]
        check(len(given) <= (2 if idempotent and point in DECIDED else 1), f"{point}: the next one", given)
        check(given or then != f"behind {point}", point, "answered by the agent and nobody else")
    for event in sent:
        same(len(terminal(alice, chat, event)), 1, "answers to one message")
    w.check_order(alice, chat, sent)


def test_at_each_boundary_of_a_message_to_an_agent_that_does_not_know_repeats(t):
    crash_at_each_boundary_of_a_message(t, False)


def test_at_each_boundary_of_a_message_to_an_idempotent_agent(t):
    crash_at_each_boundary_of_a_message(t, True)


def test_at_each_boundary_of_the_making_of_a_home(t):
    w = World(t)
    points = ["intent_written", "before_create_room", "before_create_room:2", "room_created", "room_created:2",
              "room_recorded", "room_recorded:2", "link_sent"]
    for n, point in enumerate(points):
        before = len(w.bot.call("GET", "/joined_rooms")["joined_rooms"])
        same(w.router.stop(), 0, "stopped before")
        armed(w, point)
        who = Person(w.homeserver.url, f"person{n}")
        who.lobby = who.invite(w.bot.id)
        died(w, point)
        w.again()
        _, chat = who.accept_home()
        same(who.ask(chat, f"echo {point}"), point)
        eventually("the lobby is told", lambda: (who.sync(), who.answers(who.lobby))[1])
        same(len(w.bot.call("GET", "/joined_rooms")["joined_rooms"]) - before, 3,
             f"{point}: lobby, Space and chat, each once; got")
        same(who.invites, {}, f"{point}: no further invitation")
        same(len(who.answers(who.lobby)), 1, f"{point}: told once")
        same(who.get_state(chat, "io.patchbay.chat")["chat"], "C1", point)


def test_at_each_boundary_of_the_making_of_one_more_chat(t):
    w = World(t)
    alice, chat = w.person()
    for n, point in enumerate(["intent_written", "before_create_room", "room_created", "room_recorded", "link_sent"]):
        before = set(alice.rooms_with("io.patchbay.chat"))
        same(w.router.stop(), 0, "stopped before")
        armed(w, point)
        asked = alice.send(chat, f"!new At {point}")
        died(w, point)
        w.again()

        def made():
            for room in list(alice.invites):
                alice.join(room)
            return set(alice.rooms_with("io.patchbay.chat")) - before
        fresh = alice.until(f"a chat after {point}", made)
        alice.answer(chat, asked)
        same(alice.ask(next(iter(fresh)), f"echo {point}"), point)
        same(len(made()), 1, f"{point}: one chat")
        same(len(terminal(alice, chat, asked)), 1, f"{point}: told once")
        same(alice.get_state(next(iter(fresh)), "io.patchbay.chat")["chat"], f"C{n + 2}", point)


def test_a_boundary_that_nobody_knows_is_wrong_usage(t):
    for wrong in ("no_such_point", "before_put:0", "before_put:x", "before_put:"):
        code, out, err = t.run("run", env={"PATCHBAY_CRASH_AT": wrong})
        same((code, out), (64, ""), wrong)
        check("before_dispatch_commit" in err, "names the points:", err)


class Talker:
    """One person in several chats who never has more than 24 messages without an answer."""

    def __init__(self, w, name, rooms, seed):
        self.person, first = w.person(name)
        self.rooms = [first] + [self.person.new_chat(first) for _ in range(rooms - 1)]
        self.chance, self.sent, self.stopping = random.Random(seed), [], False

    def run(self):
        n = 0
        while not self.stopping:
            open_ones = [s for s in self.sent if not terminal(self.person, s[0], s[1])]
            for _ in range(24 - len(open_ones)):
                n += 1
                kind = self.chance.choice(("chunks 3", "chunks 1", "echo", "drip 3 0.03", "status", "tool"))
                room, text = self.chance.choice(self.rooms), f"{kind} {self.person.id[1]}{n}"
                self.sent.append((room, self.person.send(room, text), text))
            self.person.sync(100)


def real_disk(t):
    """A folder that is not in memory, so that kill and fsync mean something."""
    kind = lambda path: subprocess.run(["stat", "-f", "-c", "%T", str(path)], capture_output=True, text=True,
                                       check=True).stdout.strip()
    place = t.dir
    if kind(place) == "tmpfs":
        place = pathlib.Path(tempfile.mkdtemp(prefix="storm-", dir=pathlib.Path(t.binary).parent))
        t.stack.callback(subprocess.run, ["rm", "-rf", str(place)], check=False)
    t.notes.append(kind(place))
    return place


def test_a_storm_of_kills_under_load(t):
    kills = int(os.environ.get("PATCHBAY_STORM") or (200 if os.environ.get("CI") else 25))
    seed = int(os.environ.get("PATCHBAY_STORM_SEED") or random.SystemRandom().randrange(10**6))
    t.notes.append(f"{kills} kills, PATCHBAY_STORM_SEED={seed}")
    agent, place = t.agent(), real_disk(t)
    agents = [{"id": "a", "base_url": agent.url("a")}, {"id": "b", "base_url": agent.url("b"), "idempotent": True}]
    hs = t.homeserver()
    where = Person(hs.url, "nobody").id.split(":", 1)[1]
    w = World(t, agent=agent, homeserver=hs, config=f"data_dir: {place}/data\naccess: {{turns_per_minute: 0}}",
              registry={"agents": agents, "default_agent": "a",
                        "user_agents": {f"@alice:{where}": "a", f"@bob:{where}": "b"}})
    talkers = [Talker(w, "alice", 3, seed), Talker(w, "bob", 2, seed + 1)]
    chance = random.Random(seed + 2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        talking = [pool.submit(x.run) for x in talkers]
        try:
            for _ in range(kills):
                # The chance is what this test is about: any moment of a start and of the work after it.
                time.sleep(chance.choice((0.02, 0.1, 0.3, 0.6)) * chance.random() * 2)
                check(w.router.child.poll() is None, "it had ended by itself:", w.router.text()[-1500:])
                w.router.kill()
                w.run()
        finally:
            for x in talkers:
                x.stopping = True
        w.router.ready()
        for x in talking:
            x.result(60)
    told = 0
    for x in talkers:
        for room, event, text in x.sent:
            said = x.person.answer(room, event, seconds=60)["content"]["body"]
            told += "stopped" in said
        for room in x.rooms:
            x.person.ask(room, "echo the end")
        for room, event, text in x.sent:
            same(len(terminal(x.person, room, event)), 1, f"answers to {text}")
    by_text = {"a": {}, "b": {}}
    for record in agent.records():
        frame = record.get("frame", {})
        if frame.get("type") == "USER_MESSAGE" and frame["text"] != "echo the end":
            by_text[record["path"].split("/")[1]].setdefault(frame["text"], []).append(frame["message_id"])
    for text, ids in by_text["a"].items():
        same(len(ids), 1, f"{text}: times that the agent had it")
    for text, ids in by_text["b"].items():
        same(len(set(ids)), 1, f"{text}: one message id")
        check(len(ids) <= 3, text, "at most three times")
    same(w.router.stop(), 0)
    with sqlite3.connect(place / "data" / "patchbay.db") as db:
        same(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        same(db.execute("PRAGMA foreign_key_check").fetchall(), [])
    total = sum(len(x.sent) for x in talkers)
    check(total > kills, "there was load:", total, "messages")
    repeats = sum(len(ids) > 1 for ids in by_text["b"].values())
    t.notes.append(f"{total} messages, {told} reported as interrupted, {repeats} asked again")
