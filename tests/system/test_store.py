"""Commands on the database's file: backup of a running router and its restore, the earlier bot's file."""
import fcntl
import json
import pathlib
import shutil
import sqlite3

from harness import check, same
from people import World

EARLIER = pathlib.Path(__file__).resolve().parent.parent / "persistence" / "earlier_bot.sql"


def test_a_backup_of_a_running_router_is_brought_back(t):
    w = World(t)
    env = {"TEST_ADMIN_TOKEN": "an admin token, long", **w.env}
    config = ("--config", "patchbay.yaml")
    alice, chat = w.person()
    same(alice.ask(chat, "echo before"), "before")

    code, out, err = t.run("backup", "copy.db", *config, "--dry-run", env=env)
    same((code, err), (0, ""))
    check("would copy data/patchbay.db" in out and not (t.dir / "copy.db").exists(), out)
    code, out, err = t.run("backup", "copy.db", *config, "--json", env=env)
    same((code, err), (0, ""))
    said = json.loads(out)
    copy = t.dir / "copy.db"
    same((said["ok"], said["file"], said["bytes"]), (True, str(copy.resolve()), copy.stat().st_size))
    same(oct(copy.stat().st_mode & 0o777), "0o600")
    code, out, err = t.run("backup", "copy.db", *config, env=env)
    same((code, out, err.count("\n")), (1, "", 1))
    check("exists already" in err, err)

    after = alice.send(chat, "echo after the backup")
    same(alice.answer(chat, after)["content"]["body"], "after the backup")
    same(w.router.stop(), 0)
    for file in (t.dir / "data").glob("patchbay.db*"):
        file.unlink()
    shutil.copy(copy, t.dir / "data" / "patchbay.db")
    w.again().said("database_restored")
    last = alice.send(chat, "echo and again")
    same(alice.answer(chat, last)["content"]["body"], "and again")
    same(len(alice.answers(chat, after, ("final",))), 1, "what was answered since is not answered again")
    same(len(w.agent.frames()), 3, "nor asked again")
    same(w.router.stop(), 0)
    w.again()
    same(w.router.text().count("database_restored"), 0, "said once")


def earlier_bots_file(t):
    db = sqlite3.connect(t.dir / "bot.db")
    db.executescript(EARLIER.read_text(encoding="utf-8"))
    db.close()
    t.file("patchbay.yaml", 'homeserver: {url: "http://127.0.0.1:1", user_id: "@agents:localhost", '
                            'access_token: {env: TEST_TOKEN}}\nregistry: matrix-agents.yaml\n')
    t.file("matrix-agents.yaml", '{"agents": [{"id": "writer", "base_url": "http://127.0.0.1:2"}]}')
    return lambda *more: t.run("import-surfaces", "bot.db", "--config", "patchbay.yaml", *more,
                               env={"TEST_TOKEN": "a token"})


def test_the_earlier_bots_rooms_are_taken_over(t):
    run = earlier_bots_file(t)
    before = (t.dir / "bot.db").read_bytes()
    code, out, err = run("--dry-run")
    same((code, err), (0, ""))
    check("!a1:example.org  C1 of @alice:example.org, platform_chat_id 17, agent writer" in out, out)
    check("nothing was changed" in out and not (t.dir / "data").exists(), "a dry run makes nothing", out)

    code, out, err = run()
    same((code, err), (0, ""))
    check("done, taken over: 7 rooms, 2 people, 1 saved contexts; 1 conflicts, 5 skipped" in out, out)
    db = sqlite3.connect(t.dir / "data" / "patchbay.db")
    same(db.execute("SELECT platform, chat, agent FROM room WHERE id = '!a2:example.org'").fetchall(),
         [(18, "C2", "coder")])
    db.close()

    for more in ("--dry-run",), ():
        code, out, err = run("--json", *more)
        same((code, err), (0, ""))
        said = json.loads(out)
        same((said["changed"], said["rooms"], said["people"], said["saved_contexts"]), (False, [], [], []))
        same((said["already_there"], len(said["conflicts"]), len(said["skipped"])), (8, 1, 5))
    same((t.dir / "bot.db").read_bytes(), before, "the source is only read")


def test_nothing_is_taken_over_while_a_router_runs(t):
    run = earlier_bots_file(t)
    (t.dir / "data").mkdir(mode=0o700)
    with open(t.dir / "data" / "patchbay.lock", "w", encoding="utf-8") as lock:
        lock.write("4711\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        for more in (), ("--dry-run",):
            code, out, err = run(*more)
            same((code, out, err.count("\n")), (69, "", 1), err)
            check("process 4711" in err, err)
    check(not (t.dir / "data" / "patchbay.db").exists(), "nothing was made")


def test_files_that_are_not_what_they_should_be(t):
    run = earlier_bots_file(t)
    (t.dir / "bot.db").unlink()
    code, out, err = run()
    same((code, out, err.count("\n")), (78, "", 1), err)
    (t.dir / "bot.db").write_text("no database at all, but long enough to be looked at" * 20)
    same(run()[0], 78)
    code, out, err = t.run("backup", "copy.db", "--config", "patchbay.yaml", env={"TEST_TOKEN": "a token"})
    same((code, out, err.count("\n")), (78, "", 1), err)
    check("no database at data/patchbay.db" in err and not (t.dir / "data").exists(), err)
    same(t.run("backup")[0], 64, "without FILE")
