"""`patchbay doctor`: one line a finding, each with the next step."""
import json
import os
import socket
import sqlite3

from harness import check, free_port, same
from people import World


def examine(t, w, *more, env=None):
    """(exit code, {what: finding})."""
    code, out, err = t.run("doctor", "--config", "patchbay.yaml", "--json", *more,
                           env={"TEST_ADMIN_TOKEN": "an admin token, long", **w.env, **(env or {})})
    check(out, "it says something; stderr:", err)
    found = json.loads(out)
    for f in found["findings"]:
        check(f["verdict"] in ("ok", "warning", "failed"), f)
        check((f["next"] is None) == (f["verdict"] == "ok"), "the next step, unless all is well:", f)
    return code, {f["what"]: f for f in found["findings"]}


def verdicts(found):
    return {what: f["verdict"] for what, f in found.items()}


def test_all_is_well(t):
    w = World(t)
    alice, chat = w.person()
    alice.ask(chat, "echo before")
    turns = len(w.agent.frames())
    code, found = examine(t, w)
    same(code, 0)
    same({k: v for k, v in verdicts(found).items() if v != "ok"}, {"rate limits": "warning"})
    check({"homeserver", "clock", "login", "account", "media", "agent main", "workspace main", "data_dir", "disk",
           "fsync", "database"} <= set(found), sorted(found))
    check(w.bot.id in found["account"]["found"] and w.bot.device in found["account"]["found"], found["account"])
    check("as in the database" in found["account"]["found"], found["account"])
    check("override_ratelimit" in found["rate limits"]["next"], found["rate limits"])
    check(str(w.router.pid) in found["data_dir"]["found"], found["data_dir"])
    check("sound" in found["database"]["found"], found["database"])
    same(len(w.agent.frames()), turns, "no turn was tried")
    same(alice.ask(chat, "echo after"), "after", "the router goes on")
    code, out, _ = t.run("doctor", "--config", "patchbay.yaml",
                         env={"TEST_ADMIN_TOKEN": "an admin token, long", **w.env})
    same(code, 0)
    same(len(out.splitlines()), len(found), "one line each")
    check(all(x.split()[0] in ("ok", "warning", "failed") for x in out.splitlines()), out)
    for secret in (w.bot.token, "an admin token"):
        check(secret not in out, "no secret")


def test_it_names_each_trouble_and_what_to_do(t):
    closed, mute = free_port(), socket.create_server(("127.0.0.1", 0))
    t.stack.callback(mute.close)
    registry = {"agents": [
        {"id": "gone", "base_url": f"http://127.0.0.1:{closed}", "workspace_path": str(t.dir / "nowhere")},
        {"id": "off", "base_url": "http://127.0.0.1:1", "enabled": False},
        {"id": "mute", "base_url": f"ws://127.0.0.1:{mute.getsockname()[1]}", "limits": {"connect": "1s"}},
        {"id": "nameless", "base_url": "http://no-such-host.invalid"}], "default_agent": "gone"}
    w = World(t, registry=registry, start=False)
    w.env["TEST_TOKEN"] = "a wrong token"
    code, found = examine(t, w)
    same(code, 1)
    same({k: v for k, v in verdicts(found).items() if v != "ok"},
         {"login": "failed", "agent gone": "failed", "agent mute": "failed", "agent nameless": "failed",
          "workspace gone": "failed"})
    check("M_UNKNOWN_TOKEN" in found["login"]["found"] and "token" in found["login"]["next"], found["login"])
    check("base_url" in found["agent gone"]["next"], found["agent gone"])
    check("uid" in found["workspace gone"]["next"], found["workspace gone"])
    check(not (t.dir / "data").exists(), "it makes nothing")


def test_a_homeserver_that_is_away_or_none(t):
    w = World(t, start=False)
    w.configure(url=f"http://127.0.0.1:{free_port()}")
    code, found = examine(t, w)
    same((code, found["homeserver"]["verdict"]), (1, "failed"))
    w.configure(url=w.agent.url())
    code, found = examine(t, w)
    same((code, found["homeserver"]["verdict"]), (1, "failed"))
    check("homeserver.url" in found["homeserver"]["next"], found["homeserver"])


