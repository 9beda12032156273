"""Rooms that come, go and are found again."""
import sqlite3

from harness import check, eventually, same
from people import Person, World

LIMITED = {"status": 429, "headers": {"Retry-After": "1"}, "body": {"errcode": "M_LIMIT_EXCEEDED"}}


def test_onboarding_through_rate_limits_makes_everything_once(t):
    w = World(t)
    for method, path in (("POST", "/createRoom"), ("POST", "/join/"), ("PUT", "/state/m.space.child/")):
        w.homeserver.fault(method=method, path_regex=path, user=w.bot.id, answer=LIMITED)
    alice, chat = w.person()
    same(alice.ask(chat, "echo home"), "home")
    same(len(w.bot.call("GET", "/joined_rooms")["joined_rooms"]), 3, "lobby, Space and chat, each once")
    told = alice.until("a word in the lobby", lambda: alice.answers(alice.lobby))[0]
    check("Welcome" in told["content"]["body"], told["content"])


def test_a_room_that_the_database_has_lost_is_found_by_its_marker(t):
    w = World(t)
    alice, chat = w.person()
    same(alice.ask(chat, "echo one"), "one")
    marker = alice.get_state(chat, "io.patchbay.chat")
    same(w.router.stop(), 0)
    with sqlite3.connect(t.dir / "data/patchbay.db") as db:
        db.execute("delete from turn where room = ?", (chat,))
        same(db.execute("delete from room where id = ?", (chat,)).rowcount, 1)
    db.close()
    w.again()
    same(alice.ask(chat, "echo two"), "two")
    # Whichever is first: the walk at the start, or the room that its message asks for.
    eventually("the restored row is told", lambda: "room_restored" in w.router.text() or
               "reconcile_plan" in w.router.text())
    same(alice.get_state(chat, "io.patchbay.chat"), marker, "the marker stays")
    ids = [r["path"] for r in w.agent.records() if "frame" in r]
    same(len(set(ids)), 1, "one platform_chat_id")


def test_a_chat_that_the_bot_left_is_a_chat_again_after_an_invitation(t):
    w = World(t)
    alice, chat = w.person()
    same(alice.ask(chat, "echo one"), "one")
    used = alice.platform_chat_id(chat)
    levels = alice.get_state(chat, "m.room.power_levels")
    w.bot.call("PUT", f"/rooms/{chat}/state/m.room.power_levels",
               {**levels, "users": {w.bot.id: 100, alice.id: 100}})
    w.bot.call("POST", f"/rooms/{chat}/leave", {})
    alice.send(chat, "echo nobody is here")
    alice.call("POST", f"/rooms/{chat}/invite", {"user_id": w.bot.id})
    alice.until("the bot is back", lambda: alice.sync() or alice.state[chat]["m.room.member", w.bot.id]
                ["content"]["membership"] == "join")
    same(alice.ask(chat, "echo two"), "two")
    same(alice.platform_chat_id(chat), used)


def test_two_people_do_not_share_anything(t):
    w = World(t)
    alice, first = w.person("alice")
    bob, second = w.person("bob")
    check(first != second and alice.platform_chat_id(first) != bob.platform_chat_id(second), "own rooms")
    same(bob.get_state(second, "io.patchbay.chat")["chat"], "C1", "numbers are per person")
    bob.call("GET", f"/rooms/{first}/state", expect=403)
    same(alice.ask(first, "count"), f"message 1 of chat {alice.platform_chat_id(first)}")
    same(bob.ask(second, "count"), f"message 1 of chat {bob.platform_chat_id(second)}")


def test_a_bot_in_russian(t):
    w = World(t, config="language: ru")
    alice, chat = w.person()
    same(alice.get_state(chat, "m.room.name")["name"], "Чат 1")
    check("список" in alice.ask(chat, "!help"), "help in Russian")
    same(alice.get_state(alice.rooms_with("io.patchbay.space")[0], "io.patchbay.space")["language"], "ru")


def test_people_whom_no_agent_serves_are_told(t):
    agent = t.agent()
    w = World(t, agent=agent, config="access: {invites: anyone}",
              registry={"agents": [{"id": "main", "base_url": agent.url()},
                                   {"id": "off", "base_url": agent.url(), "enabled": False}],
                        "user_agents": {"@alice:localhost": "main", "@off:localhost": "off"}})
    nobody = Person(w.homeserver.url, "nobody")
    lobby = nobody.invite(w.bot.id)
    told = nobody.until("told", lambda: nobody.answers(lobby))[0]["content"]["body"]
    check("No agent is assigned" in told, told)
    off = Person(w.homeserver.url, "off")
    chat = off.meet(w.bot.id)[1]
    check("not in service" in off.ask(chat, "hello"), "a disabled agent")
    alice, chat = w.person("alice")
    same(alice.ask(chat, "echo hi"), "hi")
