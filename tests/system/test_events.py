"""Events that nobody should send, and people who may not."""
import json

from harness import check, eventually, http, same
from people import Person, World


def test_an_event_of_65_kilobytes(t):
    w = World(t, config="rooms: {max_message_bytes: 65536}")
    alice, chat = w.person()
    body = "echo " + "ж" * 31_500  # 63,005 bytes of text
    asked = alice.send(chat, body)
    alice.answer(chat, asked)
    alice.ask(chat, "echo end")
    file = alice.until("the answer as a file", lambda: alice.answers(chat, asked, ("file",)))[0]
    same(alice.download(file["content"]["url"])[0].decode().count("ж"), 31_500, "the answer is whole")
    # Larger than the specification allows, as only a broken server can give it.
    w.spoil_sync(alice, chat, extra_events={chat: [
        {"type": "m.room.message", "event_id": "$huge", "sender": alice.id, "origin_server_ts": 1,
         "content": {"msgtype": "m.text", "body": "y" * 70_000}}]})
    alice.ask(chat, "echo poke")
    alice.until("told that it is too long", lambda: alice.answers(chat, "$huge"))
    same(alice.ask(chat, "echo on"), "on")


def test_events_whose_every_field_has_a_wrong_type(t):
    w = World(t, config="rooms: {queue_limit: 1000}")  # some of them are messages all the same
    alice, chat = w.person()
    odd = [None, 7, -1.5e300, True, [], {}, "", [[]], {"a": {"b": []}}, "\ud83d\ude00", "x" * 1000]
    events = [7, None, "text", [], {}]
    for n, value in enumerate(odd):
        whole = {"type": "m.room.message", "event_id": f"$odd{n}", "sender": alice.id, "origin_server_ts": 5,
                 "content": {"msgtype": "m.text", "body": "hello"}, "unsigned": {}}
        events += [{**whole, "event_id": f"$odd{n}-{key}", key: value} for key in whole]
        events += [{**whole, "event_id": f"$odd{n}-c-{key}", "content": {**whole["content"], key: value}}
                   for key in ("msgtype", "body", "m.relates_to", "m.new_content", "m.mentions")]
        events += [{key: value for key in whole}]
        events += [{"type": "m.room.redaction", "event_id": f"$odd{n}-r", "sender": alice.id, "redacts": value,
                    "origin_server_ts": 5, "content": value}]
    w.spoil_sync(alice, chat, extra_events={chat: events, "!nobody:knows": events, "": events})
    same(alice.ask(chat, "echo poke", seconds=40), "poke")
    same(alice.ask(chat, "echo on it goes", seconds=60), "on it goes")
    check(w.router.metric("patchbay_poison_events_total") > 20, "counted as poisoned")
    check(w.router.child.poll() is None and w.readyz()[0] == 200, "it lives")


def test_answers_of_the_homeserver_with_wrong_types(t):
    w = World(t)
    alice, chat = w.person()
    # A poll with nothing but the notice of spoil_sync in it: what a server takes back with a wrong type
    # is lost for everybody. Only that the router lives is asked.
    for patch in ([{"op": "replace", "path": "/rooms", "value": [1]}],
                  [{"op": "add", "path": "/rooms/join", "value": {chat: 7, "!x:y": [], "": None}}],
                  [{"op": "add", "path": "/rooms/invite", "value": {"!x:y": {"invite_state": 3}}}],
                  [{"op": "add", "path": "/rooms/leave", "value": {"!x:y": {"timeline": []}}}]):
        w.spoil_sync(alice, alice.lobby, patch=patch)
        alice.event(alice.lobby, {"msgtype": "m.notice", "body": "release it"})
    for body in ('{"next_batch": 7}', "not JSON"):
        w.spoil_sync(alice, alice.lobby, answer={"status": 200, "body": body})
    same(alice.ask(chat, "echo alive", seconds=40), "alive")


def test_a_message_to_an_unknown_room(t):
    w = World(t)
    alice = Person(w.homeserver.url, "alice")
    room = alice.call("POST", "/createRoom", {"preset": "public_chat"})["room_id"]
    w.bot.join(room)
    asked = alice.send(room, "is anybody here?")
    body = alice.answer(room, asked, seconds=40)["content"]["body"]
    check("no record of this room" in body, body)
    w.router.said("room_unknown")
    same(len(w.agent.frames()), 0, "nothing reached the agent")
    # A marker of somebody else does not make it a chat.
    alice.call("PUT", f"/rooms/{room}/state/io.patchbay.chat", {
        "owner": alice.id, "chat": "C1", "platform_chat_id": 1, "agent_id": "main", "state": "active",
        "epoch": 0, "intent": "x"})
    w.router.stop()
    w.again()
    alice.send(room, "and now?")
    bob, chat = w.person("bob")
    same(bob.ask(chat, "echo fine"), "fine")
    same([f["text"] for f in w.agent.frames()], ["echo fine"], "texts that reached the agent")


