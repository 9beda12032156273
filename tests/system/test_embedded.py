"""The embedded default as a newcomer meets it."""
import os
import socket
import stat
import time

from harness import check, same
from people import Person


def start(t):
    router = t.router()
    facts = router.ready()
    account = facts["accounts"][0]
    return router, facts, Person(facts["homeserver"], account["user_id"], account["password"], login=True)


def test_ready_line_health_and_metrics(t):
    router = t.router()
    facts = router.ready()
    same(sorted(facts), ["accounts", "agents", "bot", "console", "homeserver", "version"])
    same(facts["agents"], ["demo"])
    same(sorted(facts["accounts"][0]), ["password", "user_id"])
    check(facts["bot"].startswith("@") and facts["homeserver"].startswith("http://127.0.0.1:"), facts)
    same(router.get("/healthz")[0], 200)
    status, ready = router.get("/readyz")
    same(status, 200, ready)
    status, text = router.get("/metrics")
    same(status, 200)
    check("# TYPE patchbay_inbox_events_total counter" in text, text[:300])
    same(router.get("/")[0], 200, "the console's page")
    same(router.get("/api/v1/agents")[0], 401, "without the token")
    same(router.get("/api/v1/agents", "wrong token, wrong token")[0], 401, "with a wrong token")
    status, agents = router.get("/api/v1/agents", router.token)
    same((status, agents["items"][0]["id"], agents["next"]), (200, "demo", None))
    t.notes.append(f"ready after {router.ready_after * 1000:.0f} ms")
    same(len(router.out), 1, "lines on stdout")
    check("http://127.0.0.1" in router.text() and facts["accounts"][0]["password"] in router.text(),
          "link and account on stderr", router.text())
    same(router.stop(), 0, "exit code at SIGTERM")


def test_onboarding_makes_a_space_and_a_first_chat(t):
    _, facts, alice = start(t)
    bot = facts["bot"]
    space, chat = alice.meet(bot)
    marker = alice.get_state(chat, "io.patchbay.chat")
    same({k: marker[k] for k in ("owner", "chat", "agent_id", "state", "epoch")},
         {"owner": alice.id, "chat": "C1", "agent_id": "demo", "state": "active", "epoch": 0})
    check(type(marker["platform_chat_id"]) is int and marker["intent"], marker)
    home = alice.get_state(space, "io.patchbay.space")
    same({k: home[k] for k in ("owner", "agent", "language")},
         {"owner": alice.id, "agent": "demo", "language": "en"})
    same(alice.state[space]["m.room.create", ""]["content"].get("type"), "m.space")
    same(alice.state[chat]["io.patchbay.chat", ""]["sender"], bot, "who wrote the marker")
    for room, kind in ((space, "io.patchbay.space"), (chat, "io.patchbay.chat")):
        same(alice.get_state(room, "m.room.join_rules")["join_rule"] in ("invite", "restricted"), True,
             "join rule")
        same(alice.get_state(room, "m.room.power_levels")["events"][kind], 100, "power for the marker")
    same(alice.get_state(chat, "m.room.name")["name"], "Chat 1")
    alice.until("the chat in the Space", lambda: ("m.space.child", chat) in alice.state[space])
    hello = alice.until("a word in the lobby", lambda: alice.answers(alice.lobby))[0]
    check(chat in hello["content"]["body"] or "matrix.to" in hello["content"]["body"], hello["content"])


def test_a_message_is_answered_by_one_reply(t):
    router, facts, alice = start(t)
    _, chat = alice.meet(facts["bot"])
    asked = alice.send(chat, "Good morning")
    answer = alice.answer(chat, asked)["content"]
    same(answer["io.patchbay.delivery"]["kind"], "final")
    check(answer["io.patchbay.delivery"]["turn"], answer)
    same(answer["m.relates_to"]["m.in_reply_to"]["event_id"], asked)
    check("Good morning" in answer["body"], answer["body"])
    check(answer["msgtype"] == "m.text" and alice.id in answer["m.mentions"]["user_ids"], answer)
    # !help and !stop, and an unknown command
    check("!new" in alice.ask(chat, "!help"), "help")
    check("Nothing" in alice.ask(chat, "!stop"), "stop without a turn")
    check("!help" in alice.ask(chat, "!hlep"), "the nearest command")
    alice.event(chat, {"msgtype": "m.notice", "body": "a notice is never answered"})
    alice.ask(chat, "and this is")
    same(len(alice.answers(chat, kind=("final",))), 2, "answers")
    check(router.metric("patchbay_outbox_sent_total") >= 6, "metric of what was sent")


