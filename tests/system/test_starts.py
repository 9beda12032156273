"""Starting against a homeserver that is down, strange or not ours."""
import socket

from harness import Homeserver, check, eventually, free_port, http, same
from people import Person, World

AUTH = "password: {env: TEST_PASSWORD}"


def test_a_homeserver_that_is_down_is_waited_for(t):
    port = free_port()
    probe = t.homeserver("--port", port, "--data", t.dir / "hs")
    w = World(t, homeserver=probe, start=False)
    probe.kill()
    router = w.run()
    status, answer = eventually("the admin API", lambda: (lambda r: r if r[0] else None)(w.readyz()))
    same(status, 503)
    router.said("homeserver_unreachable")
    eventually("says why", lambda: "homeserver" in str(w.readyz()[1]))
    check(router.child.poll() is None and not router.out, "it stays up and is not ready")
    same(http("GET", w.console + "/healthz")[0], 200)
    t.started(Homeserver(t.homeserver_binary, "--port", port, "--data", t.dir / "hs"))
    router.ready(45)
    same(w.readyz()[0], 200)
    same(router.text().count("homeserver_unreachable"), 1, "said once a minute")
    alice, chat = w.person()
    same(alice.ask(chat, "echo there you are"), "there you are")


def test_a_homeserver_that_goes_away_and_comes_back(t):
    port = free_port()
    first = t.homeserver("--port", port, "--data", t.dir / "hs")
    w = World(t, homeserver=first)
    alice, chat = w.person()
    first.kill()
    eventually("not ready", lambda: w.readyz()[0] == 503)
    t.started(Homeserver(t.homeserver_binary, "--port", port, "--data", t.dir / "hs"))
    eventually("ready again", lambda: w.readyz()[0] == 200, 45)
    same(alice.ask(chat, "echo back"), "back")


def test_wrong_tokens_end_with_a_sentence(t):
    w = World(t, start=False)
    other = Person(w.homeserver.url, "mallory")
    for token, words in (("nonsense", "access token"), (other.token, "mallory")):
        w.env["TEST_TOKEN"] = token
        router = w.run()
        same(router.wait(), 69, router.text())
        sentence = [x for x in router.err if x.startswith("patchbay: ")]
        check(len(sentence) == 1 and words in sentence[0] and w.bot.id in sentence[0], router.text())
        check(token not in router.text() and not router.out, "the token stays out of it")


def test_a_wrong_password_and_a_web_server_that_is_no_homeserver(t):
    w = World(t, start=False)
    w.configure(auth=AUTH)
    w.env["TEST_PASSWORD"] = "not the password"
    router = w.run()
    same(router.wait(), 69, router.text())
    check("login" in router.text() and "not the password" not in router.text(), router.text())
    w.configure(url=w.agent.url())
    router = w.run()
    same(router.wait(), 69, router.text())
    check("homeserver.url" in router.text(), router.text())


def test_login_by_password_keeps_its_device(t):
    w = World(t, start=False)
    w.configure("", auth=AUTH + "\n  device_id: OURS")
    w.env["TEST_PASSWORD"] = "a long password"
    w.run().ready()
    alice, chat = w.person()
    same(alice.ask(chat, "echo one"), "one")
    devices = lambda: sorted(d["device_id"] for d in w.bot.call("GET", "/devices")["devices"])
    same(devices(), sorted(["OURS", w.bot.device]))
    same(w.router.stop(), 0)
    w.configure("", auth=AUTH + "\n  device_id: ANOTHER")
    w.again()
    same(alice.ask(chat, "echo two"), "two")
    same(devices(), sorted(["OURS", w.bot.device]), "the stored device goes on")
    # A token that was revoked meanwhile: the password makes a new one for the same device.
    same(w.router.stop(), 0)
    same(http("POST", w.homeserver.url + "/_dev/expire", {"user": w.bot.id})[0], 200)
    w.again()
    same(alice.ask(chat, "echo three"), "three")
    w.bot = Person(w.homeserver.url, "agents", login=True)
    check("OURS" in devices() and "ANOTHER" not in devices(), devices())


def test_a_database_of_another_account_is_refused(t):
    w = World(t)
    same(w.router.stop(), 0)
    other = Person(w.homeserver.url, "other")
    w.configure(user=other.id)
    w.env["TEST_TOKEN"] = other.token
    router = w.run()
    same(router.wait(), 78, router.text())
    check(w.bot.id in router.text() and other.id in router.text() and "data_dir" in router.text(), router.text())


def test_another_device_than_before_sends_nothing_twice(t):
    w = World(t)
    alice, chat = w.person()
    # The answer arrives, but the router does not hear of it and is killed.
    stuck = w.homeserver.fault(method="PUT", path_regex="/send/m.room.message/", user=w.bot.id, times=1000,
                               commit=True, answer={"status": 503, "body": {"errcode": "M_UNKNOWN"}})
    asked = alice.send(chat, "echo only once")
    eventually("it was sent", lambda: w.homeserver.hits(stuck) > 0)
    alice.answer(chat, asked)
    w.router.kill()
    w.homeserver.heal()
    login = Person(w.homeserver.url, "agents", login=True)
    check(login.device != w.bot.device, "another device")
    w.env["TEST_TOKEN"] = login.token
    w.again()
    w.router.said("session_device_changed")
    same(alice.ask(chat, "echo afterwards"), "afterwards")
    same(len(alice.answers(chat, asked)), 1, "finals of the first")


def test_a_revoked_token_while_running_keeps_it_up(t):
    w = World(t)
    same(http("POST", w.homeserver.url + "/_dev/expire", {"user": w.bot.id})[0], 200)
    status, answer = eventually("not ready", lambda: (lambda r: r if r[0] == 503 else None)(w.readyz()))
    check(w.router.child.poll() is None, "it stays up", answer)
    same(w.router.stop(), 0)


def test_a_database_newer_than_the_program_or_not_ours(t):
    import sqlite3
    w = World(t)
    same(w.router.stop(), 0)
    with sqlite3.connect(t.dir / "data/patchbay.db") as db:
        db.execute("pragma user_version = 9999")
    db.close()
    router = w.run()
    same(router.wait(), 78, router.text())
    check("newer" in router.text(), router.text())
    (t.dir / "data/patchbay.db").unlink()
    with sqlite3.connect(t.dir / "data/patchbay.db") as db:
        db.execute("create table kv(key, value)")
        db.execute("insert into kv values ('matrix_room:!a:b', '{}')")
    db.close()
    router = w.run()
    same(router.wait(), 78, router.text())
    check("import-surfaces" in router.text(), router.text())


def test_a_start_through_errors_of_the_homeserver(t):
    w = World(t, start=False)
    html = {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<html>Bad gateway</html>"}
    limited = {"status": 429, "body": {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 200}}
    for path in ("/_matrix/client/versions", "/_matrix/client/v3/account/whoami", "/_matrix/client/v3/sync",
                 "/_matrix/client/v3/user/"):
        for answer in (html, limited, {"status": 200, "body": "{\"versions\": 7}"}):
            w.homeserver.fault(path=path, answer=answer)
    w.run().ready(45)
    w.homeserver.heal()
    alice, chat = w.person()
    same(alice.ask(chat, "echo up"), "up")


def test_an_address_of_the_console_that_is_taken(t):
    w = World(t, start=False)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", w.port))
        s.listen()
        router = w.run()
        same(router.wait(), 69, router.text())
    check(str(w.port) in router.text() and "admin.listen" in router.text(), router.text())