def test_strangers_are_refused_without_a_word(t):
    agent = t.agent()
    w = World(t, agent=agent, registry={"agents": [{"id": "main", "base_url": agent.url()}],
                                        "default_agent": "main",
                                        "user_agents": {"@alice:localhost": "main"}})
    mallory = Person(w.homeserver.url, "mallory")
    room = mallory.invite(w.bot.id)
    left = mallory.until("the bot left", lambda: next(
        (e for e in mallory.timelines.get(room, []) if e.get("state_key") == w.bot.id
         and e["content"]["membership"] == "leave"), None))
    check("reason" not in left["content"], "tells nothing", left["content"])
    w.router.said("invite_refused")
    eventually("counted", lambda: w.router.metric("patchbay_invites_refused_total") == 1)
    check(all(e["sender"] == mallory.id or e.get("state_key") == w.bot.id
              for e in mallory.timelines[room]), "no message")
    check(room not in w.bot.call("GET", "/joined_rooms")["joined_rooms"], "not in it")
    w.bot.call("POST", f"/join/{room}", {}, expect=403)
    alice, chat = w.person("alice")
    same(alice.ask(chat, "echo in"), "in")


def test_two_invitations_at_once_make_one_space(t):
    w = World(t)
    alice = Person(w.homeserver.url, "alice")
    lobbies = [alice.invite(w.bot.id) for _ in range(3)]
    alice.lobby = lobbies[0]
    alice.accept_home()
    alice.until("a word in each lobby", lambda: all(alice.answers(r) for r in lobbies))
    spaces = [r for r in alice.invites if any(e["type"] == "m.room.create" and
              e["content"].get("type") == "m.space" for e in alice.invites[r])]
    same((len(alice.rooms_with("io.patchbay.space")), spaces), (1, []), "one Space")
    same(len(alice.rooms_with("io.patchbay.chat")), 1, "one first chat")
    # The lobby is an entrance: text gets a pointer.
    check("!start" in alice.ask(lobbies[1], "hello there"), "a pointer")
    check("matrix.to" in alice.ask(lobbies[2], "!start"), "the way")
    same(len(w.agent.frames()), 0)


def test_only_the_owner_and_operators_are_heard(t):
    w = World(t, config='access: {operators: ["@boss:localhost"]}')
    alice, chat = w.person()
    guest, boss = Person(w.homeserver.url, "guest"), Person(w.homeserver.url, "boss")
    for other in (guest, boss):
        w.bot.call("POST", f"/rooms/{chat}/invite", {"user_id": other.id})
        other.join(chat)
    ignored = guest.send(chat, "echo who am I")
    same(boss.ask(chat, "echo I am the boss"), "I am the boss")
    alice.ask(chat, "echo mine")
    same(alice.answers(chat, ignored), [], "answers to a guest")


def test_edits_and_redactions_of_what_waits(t):
    w = World(t)
    alice, chat = w.person()
    alice.send(chat, "sleep 1")
    eventually("it runs", lambda: w.agent.frames())
    edited, dropped = alice.send(chat, "echo before"), alice.send(chat, "echo never")
    alice.send(chat, "* echo after", **{"m.new_content": {"msgtype": "m.text", "body": "echo after"},
               "m.relates_to": {"rel_type": "m.replace", "event_id": edited}})
    alice.call("PUT", f"/rooms/{chat}/redact/{dropped}/r1", {})
    last = alice.send(chat, "echo last")
    same(alice.answer(chat, last)["content"]["body"], "last")
    same(alice.answers(chat, edited)[0]["content"]["body"], "after")
    same(alice.answers(chat, dropped), [], "answers to what was redacted")


def test_an_encrypted_room_is_told_once(t):
    w = World(t)
    alice, chat = w.person()
    body = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA", "session_id": "s", "device_id": "d",
            "sender_key": "k"}
    for _ in range(3):
        alice.event(chat, body, "m.room.encrypted")
    told = alice.until("told", lambda: alice.answers(chat, kind=("notice",)))
    check("encrypted" in told[0]["content"]["body"], told[0]["content"])
    alice.ask(alice.lobby, "!start")
    alice.sync()
    same(len(alice.answers(chat)), 1, "notices")
    w.router.said("room_encrypted")


def test_health_needs_no_token_and_bad_requests_do_no_harm(t):
    w = World(t)
    for method, path in (("POST", "/healthz"), ("GET", "/api/v1/nothing"), ("GET", "/../../etc/passwd"),
                         ("GET", "/%00"), ("PUT", "/api/v1/agents"), ("GET", "/api/v1/agents?limit=x")):
        status, answer = http(method, w.console + path, token="an admin token, long")
        check(400 <= status < 500 or path.endswith("limit=x"), method, path, status, answer)
    status, answer = http("GET", w.console + "/api/v1/nothing", token="an admin token, long")
    check(isinstance(answer, dict) and set(answer) >= {"code", "message"}, json.dumps(answer))
    same(w.readyz()[0], 200)
