"""kill -9 at bad moments."""
import concurrent.futures

from harness import check, eventually, same
from people import World

SEND = "/send/m.room.message/"


def test_killed_in_the_middle_of_a_turn(t):
    w = World(t)
    alice, chat = w.person()
    asked = alice.send(chat, "hang")
    eventually("the agent at work", lambda: w.agent.frames())
    waiting = alice.send(chat, "echo waited")
    eventually("taken", lambda: w.router.metric("patchbay_inbox_events_total") >= 2)
    w.router.kill()
    w.again()
    body = alice.answer(chat, asked)["content"]["body"]
    check("stopped" in body and "again" in body, body)
    same(alice.answer(chat, waiting)["content"]["body"], "waited")
    same([f["text"] for f in w.agent.frames()], ["hang", "echo waited"], "turns that the agent was given")
    same(len(alice.answers(chat, asked)), 1, "answers")


def test_an_idempotent_agent_is_asked_again(t):
    agent = t.agent()
    w = World(t, agent=agent, registry={"agents": [{"id": "a", "base_url": agent.url(), "idempotent": True}],
                                        "default_agent": "a"})
    alice, chat = w.person()
    asked = alice.send(chat, "sleep 1")
    eventually("the agent at work", lambda: w.agent.frames())
    w.router.kill()
    w.again()
    same(alice.answer(chat, asked)["content"]["body"], "awake: sleep 1")
    same(len({f["message_id"] for f in agent.frames()}), 1, "the same message id")
    same(len(agent.frames()), 2, "asked twice")


def test_killed_after_the_answer_was_stored_and_before_it_was_sent(t):
    w = World(t)
    alice, chat = w.person()
    for how in ({}, {"commit": True}):
        stuck = w.homeserver.fault(method="PUT", path_regex=SEND, user=w.bot.id, times=1000, **how,
                                   answer={"status": 503, "body": {"errcode": "M_UNKNOWN"}})
        asked = alice.send(chat, "echo once")
        eventually("it was tried", lambda: w.homeserver.hits(stuck) > 0)
        w.router.kill()
        w.homeserver.heal()
        w.again()
        same(alice.answer(chat, asked)["content"]["body"], "once")
        same(alice.ask(chat, "echo next"), "next")
        same(len(alice.answers(chat, asked)), 1, "finals")
    same([f["text"] for f in w.agent.frames()], ["echo once", "echo next"] * 2)


def test_killed_again_and_again_under_load(t):
    w = World(t)
    alice, first = w.person()
    rooms = [first, alice.new_chat(first), alice.new_chat(first)]
    sent = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        def talk():
            for n in range(30):
                room = rooms[n % 3]
                sent.append((room, alice.send(room, f"chunks {n % 5 + 1}")))
        talking = pool.submit(talk)
        for n in range(3):
            seen = w.router.metric("patchbay_outbox_sent_total")
            eventually("some progress", lambda: talking.done() or
                       w.router.metric("patchbay_outbox_sent_total") >= seen + 2)
            w.router.kill()
            w.again()
        talking.result(60)
    for room, event in sent:
        alice.answer(room, event, seconds=40)
    for room in rooms:
        alice.ask(room, "echo end")
    for room, event in sent:
        same(len(alice.answers(room, event)), 1, "answers to one message")
    given = [f["message_id"] for f in w.agent.frames()]
    same(len(given), len(set(given)), "turns given to the agent, each once")


def test_killed_while_a_home_is_being_made(t):
    w = World(t)
    slow = w.homeserver.fault(method="POST", path="/_matrix/client/v3/createRoom", user=w.bot.id, commit=True,
                              delay_ms=3000, times=1, answer={"status": 504, "body": ""})
    from people import Person
    alice = Person(w.homeserver.url, "alice")
    alice.lobby = alice.invite(w.bot.id)
    eventually("the Space is asked for", lambda: w.homeserver.hits(slow))
    w.router.kill()
    w.homeserver.heal()
    w.again()
    _, chat = alice.accept_home()
    same(alice.ask(chat, "echo home"), "home")
    same(len(w.bot.call("GET", "/joined_rooms")["joined_rooms"]), 3, "lobby, Space and chat, each once")


def test_messages_of_the_time_without_us_are_answered_in_order(t):
    w = World(t, config="rooms: {queue_limit: 4}")
    alice, chat = w.person()
    alice.ask(chat, "echo before")
    w.router.kill()
    sent = [alice.send(chat, f"echo {n}") for n in range(60)]
    w.again()
    for event in sent:
        alice.answer(chat, event)
    w.check_order(alice, chat, sent)


def test_after_a_lost_database_the_rooms_are_found_again(t):
    w = World(t)
    alice, chat = w.person()
    alice.ask(chat, "echo before")
    used = alice.platform_chat_id(chat)
    w.router.kill()
    for file in (t.dir / "data").glob("patchbay.db*"):
        file.unlink()
    missed = alice.send(chat, "echo history")
    w.again()
    same(alice.ask(chat, "echo after"), "after")
    same(alice.platform_chat_id(chat), used, "the marker stays")
    fresh = alice.new_chat(chat)
    same(alice.get_state(fresh, "io.patchbay.chat")["chat"], "C2", "next chat")
    check(alice.platform_chat_id(fresh) > used, "no id twice", alice.platform_chat_id(fresh), used)
    check("echo history" not in [f["text"] for f in w.agent.frames()], "history is not acted on")
    same(len(alice.rooms_with("io.patchbay.space")), 1, "Spaces")
    del missed