def test_new_chats_and_a_fresh_context(t):
    _, facts, alice = start(t)
    _, first = alice.meet(facts["bot"])
    named = alice.new_chat(first, "Plans for May")
    same(alice.get_state(named, "m.room.name")["name"], "Plans for May")
    same(alice.get_state(named, "io.patchbay.chat")["chat"], "C2")
    unnamed = alice.new_chat(named)
    same(alice.get_state(unnamed, "m.room.name")["name"], "Chat 3")
    ids = [alice.platform_chat_id(r) for r in (first, named, unnamed)]
    same(len(set(ids)), 3, "different platform_chat_ids")
    before = alice.get_state(named, "io.patchbay.chat")
    alice.ask(named, "one")
    check("fresh" in alice.ask(named, "!clear"), "said so")
    after = alice.get_state(named, "io.patchbay.chat")
    check(after["platform_chat_id"] not in ids, "a new id", after)
    same(after["epoch"], before["epoch"] + 1)
    for key in ("owner", "chat", "agent_id", "state", "intent"):
        same(after[key], before[key], key)
    alice.ask(named, "two")
    same(alice.platform_chat_id(first), ids[0], "the other room keeps its id")


def test_a_second_start_goes_on_where_the_first_stopped(t):
    router, facts, alice = start(t)
    space, chat = alice.meet(facts["bot"])
    alice.ask(chat, "before")
    marker = alice.get_state(chat, "io.patchbay.chat")
    mode = stat.S_IMODE(os.stat(t.dir / "data/patchbay.db").st_mode)
    same(mode, 0o600, "mode of the database")
    same(router.stop(), 0)
    router = t.router()
    again = router.ready()
    t.notes.append(f"second start ready after {router.ready_after * 1000:.0f} ms")
    for key in ("bot", "accounts"):
        same(again[key], facts[key], key)
    alice.url = again["homeserver"]
    alice.call("GET", "/account/whoami")  # the same login
    check("after" in alice.ask(chat, "after"), "answered in the same room")
    same(alice.get_state(chat, "io.patchbay.chat"), marker)
    alice.send(alice.lobby, "!start")
    lobby = alice.invite(facts["bot"])
    pointer = alice.until("a pointer to the Space", lambda: alice.answers(lobby))[0]
    check(space in pointer["content"]["body"].replace("%21", "!").replace("%3A", ":"), pointer["content"])
    same(alice.rooms_with("io.patchbay.space"), [space], "Spaces")
    same(alice.invites, {}, "no further invitation")


def test_default_ports_give_way(t):
    taken = []
    for port in (8008, 8780):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.append(s)
        for _ in range(600):  # another test's router may have it now and let it go in a moment
            try:
                s.bind(("127.0.0.1", port))
                s.listen()
                break
            except OSError:
                time.sleep(0.1)
        # Whoever keeps it for a minute keeps it for this test, too.
    t.stack.callback(lambda: [s.close() for s in taken])
    router, facts, alice = start(t)
    check(not facts["homeserver"].endswith(":8008") and ":8780" not in facts["console"], facts)
    _, chat = alice.meet(facts["bot"])
    check("hello" in alice.ask(chat, "hello"), "it works all the same")
    same(router.get("/readyz")[0], 200)


def test_a_second_process_on_the_same_data_is_refused(t):
    router = t.router()
    router.ready()
    code, out, err = t.run("run")
    same((code, out), (69, ""))
    check(str(router.pid) in err, err)
    same(router.get("/readyz")[0], 200, "the first goes on")


def test_secrets_on_disk_are_for_us_alone(t):
    router = t.router()
    router.ready()
    for name in ("admin.token", "patchbay.db"):
        same(stat.S_IMODE(os.stat(t.dir / "data" / name).st_mode), 0o600, name)
    same((t.dir / "data/admin.token").read_text().strip(), router.token)
