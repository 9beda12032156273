"""The registry while the router runs: files that change, SIGHUP, the admin API, `patchbay agents` and `rooms`."""
import json
import os
import signal
import time

from harness import check, eventually, http, same
from people import World

ADMIN = "an admin token, long"


def entry(agent, name, **more):
    return {"id": name, "label": name.title(), "base_url": agent.url(name), **more}


def registry(agent, names=("one",), users=None, **more):
    return {"agents": [entry(agent, n) for n in names], "default_agent": names[0],
            **({"user_agents": users} if users else {}), **more}


def write(w, content, name="matrix-agents.yaml"):
    text = content if isinstance(content, str) else json.dumps(content)
    (w.t.dir / name).parent.mkdir(exist_ok=True)
    (w.t.dir / name).write_text(text, encoding="utf-8")


def rename_over(w, content):
    write(w, content, "new.yaml")
    os.replace(w.t.dir / "new.yaml", w.t.dir / "matrix-agents.yaml")


def agents(w):
    status, answer = http("GET", w.console + "/api/v1/agents", token=ADMIN)
    same(status, 200, answer)
    return {a["id"]: a for a in answer["items"]}, answer["registry"]


def post(w, path, body=None, method="POST"):
    return http(method, w.console + "/api/v1/" + path, body, ADMIN)


def patchbay(w, *arguments, **more):
    return w.t.run(*arguments, "--config", "patchbay.yaml", env={"TEST_ADMIN_TOKEN": ADMIN}, **more)


def in_force(w, *names):
    """Waits for these agents; says how long it took."""
    began = time.monotonic()
    eventually(lambda: f"agents {names}, got {sorted(agents(w)[0])}", lambda: sorted(agents(w)[0]) == sorted(names))
    return time.monotonic() - began


def test_a_file_that_is_written_or_renamed_is_in_force_soon(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent))
    alice, chat = w.person()
    same(alice.ask(chat, "echo before"), "before")
    running = alice.send(chat, "sleep 3")
    eventually("a turn runs", lambda: len(agent.frames(prefix="/one")) == 2)
    write(w, registry(agent, ("one", "two")))
    in_force(w, "one", "two")
    moved = registry(agent, ("one", "two"))
    moved["agents"][0]["base_url"] = agent.url("elsewhere")
    rename_over(w, moved)
    eventually("the new address", lambda: agents(w)[0]["one"]["base_url"].endswith("/elsewhere"))
    same(alice.answer(chat, running)["content"]["body"], "awake: sleep 3", "what ran went on")
    same(alice.ask(chat, "echo after"), "after")
    check(len(agent.frames(prefix="/elsewhere")) == 1, "new turns go to the new address")
    # Removed: the turn that runs ends well, then the room says so; and it works again afterwards.
    running = alice.send(chat, "sleep 2")
    eventually("a turn runs", lambda: len(agent.frames(prefix="/elsewhere")) == 2)
    rename_over(w, registry(agent, ("two",)))
    eventually("one is gone", lambda: w.router.metric("patchbay_registry_reloads_total") >= 3)
    same(alice.answer(chat, running)["content"]["body"], "awake: sleep 2", "what ran went on")
    body = alice.ask(chat, "hello?")
    check("not in service" in body and "!agent" in body, body)
    rename_over(w, registry(agent, ("one", "two")))
    in_force(w, "one", "two")
    same(alice.ask(chat, "echo back"), "back")


def test_a_bad_file_changes_nothing_and_is_shown(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent))
    alice, chat = w.person()
    for text in ("agents: [", "", json.dumps({"agents": [{"id": "one"}]}),
                 json.dumps({**registry(agent), "default_agent": "nobody"})):
        write(w, text)
        w.router.err.clear()
        w.router.said("registry_refused")
        state = agents(w)[1]
        same(state["state"], "bad")
        check("matrix-agents.yaml" in state["problems"][0], state)
        status, ready = w.readyz()
        check(status == 200 and "last good" in ready["detail"], ready)
        same(alice.ask(chat, "echo still"), "still")
    (t.dir / "matrix-agents.yaml").unlink()
    w.router.err.clear()
    w.router.said("cannot be read")
    same(alice.ask(chat, "echo without"), "without")
    write(w, registry(agent))
    eventually("good again", lambda: agents(w)[1]["state"] == "ok")
    check("detail" not in w.readyz()[1] or not w.readyz()[1]["detail"], w.readyz())
    page = w.router.get("/metrics")[1]
    check('patchbay_registry_reloads_total{result="failed"} ' in page, page)
    for carrier in ("http", "process"):
        check(f'patchbay_links_total{{carrier="{carrier}"}} 0\n' in page, page)
    same(int(page.split('patchbay_links_total{carrier="websocket"} ')[1].split("\n")[0]), len(agent.frames(prefix="/one")))
    check("\npatchbay_children_killed_total 0\n" in page, page)
    code, _, err = patchbay(w, "agents", "list")
    same(code, 0, err)


