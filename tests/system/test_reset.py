"""`patchbay reset`: what it removes, what it leaves alone, what it says."""
import json
import os
import sqlite3

from harness import check, same
from people import World

ADMIN = {"TEST_ADMIN_TOKEN": "an admin token, long"}


def reset(t, w, *more, env=None):
    code, out, err = t.run("reset", "--config", "patchbay.yaml", "--json", *more, env={**ADMIN, **w.env, **(env or {})})
    return code, json.loads(out) if out else None, err


def lived_in(t, **more):
    """A world whose router has run and is stopped: (world, person, chat)."""
    w = World(t, **more)
    alice, chat = w.person()
    same(alice.ask(chat, "echo before"), "before")
    same(w.router.stop(), 0)
    return w, alice, chat


def states(found):
    return {os.path.basename(f["path"]): f["state"] for f in found["files"]}


def test_a_local_reset_removes_what_is_ours_and_nothing_else(t):
    store = t.dir / "old-store"
    (store / "deep").mkdir(parents=True)
    (store / "deep" / "keys").write_text("x")
    w, alice, chat = lived_in(t, env={"MATRIX_STORE_PATH": str(store)})
    kept = [t.file("data/backups/patchbay-1.db", "a backup"), t.file("data/other.txt", "somebody's")]
    before = sorted(p.name for p in (t.dir / "data").iterdir())
    code, found, err = reset(t, w, "--dry-run")
    same(code, 0, err)
    same((found["dry_run"], found["mode"], states(found)["patchbay.db"]), (True, "local-only", "would be removed"))
    same(sorted(p.name for p in (t.dir / "data").iterdir()), before, "a dry run changes nothing")
    code, found, err = reset(t, w)
    same(code, 0, err)
    same(states(found), {"patchbay.db": "removed", "patchbay.db-wal": "already absent",
                         "patchbay.db-shm": "already absent", "old-store": "removed"})
    check(not store.exists() and not (t.dir / "data" / "patchbay.db").exists(), "they are gone")
    check(all(p.exists() for p in kept), "the rest stays")
    check(any("backups" in k for k in found["kept"]), found["kept"])
    check(found["by_hand"], "what only a person can do")
    code, found, _ = reset(t, w)
    same((code, set(states(found).values())), (0, {"already absent"}), "a second time")
    same(len(w.bot.call("GET", "/joined_rooms")["joined_rooms"]), 3, "the homeserver was left alone")
    w.again()
    same(alice.ask(chat, "echo found again"), "found again")


def test_it_refuses_while_a_router_runs(t):
    w = World(t)
    for more in ((), ("--dry-run",), ("--mode", "server-leave-forget")):
        code, found, err = reset(t, w, *more)
        same((code, found), (69, None), more)
        check(str(w.router.pid) in err, err)
    check((t.dir / "data" / "patchbay.db").exists(), "nothing was removed")


def test_a_killed_router_leaves_a_log_that_goes_too(t):
    w = World(t)
    w.router.kill()
    check((t.dir / "data" / "patchbay.db-wal").exists(), "there is a log")
    code, found, _ = reset(t, w)
    same((code, set(states(found).values())), (0, {"removed"}))


def test_what_it_must_not_remove(t):
    w, _, _ = lived_in(t)
    precious = {"/": "root", str(t.dir / "data"): "data_dir", str(t.dir): "data_dir",
                str(t.dir / "data" / "backups"): "no store", "/etc": "no store"}
    link = t.dir / "link"
    link.symlink_to(t.dir / "data")
    precious[str(link)] = "data_dir"
    for path, word in precious.items():
        code, found, err = reset(t, w, env={"MATRIX_STORE_PATH": path})
        same((code, found), (78, None), path)
        check(word in err, path, err)
    check((t.dir / "data" / "patchbay.db").exists(), "nothing was removed")
    foreign = t.dir / "foreign.db"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE kv(key, value)")
    w.configure("storage: {path: foreign.db}")
    code, _, err = reset(t, w)
    same(code, 78)
    check("no database of Patchbay" in err and foreign.exists(), err)