def test_another_account_another_device_another_clock(t):
    w = World(t)
    same(w.router.stop(), 0)
    w.homeserver.fault(method="GET", path="/_matrix/client/versions", answer={
        "status": 200, "headers": {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, "body": {"versions": ["v1.11"]}})
    token = w.env["TEST_TOKEN"]
    from people import Person
    w.env["TEST_TOKEN"] = Person(w.homeserver.url, "agents", login=True).token
    code, found = examine(t, w)
    same(code, 0, "warnings are no failure")
    same(found["account"]["verdict"], "warning")
    check("device" in found["account"]["found"], found["account"])
    w.env["TEST_TOKEN"] = Person(w.homeserver.url, "mallory").token
    code, found = examine(t, w)
    same((code, found["account"]["verdict"]), (1, "failed"))
    w.env["TEST_TOKEN"] = token


def test_a_password_is_tried_without_disturbing_the_router(t):
    w = World(t, start=False)
    w.env["TEST_PASSWORD"] = "a long password"
    w.configure(auth="password: {env: TEST_PASSWORD}")
    code, found = examine(t, w)
    same((code, found["login"]["verdict"], found["account"]["verdict"]), (0, "ok", "ok"))
    w.again()
    alice, chat = w.person()
    code, found = examine(t, w)
    same((code, found["login"]["verdict"]), (0, "ok"))
    check("as in the database" in found["account"]["found"], found["account"])
    same(alice.ask(chat, "echo still there"), "still there")
    devices = w.bot.call("GET", "/devices")["devices"]
    check("PATCHBAY-DOCTOR" not in [d["device_id"] for d in devices], "its session is gone:", devices)
    w.env["TEST_PASSWORD"] = "wrong"
    same(w.router.stop(), 0)
    for file in (t.dir / "data").glob("patchbay.db*"):
        file.unlink()
    code, found = examine(t, w)
    same((code, found["login"]["verdict"]), (1, "failed"))


def test_relief_that_is_told(t):
    w = World(t, start=False)
    for body, verdict in (({"messages_per_second": 0, "burst_count": 0}, "ok"), ({}, "warning"),
                          ({"messages_per_second": 5, "burst_count": 10}, "warning")):
        w.homeserver.fault(method="GET", path="/_synapse/admin/v1/users/", answer={"status": 200, "body": body})
        same(examine(t, w)[1]["rate limits"]["verdict"], verdict, body)


def test_a_database_that_is_damaged_newer_or_foreign(t):
    w = World(t)
    same(w.router.stop(), 0)
    path = t.dir / "data" / "patchbay.db"
    whole = path.read_bytes()
    with open(path, "r+b") as f:  # all pages behind the schema
        f.seek(8192)
        f.write(b"\xff" * (len(whole) - 8192))
    code, found = examine(t, w)
    same((code, found["database"]["verdict"]), (1, "failed"))
    check("backup" in found["database"]["next"], found["database"])
    path.write_bytes(whole)
    same(examine(t, w)[1]["database"]["verdict"], "ok")
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    check("newer" in examine(t, w)[1]["database"]["next"])
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE kv(key, value)")
    os.chmod(path, 0o600)
    code, found = examine(t, w)
    same((code, found["database"]["verdict"]), (1, "failed"))
    check("storage.path" in found["database"]["next"], found["database"])


def test_the_embedded_default_has_no_outside(t):
    code, out, _ = t.run("doctor", "--json")
    same(code, 0, out)
    check(not (t.dir / "data").exists(), "it makes nothing")


def test_a_wrong_configuration(t):
    t.file("patchbay.yaml", "homeserver: {url: 7}\nmood: good\n")
    code, out, err = t.run("doctor", "--config", "patchbay.yaml")
    same((code, out), (78, ""))
    check("patchbay.yaml:" in err, err)