def test_sighup_reads_registry_and_secrets_and_names_what_needs_a_restart(t):
    agent = t.agent()
    one = entry(agent, "one", auth={"secret": {"file": "token"}})
    t.file("token", "first secret\n")
    w = World(t, agent=agent, registry={"agents": [one], "default_agent": "one"})
    alice, chat = w.person()
    same(alice.ask(chat, "echo a"), "a")
    t.file("token", "second secret\n")
    w.configure("language: ru\nrooms: {queue_limit: 7}")
    w.router.signal(signal.SIGHUP)
    line = w.router.said("configuration_needs_restart")
    check("language" in line and "rooms.queue_limit" in line and "data_dir" not in line, line)
    w.router.said("registry_applied")
    same(alice.ask(chat, "echo b"), "b")
    shown = [r["headers"].get("authorization", r["headers"].get("Authorization"))
             for r in agent.records() if r.get("event") == "open"]
    same(shown[-1], "Bearer second secret")
    check("secret" not in w.router.text(), "no secret in the log")
    w.router.signal(signal.SIGHUP)
    w.router.said("registry_unchanged")


def test_an_agent_that_is_taken_from_a_person_blocks_their_room(t):
    agent = t.agent()
    both = ("one", "two")
    w = World(t, agent=agent, registry=registry(agent, both, {"@alice:localhost": ["one", "two"]}))
    alice, chat = w.person()
    same(alice.ask(chat, "echo a"), "a")
    write(w, registry(agent, both, {"@alice:localhost": "two"}))
    w.router.said("registry_applied")
    body = alice.ask(chat, "hello?")
    check("not one of your agents any more" in body and "!new" in body, body)
    check("Two" in alice.ask(chat, "!agent") and "One" not in alice.answers(chat)[-1]["content"]["body"], "the list")
    write(w, registry(agent, both, {"*:localhost": ["two", "one"]}))
    eventually("given back by the server's entry", lambda: alice.ask(chat, "echo c") == "c")


def test_agents_over_the_admin_api(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent))
    main = (t.dir / "matrix-agents.yaml").read_text(encoding="utf-8")
    file = t.dir / "agents.d" / "two.yaml"
    new = {"id": "two", "base_url": agent.url("two"), "limits": {"turn": "1h"}}
    status, answer = post(w, "agents?dry_run=true", new)
    check(status == 200 and answer["added"] and not file.exists(), status, answer)
    status, answer = post(w, "agents", new)
    check(status == 200 and answer["added"] and answer["changed"], status, answer)
    same(sorted(agents(w)[0]), ["one", "two"], "in force when it is answered")
    same(agents(w)[0]["two"]["source"], answer["file"])
    # Comments and other keys stay; a comment behind a value, too.
    text = file.read_text(encoding="utf-8").replace("base_url:", "# where it lives\nbase_url:")
    file.write_text(text.rstrip("\n") + "  # an hour\nlabel: Zwei   # two\n# the end\n", encoding="utf-8")
    eventually("the label", lambda: agents(w)[0]["two"]["label"] == "Zwei")
    same(post(w, "agents", {"id": "two", "label": "Deux"})[0], 200)
    now = file.read_text(encoding="utf-8")
    check("# where it lives\n" in now and "# an hour" in now and "label: Deux   # two\n# the end\n" in now, now)
    for body, words in (({"id": "three"}, "base_url is missing"),
                        ({"id": "two", "base_url": "ftp://x"}, "scheme"),
                        ({"id": "two", "limits": {"turn": "soon", "frame": "big"}}, "turn")):
        status, answer = post(w, "agents", body)
        same(status, 400, answer)
        check(words in str(answer["faults"]), answer)
    same(len(post(w, "agents", {"id": "two", "limits": {"turn": "soon", "frame": "big"}})[1]["faults"]), 2)
    for body in (["x"], {"base_url": "http://h"}, {"id": "-x"}, {"id": "two", "removed": True}):
        same(post(w, "agents", body)[0], 400, body)
    same(file.read_text(encoding="utf-8"), now, "nothing was written")
    # Disable and enable, also of an agent of the operator's file; drain ends by enable.
    alice, chat = w.person()
    same(post(w, "agents/one/disable")[1]["changed"], True)
    check("not in service" in alice.ask(chat, "x"), "disabled")
    same(agents(w)[0]["one"]["state"], "disabled")
    same(post(w, "agents/one/enable")[0], 200)
    same(alice.ask(chat, "echo on"), "on")
    same(post(w, "agents/one/drain")[1], {"id": "one", "draining": True})
    check("not in service" in alice.ask(chat, "x"), "drained")
    check(agents(w)[0]["one"]["draining"], "shown")
    same(post(w, "agents/one/enable")[1]["changed"], False)
    same(alice.ask(chat, "echo again"), "again")
    for path in ("drain", "enable", "disable"):
        same((post(w, f"agents/nobody/{path}")[0], post(w, f"agents/nobody/{path}")[1]["code"]), (404, "unknown_agent"))
    # Removed: of ours the file goes, of the operator's one a file says so; both come back.
    same(post(w, "agents/two", method="DELETE")[0], 200)
    check(not file.exists() and sorted(agents(w)[0]) == ["one"], "gone")
    same(post(w, "agents/one", method="DELETE")[0], 200)
    same(agents(w)[0], {})
    same(post(w, "agents/one", method="DELETE")[0], 404)
    check("not in service" in alice.ask(chat, "x"), "removed")
    same(post(w, "agents", {"id": "one"})[0], 200)
    same(alice.ask(chat, "echo there"), "there")
    same((t.dir / "matrix-agents.yaml").read_text(encoding="utf-8"), main, "the operator's file is untouched")
    same([p.name for p in (t.dir / "agents.d").iterdir()], ["one.yaml"], "no temporary file stays")
    # It all survives a restart.
    same(w.router.stop(), 0)
    w.again()
    same(alice.ask(chat, "echo anew"), "anew")


