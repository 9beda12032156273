#!/usr/bin/python3
"""What a growing answer costs, and whether many of them hold up the finals.

    stream.py --binary build/patchbay --homeserver PATH [--streams 200] [--chunks 2000] [--seconds 60]

The real binary between the development homeserver (no limits) and the scripted agent of the system
tests, all on this machine. The agent is a Python program: what it is late with counts against the
router, so the figures are upper bounds. Times are those of the homeserver (origin_server_ts).
"""
import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import harness  # noqa: E402
from harness import eventually  # noqa: E402
from people import World, delivery  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """Seconds of a core that the process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def world(t, turns):
    agent = t.agent()
    registry = {"agents": [{"id": "main", "base_url": agent.url(), "limits": {"concurrent_turns": turns}}],
                "default_agent": "main"}
    return World(t, registry=registry, agent=agent, config="log: {level: warning}\naccess: {invites: anyone}\n")


def said(person, room, turn_of=None):
    """(time, kind) of the bot's messages and edits, as the homeserver keeps them."""
    out, token = [], None
    while True:
        query = f"?dir=b&limit=100{'&from=' + token if token else ''}"
        page = person.call("GET", f"/rooms/{room}/messages{query}")
        for e in page["chunk"]:
            mark = delivery(e["content"]) if e["type"] == "m.room.message" else None
            if mark and e["sender"] != person.id and (turn_of is None or mark.get("turn") == turn_of):
                out.append((e["origin_server_ts"], mark["kind"]))
        token = page.get("end")
        if not token or not page["chunk"]:
            return sorted(out)


def one_long_answer(t, chunks, seconds):
    w = world(t, 8)
    alice, chat = w.person()
    alice.ask(chat, "echo warm")
    time.sleep(2)
    idle = cpu(w.router.pid)
    time.sleep(10)
    idle = (cpu(w.router.pid) - idle) / 10
    before = cpu(w.router.pid)
    asked = alice.send(chat, f"do chunks {chunks} {seconds / chunks}")
    frame = eventually("the agent", lambda: [f for f in w.agent.records() if f.get("frame", {}).get("text", "").startswith("do ")])[0]
    time.sleep(seconds)
    alice.answer(chat, asked, ("final",), seconds=120)
    used = cpu(w.router.pid) - before
    turn = frame["frame"]["message_id"]
    sent = said(alice, chat, turn)
    first = sent[0][0] - frame["t"] * 1000
    print(f"{chunks} chunks over {seconds:.0f} s: {len(sent)} requests (a draft, {len(sent) - 2} edits, a final); "
          f"first text {first:.0f} ms after the question reached the agent; "
          f"{100 * used / seconds:.2f} % of a core, idle {100 * idle:.2f} %")


def many(t, streams):
    w = world(t, streams + 8)
    rooms = []
    for i in range((streams + 9) // 10):
        person, chat = w.person(f"p{i}")
        mine = [chat] + [person.new_chat(chat) for _ in range(9)]
        rooms += [(person, r) for r in mine][:streams - len(rooms)]
    for person, room in rooms[:5]:
        person.ask(room, "echo warm")
    asked = [(p, r, p.send(r, "do chunks 100 0.2")) for p, r in rooms]
    late = []
    for person, room, event in asked:
        person.answer(room, event, ("final",), seconds=180)
    begun = {f["frame"]["message_id"]: f["t"] for f in w.agent.records()
             if f.get("frame", {}).get("text", "").startswith("do ")}
    for person, room, _ in asked:
        for turn, t0 in begun.items():
            finals = [ts for ts, kind in said(person, room, turn) if kind == "final"]
            if finals:
                late.append(finals[-1] - (t0 + 20) * 1000)
    late.sort()
    print(f"{len(rooms)} answers of 100 chunks at once: final after the last chunk was due: median "
          f"{late[len(late) // 2]:.0f} ms, p99 {late[int(len(late) * 0.99)]:.0f} ms, most {late[-1]:.0f} ms "
          f"(the agent's own delay included)")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--binary", required=True)
    p.add_argument("--homeserver", required=True)
    p.add_argument("--streams", type=int, default=200)
    p.add_argument("--chunks", type=int, default=2000)
    p.add_argument("--seconds", type=float, default=60)
    o = p.parse_args()
    for what in ((lambda t: one_long_answer(t, o.chunks, o.seconds)), (lambda t: many(t, o.streams))):
        t = harness.Bench(str(pathlib.Path(o.binary).resolve()), str(pathlib.Path(o.homeserver).resolve()), "stream")
        try:
            what(t)
        finally:
            t.close()


if __name__ == "__main__":
    main()
