"""How it stops."""
import signal

from harness import Homeserver, check, eventually, free_port, same
from people import Person, World


def test_sigterm_lets_a_running_turn_finish(t):
    w = World(t)
    alice, chat = w.person()
    asked = alice.send(chat, "sleep 1.5")
    eventually("the agent at work", lambda: w.agent.frames())
    waiting = alice.send(chat, "echo afterwards")
    eventually("the second message taken", lambda: w.router.metric("patchbay_inbox_events_total") >= 2)
    w.router.signal(signal.SIGTERM)
    eventually("not ready any more", lambda: w.readyz()[0] != 200)
    same(w.router.wait(), 0, "exit code")
    same(alice.answer(chat, asked)["content"]["body"], "awake: sleep 1.5")
    same(len(w.agent.frames()), 1, "no new turn while stopping")
    w.again()
    same(alice.answer(chat, waiting)["content"]["body"], "afterwards")
    same(len(alice.answers(chat, asked)), 1, "answers to the first")


def test_what_does_not_finish_in_time_is_told_at_the_next_start(t):
    w = World(t, config="shutdown: {drain: 300ms}")
    alice, chat = w.person()
    asked = alice.send(chat, "hang")
    eventually("the agent at work", lambda: w.agent.frames())
    same(w.router.stop(), 0, "exit code")
    w.again()
    told = alice.answer(chat, asked)
    check("stopped" in told["content"]["body"], told["content"]["body"])
    same(len(w.agent.frames()), 1, "the agent was asked once")
    same(alice.ask(chat, "echo next"), "next")


def test_a_second_sigterm_stops_at_once(t):
    w = World(t, config="shutdown: {drain: 1h}")
    alice, chat = w.person()
    alice.send(chat, "hang")
    eventually("the agent at work", lambda: w.agent.frames())
    w.router.signal(signal.SIGTERM)
    w.router.said("stopping")
    check(w.router.child.poll() is None, "the turn still runs")
    w.router.signal(signal.SIGTERM)
    check(w.router.wait(5) != 0, "an exit code that is not success")


def test_sigint_stops_like_sigterm(t):
    w = World(t)
    w.router.signal(signal.SIGINT)
    same(w.router.wait(), 0)


def test_it_stops_while_the_homeserver_is_away_and_says_the_rest_later(t):
    port = free_port()
    first = t.homeserver("--port", port, "--data", t.dir / "hs")
    w = World(t, homeserver=first)
    alice, chat = w.person()
    asked = alice.send(chat, "sleep 0.3")
    eventually("the agent at work", lambda: w.agent.frames())
    first.kill()
    eventually("the answer is decided", lambda: w.router.metric("patchbay_outbox_waiting") >= 1)
    same(w.router.stop(), 0)
    t.started(Homeserver(t.homeserver_binary, "--port", port, "--data", t.dir / "hs"))
    w.again()
    same(alice.answer(chat, asked)["content"]["body"], "awake: sleep 0.3")
    same(len(w.agent.frames()), 1)


def test_it_stops_before_it_was_ever_ready(t):
    w = World(t, start=False)
    w.homeserver.kill()
    w.run().said("homeserver_unreachable")
    same(w.router.stop(), 0)
    check(not w.router.out, "never ready", w.router.out)


def test_a_killed_embedded_default_goes_on(t):
    router = t.router()
    facts = router.ready()
    account = facts["accounts"][0]
    alice = Person(facts["homeserver"], account["user_id"], account["password"], login=True)
    space, chat = alice.meet(facts["bot"])
    for n in range(3):
        alice.ask(chat, f"before {n}")
    router.kill()
    router = t.router()
    alice.url = router.ready()["homeserver"]
    check("after" in alice.ask(chat, "after"), "answered in the same room")
    same(alice.rooms_with("io.patchbay.space"), [space])
    same(len(alice.answers(chat, kind=("final",))), 4, "answers")