def test_what_cannot_be_written_is_refused_with_a_hint(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent))
    t.file("agents.d", "a file where the folder should be")
    status, answer = post(w, "agents", {"id": "two", "base_url": agent.url("two")})
    check(status == 409 and answer["hint"], status, answer)
    same(sorted(agents(w)[0]), ["one"])


def test_rooms_are_listed_and_moved(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent, ("one", "two"), {"@alice:localhost": "one"}))
    alice, chat = w.person()
    same(alice.ask(chat, "echo a"), "a")
    second = alice.new_chat(chat)
    status, all_rooms = http("GET", w.console + "/api/v1/rooms", token=ADMIN)
    same((status, sorted(r["room"] for r in all_rooms["items"]), all_rooms["next"]), (200, sorted([chat, second]), None))
    first_page = http("GET", w.console + "/api/v1/rooms?limit=1", token=ADMIN)[1]
    rest = http("GET", w.console + "/api/v1/rooms?limit=1&cursor=" + first_page["next"].replace("!", "%21"), token=ADMIN)[1]
    same([r["room"] for r in first_page["items"] + rest["items"]], sorted([chat, second]))
    row = next(r for r in all_rooms["items"] if r["room"] == chat)
    same((row["owner"], row["agent"], row["chat"], row["state"], row["platform_chat_id"]),
         (alice.id, "one", "C1", "active", alice.platform_chat_id(chat)))
    before = alice.platform_chat_id(chat)
    running = alice.send(chat, "hang")
    eventually("a turn runs", lambda: len(agent.frames(prefix="/one")) == 2)
    waiting = alice.send(chat, "who")
    code, out, err = patchbay(w, "rooms", "move", chat, "two", "--dry-run")
    same(code, 0, err)
    check("would go from one to two" in out, out)
    code, out, err = patchbay(w, "rooms", "move", chat, "two")
    same(code, 0, err)
    check("is with two now" in out, out)
    check(alice.answer(chat, running)["content"]["body"].startswith("half an answer"), "stopped, its text stays")
    told = json.loads(alice.answer(chat, waiting)["content"]["body"])
    after = alice.platform_chat_id(chat)
    check(after != before and str(told["chat_id"]) == str(after), "what waited goes to the new context")
    check(agent.frames(prefix="/two"), "of the other agent")
    marker = alice.get_state(chat, "io.patchbay.chat")
    same((marker["agent_id"], marker["epoch"]), ("two", 1))
    alice.until("the room is told", lambda: [e for e in alice.answers(chat, kind=("notice",))
                                             if "is with Two now" in e["content"]["body"]])
    # Again: nothing changes. It was the operator's word: the registry's list does not block it, also later.
    status, answer = post(w, f"rooms/{chat.replace('!', '%21')}/move", {"agent": "two"})
    same((status, answer["moved"], answer["platform_chat_id"]), (200, False, after))
    same(w.router.stop(), 0)
    w.again()
    same(alice.ask(chat, "echo granted"), "granted")
    for room, name, words in (("!nobody:localhost", "two", "no chat"), (second, "three", "no agent")):
        code, _, err = patchbay(w, "rooms", "move", room, name)
        same(code, 1, err)
        check(words in err, err)
    same(post(w, "rooms/x/move", {"agents": "two"})[0], 400)
    code, out, _ = patchbay(w, "rooms", "list", "--agent", "two", "--json")
    same([r["room"] for r in json.loads(out)["items"]], [chat])
    # What people call their rooms does not steer the operator's terminal.
    alice.ask(chat, "!rename red \x1b[31m\x9b2J end")
    code, out, _ = patchbay(w, "rooms", "list")
    check(code == 0 and "red" in out and "end" in out, out)
    check(not [c for c in out if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], ascii(out))


