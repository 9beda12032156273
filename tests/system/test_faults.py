"""A homeserver that refuses, stutters or lies, and a disk that is full."""
import email.utils
import os
import subprocess
import time

from harness import Skip, check, eventually, same
from people import World

SEND = "/send/m.room.message/"
LIMITED = {"errcode": "M_LIMIT_EXCEEDED", "error": "slow down"}


def messages_of(person, room, bot):
    return [e for e in person.timelines[room] if e["type"] == "m.room.message" and e["sender"] == bot]


def test_too_many_requests_in_every_form(t):
    w = World(t)
    alice, chat = w.person()
    date = lambda: email.utils.formatdate(time.time() + 2, usegmt=True)
    for name, form in (("seconds", lambda: {"headers": {"Retry-After": "1"}, "body": LIMITED}),
                       ("date", lambda: {"headers": {"Retry-After": date()}, "body": LIMITED}),
                       ("body", lambda: {"body": {**LIMITED, "retry_after_ms": 400}}),
                       ("text", lambda: {"body": {**LIMITED, "retry_after_ms": "400"}}),
                       ("neither", lambda: {"body": "<html>slow down</html>"})):
        fault = w.homeserver.fault(method="PUT", path_regex=SEND, user=w.bot.id, answer={"status": 429, **form()})
        began = time.monotonic()
        same(alice.ask(chat, "echo " + name), name)
        same(w.homeserver.hits(fault), 1, name)
        check(time.monotonic() - began < 8, name, "waits no longer than asked")
        check(time.monotonic() - began > 0.3, name, "waits at all")
    same(len(alice.answers(chat, kind=("final",))), 5)
    check(w.router.metric("patchbay_rate_limited_total") >= 5, "counted")


def test_errors_that_are_not_json(t):
    w = World(t)
    alice, chat = w.person()
    html = {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>Bad gateway</html>"}
    sync = w.homeserver.fault(method="GET", path="/_matrix/client/v3/sync", user=w.bot.id, answer=html, times=2)
    send = w.homeserver.fault(method="PUT", path_regex=SEND, user=w.bot.id, answer=html, times=2)
    same(alice.ask(chat, "echo through"), "through")
    same((w.homeserver.hits(sync), w.homeserver.hits(send)), (2, 2))
    same(len(alice.answers(chat)), 1)
    eventually("ready", lambda: w.readyz()[0] == 200)


def test_an_answer_that_is_lost_after_the_work_was_done(t):
    w = World(t)
    alice, chat = w.person()
    for n, how in enumerate(({"hang_up": True}, {"commit": True, "answer": {"status": 500, "body": "oops"}},
                             {"truncate": 5}, {"commit": True, "answer": {"status": 504, "body": ""}})):
        fault = w.homeserver.fault(method="PUT", path_regex=SEND, user=w.bot.id, times=2, **how)
        same(alice.ask(chat, f"echo {n}"), str(n))
        eventually("asked again", lambda: w.homeserver.hits(fault) == 2)
    same(alice.ask(chat, "echo last"), "last")
    same([e["content"]["body"] for e in messages_of(alice, chat, w.bot.id)], ["0", "1", "2", "3", "last"])


def test_a_lost_answer_to_the_creation_of_rooms(t):
    w = World(t)
    for how in ({"hang_up": True}, {"commit": True, "answer": {"status": 502, "body": "<html>"}}):
        w.homeserver.fault(method="POST", path="/_matrix/client/v3/createRoom", user=w.bot.id, times=2, skip=0, **how)
    alice, chat = w.person()
    same(alice.ask(chat, "echo home"), "home")
    made = w.bot.call("GET", "/joined_rooms")["joined_rooms"]
    same(len(made), 3, "lobby, Space and chat, each once")
    same(alice.invites, {}, "no further invitation")


def test_doubled_and_limited_and_broken_syncs(t):
    w = World(t)
    alice, chat = w.person()
    for n, how in enumerate(({"duplicate_events": True}, {"force_limited": True}, {"hang_up": True},
                             {"truncate": 40}, {"delay_ms": 500})):
        w.spoil_sync(alice, chat, **how, times=3)
        same(alice.ask(chat, f"echo {n}"), str(n))
    same(alice.ask(chat, "echo last"), "last")
    same([e["content"]["body"] for e in alice.answers(chat, kind=("final",))], ["0", "1", "2", "3", "4", "last"])
    same([f["text"] for f in w.agent.frames()], [f"echo {n}" for n in (0, 1, 2, 3, 4, "last")])


def test_a_message_that_is_refused_for_good_stops_nobody(t):
    w = World(t)
    alice, chat = w.person()
    w.homeserver.fault(method="PUT", path_regex=SEND, user=w.bot.id, answer={
        "status": 403, "body": {"errcode": "M_FORBIDDEN", "error": "no"}})
    alice.send(chat, "echo lost")
    w.router.said("outbox_dead")
    same(alice.ask(chat, "echo next"), "next")
    same(w.router.metric("patchbay_outbox_dead_total"), 1)


def test_one_room_in_trouble_does_not_hold_up_another(t):
    w = World(t)
    alice, first = w.person()
    second = alice.new_chat(first)
    room = first.replace("!", "(!|%21)").replace(":", "(:|%3A)")
    fault = w.homeserver.fault(method="PUT", path_regex=room + SEND, user=w.bot.id, times=1000,
                               answer={"status": 500, "body": {"errcode": "M_UNKNOWN"}})
    stuck = alice.send(first, "echo stuck")
    eventually("in trouble", lambda: w.homeserver.hits(fault) > 0)
    for n in range(3):
        same(alice.ask(second, f"echo {n}"), str(n))
    same(alice.answers(first, stuck), [])
    w.homeserver.heal()
    same(alice.answer(first, stuck, seconds=40)["content"]["body"], "stuck")


def test_a_full_disk_loses_nothing(t):
    place = t.dir / "small"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)],
                                           capture_output=True, check=False).returncode != 0:
        raise Skip("needs root and the right to mount a small tmpfs")
    t.stack.callback(subprocess.run, ["umount", "-l", str(place)], capture_output=True, check=False)
    w = World(t, config="data_dir: small/data")
    alice, chat = w.person()
    same(alice.ask(chat, "echo before"), "before")
    filler = place / "filler"
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass
    sent = []
    for n in range(400):  # until the space inside the write-ahead log is used up, too
        sent.append(alice.send(chat, f"echo {n} " + "long " * 200))
        if w.readyz()[0] == 503:
            break
    eventually("not ready", lambda: w.readyz()[0] == 503)
    check("database" in str(w.readyz()[1]), w.readyz())
    check(w.router.child.poll() is None, "it lives")
    sent += [alice.send(chat, f"echo while it is full {n}") for n in range(10)]
    filler.unlink()
    eventually("ready again", lambda: w.readyz()[0] == 200, 45)
    for event in sent:
        alice.answer(chat, event, seconds=45)
        same(len(alice.answers(chat, event)), 1, "answers to one message")
    t.notes.append(f"{len(sent)} messages")
