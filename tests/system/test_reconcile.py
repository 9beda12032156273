"""The database and the homeserver are compared: at every start, and by `patchbay reconcile`."""
import json

from harness import check, eventually, same
from people import World, quoted


def reconcile(t, w, *arguments):
    code, out, err = t.run("reconcile", "--config", "patchbay.yaml", *arguments,
                           env={"TEST_ADMIN_TOKEN": "an admin token, long", **w.env})
    same(code, 0, err)
    return out


def report(t, w, *arguments):
    return json.loads(reconcile(t, w, "--json", *arguments))


def markers(person):
    return [(room, person.get_state(room, "io.patchbay.chat")) for room in person.rooms_with("io.patchbay.chat")]


def space_of(person, chat):
    return next(e["state_key"] for e in person.call("GET", f"/rooms/{quoted(chat)}/state") if e["type"] == "m.space.parent")


def forget(t):
    for file in (t.dir / "data").glob("patchbay.db*"):
        file.unlink()


def test_an_empty_database_is_filled_by_the_command_alone(t):
    w = World(t)
    alice, chat = w.person()
    same(alice.ask(chat, "echo one"), "one")
    same(w.router.stop(), 0)
    forget(t)
    before = len(w.bot.call("GET", "/joined_rooms")["joined_rooms"])
    plan = report(t, w, "--dry-run")
    check(plan["dry_run"] and plan["restored_chat_rows"] == 1 and plan["restored_user_meta"] == 1, plan)
    check(any(a["room"] == chat for a in plan["actions"]), plan["actions"])
    same(report(t, w, "--dry-run"), plan, "a dry run changes nothing")
    out = reconcile(t, w)
    check("To do:" in out and "restore chat C1" in out and "Done." in out, out)
    check("Nothing to do" in reconcile(t, w), "idempotent")
    same(len(w.bot.call("GET", "/joined_rooms")["joined_rooms"]), before, "no room was made")
    w.again()
    same(alice.ask(chat, "echo two"), "two")


def test_rooms_from_before_there_were_markers_are_taken_over(t):
    w = World(t)
    alice, chat = w.person()
    same(w.router.stop(), 0)
    forget(t)
    space = space_of(alice, chat)
    old = w.bot.call("POST", "/createRoom", {"name": "Чат 7", "preset": "private_chat", "invite": [alice.id]})["room_id"]
    alice.call("POST", f"/join/{quoted(old)}")
    w.bot.call("PUT", f"/rooms/{quoted(space)}/state/m.space.child/{quoted(old)}", {"via": ["localhost"]})
    stray = w.bot.call("POST", "/createRoom", {"preset": "private_chat"})["room_id"]
    w.again()
    same(alice.ask(old, "echo hello"), "hello")
    marker = alice.until("its marker", lambda: next((m for r, m in markers(alice) if r == old), None))
    same((marker["chat"], marker["owner"]), ("C7", alice.id))
    plan = report(t, w, "--dry-run")
    check(any(s["room"] == stray for s in plan["skipped_rooms"]), plan["skipped_rooms"])
    fresh = alice.new_chat(chat)
    same(alice.get_state(fresh, "io.patchbay.chat")["chat"], "C8", "the next number")


def test_a_running_router_does_the_work_itself(t):
    w = World(t)
    alice, chat = w.person()
    space = space_of(alice, chat)
    w.bot.call("PUT", f"/rooms/{quoted(space)}/state/m.space.child/{quoted(chat)}", {})
    plan = report(t, w, "--dry-run")
    check(any("link" in a["what"] for a in plan["actions"]), plan["actions"])
    report(t, w)
    eventually("the link", lambda: alice.get_state(space, "m.space.child", chat).get("via"))
    same(alice.ask(chat, "echo still"), "still")