def test_the_agents_command(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent))
    (t.dir / "work").mkdir()
    t.file("three.yaml", f"id: three\nbase_url: {agent.url('three')}\nlabel: Third # one\nlimits: {{turn: 2h}}\n")
    add = ("agents", "add", "--id", "two", "--base-url", agent.url("two"), "--workspace", "work")
    for arguments, words in ((add + ("--dry-run",), "two would be added"), (add, "two is added"),
                             (("agents", "add", "--file", "three.yaml"), "three is added"),
                             (("agents", "add", "--file", "three.yaml", "--label", "Drei"), "three is changed"),
                             (("agents", "drain", "three", "--dry-run"), "would take no new turns"),
                             (("agents", "drain", "three"), "takes no new turns"),
                             (("agents", "enable", "three"), "nothing changes"),
                             (("agents", "disable", "three"), "three is disabled"),
                             (("agents", "disable", "three"), "nothing changes"),
                             (("agents", "remove", "three", "--dry-run"), "would be removed"),
                             (("agents", "list"), "Drei"),
                             (("agents", "remove", "three"), "three is removed")):
        code, out, err = patchbay(w, *arguments)
        same(code, 0, f"{arguments} {err}")
        check(words in out, arguments, out)
    check(f"workspace_path: {t.dir}/work" in (t.dir / "agents.d" / "two.yaml").read_text(), "an absolute path")
    code, out, _ = patchbay(w, "agents", "list", "--json")
    same([a["id"] for a in json.loads(out)["items"]], ["one", "two"])
    for arguments, code, words in ((("agents", "remove", "three"), 1, "no agent of this id"),
                                   (("agents", "add", "--id", "four"), 1, "base_url is missing"),
                                   (("agents", "add", "--base-url", "http://h"), 64, "--id"),
                                   (("agents",), 64, ""), (("agents", "drain"), 64, "")):
        got, out, err = t.run(*arguments, *(("--config", "patchbay.yaml") if len(arguments) > 2 else ()),
                              env={"TEST_ADMIN_TOKEN": ADMIN})
        same(got, code, f"{arguments} {err}")
        check(words in err, err)
    same(w.router.stop(), 0)
    for arguments in (("agents", "list"), ("rooms", "list"), ("agents", "drain", "two")):
        code, _, err = patchbay(w, *arguments)
        same(code, 69, err)
        check("no router runs" in err, err)


def test_tokens_of_agents_follow_the_registry(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent))
    event = {"event_id": "e1", "kind": "task_done", "text": "ready", "chat_id": 4711}
    same(http("POST", w.console + "/api/v1/agents/one/events", event, "a token of its own")[0], 403)
    t.file("token", "a token of its own")
    write(w, {"agents": [entry(agent, "one", events_token={"file": "token"})], "default_agent": "one"})
    eventually("its token counts",
               lambda: http("POST", w.console + "/api/v1/agents/one/events", event, "a token of its own")[0] == 404)


def test_a_hundred_reloads_break_no_turn(t):
    agent = t.agent()
    w = World(t, agent=agent, registry=registry(agent, ("one", "two")))
    alice, chat = w.person()
    rooms = [chat] + [alice.new_chat(chat) for _ in range(3)]
    sent, n, until = {}, 0, w.router.metric("patchbay_registry_reloads_total") + 100
    while w.router.metric("patchbay_registry_reloads_total") < until:
        n += 1
        same(post(w, "agents", {"id": "one", "limits": {"turn": f"{n % 7 + 1}h"}, "label": f"One {n}"})[0], 200)
        same(post(w, "agents", {"id": f"extra-{n % 3}", "base_url": agent.url("x"), "label": str(n)})[0], 200)
        if n % 5 == 0:
            for room in rooms:
                sent[alice.send(room, "drip 4 0.05")] = room
    for asked, room in sent.items():
        same(alice.answer(room, asked)["content"]["body"].strip(), "1 2 3 4")
    same(w.router.metric("patchbay_agent_turns_failed_total"), 0)