def test_leaving_the_rooms_makes_a_new_home_possible(t):
    w, alice, chat = lived_in(t)
    spaces = set(alice.rooms_with("io.patchbay.space"))
    code, found, err = reset(t, w, "--mode", "server-leave-forget", "--dry-run")
    same((code, [r["state"] for r in found["rooms"]]), (0, ["would be left and forgotten"] * 3), err)
    same(len(w.bot.call("GET", "/joined_rooms")["joined_rooms"]), 3)
    limited = {"status": 429, "body": {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 150}}
    fault = w.homeserver.fault(method="POST", path_regex="/(leave|forget)$", user=w.bot.id, times=3, answer=limited)
    lost = w.homeserver.fault(method="POST", path_regex="/leave$", user=w.bot.id, times=1, skip=1, commit=True,
                              answer={"status": 502, "body": "<html>"})
    code, found, err = reset(t, w, "--mode", "server-leave-forget")
    same((code, [r["state"] for r in found["rooms"]]), (0, ["left and forgotten"] * 3), err)
    same((w.homeserver.hits(fault), w.homeserver.hits(lost)), (3, 1))
    check("waiting" in err, "it says that it waits:", err)
    same(states(found)["patchbay.db"], "removed")
    same(w.bot.call("GET", "/joined_rooms")["joined_rooms"], [])
    check("exist for everybody" in found["by_hand"][0], found["by_hand"])
    alice.sync()
    alice.get_state(chat, "io.patchbay.chat")  # the room is still hers
    code, found, _ = reset(t, w, "--mode", "server-leave-forget")
    same((code, found["rooms"]), (0, []), "a second time")
    w.again()
    alice.lobby = alice.invite(w.bot.id)

    def fresh():
        for room in list(alice.invites):
            alice.join(room)
        return set(alice.rooms_with("io.patchbay.space")) - spaces
    alice.until("a new Space", fresh)


def test_it_goes_on_where_it_stopped(t):
    w, _, _ = lived_in(t)
    w.homeserver.fault(method="POST", path_regex="/forget$", user=w.bot.id, times=100, skip=1,
                       answer={"status": 401, "body": {"errcode": "M_UNKNOWN_TOKEN"}})
    code, found, err = reset(t, w, "--mode", "server-leave-forget")
    check(code != 0 and found["files"] == [], "the local part waits", code, found)
    check("again" in err, err)
    check((t.dir / "data" / "patchbay.db").exists(), "the database is there")
    w.homeserver.heal()
    code, found, err = reset(t, w, "--mode", "server-leave-forget")
    same((code, [r["state"] for r in found["rooms"]]), (0, ["left and forgotten"] * 3), err)
    check(not (t.dir / "data" / "reset.rooms").exists(), "nothing is left over")


def test_the_homeserver_is_away(t):
    w, _, _ = lived_in(t)
    w.homeserver.kill()
    code, found, err = reset(t, w, "--mode", "server-leave-forget")
    same((code, found), (69, None))
    check("nothing was changed" in err and (t.dir / "data" / "patchbay.db").exists(), err)
    same(reset(t, w)[0], 0, "the local part needs no homeserver")


def test_the_embedded_default_can_be_reset(t):
    from people import Person
    router = t.router()
    facts = router.ready()
    account = facts["accounts"][0]
    alice = Person(facts["homeserver"], account["user_id"], account["password"], login=True)
    alice.meet(facts["bot"])
    same(router.stop(), 0)
    code, out, err = t.run("reset", "--mode", "server-leave-forget", "--dry-run", "--json")
    same((code, json.loads(out)["rooms"]), (0, []), err)
    code, out, err = t.run("reset", "--mode", "server-leave-forget", "--json")
    same((code, len(json.loads(out)["rooms"])), (0, 3), err)
    check(any("homeserver" in k for k in json.loads(out)["kept"]), out)
    router = t.router()
    facts = router.ready()
    router.stop()


def test_without_any_state_there_is_nothing_to_do(t):
    code, out, err = t.run("reset")
    same(code, 0, err)
    check(out.count("already absent") == 3 and "only a person can do" in out, out)
    check(not (t.dir / "data").exists(), "it makes nothing")
    code, _, err = t.run("reset", "--mode", "everything")
    same(code, 64, err)
