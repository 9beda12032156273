"""A homeserver behind a broken proxy, away for a while, or with a clock that is a day off."""
import email.utils
import time

from harness import Homeserver, check, eventually, free_port, same
from people import Person, World
from test_network_faults import Spoilt, cpu_seconds

HTML = {"headers": {"Content-Type": "text/html"}, "body": "<!doctype html><html><body>Sign in</body></html>"}


def everything_answers(t, status):
    w = World(t)
    alice, chat = w.person()
    alice.ask(chat, "echo before")
    fault = w.homeserver.fault(user=w.bot.id, times=100000, answer={"status": status, **HTML})
    alice.event(chat, {"msgtype": "m.notice", "body": "so that the poll under way ends"})
    sent = [alice.send(chat, f"echo {n}") for n in range(3)]
    answer = eventually("not ready", lambda: (lambda a: a if a[0] == 503 else None)(w.readyz()))[1]
    check("homeserver" in answer["detail"] and answer["last_sync_age_ms"] >= 0, answer)
    check("Sign in" not in str(answer), "no page of somebody else's in our words:", answer)
    spent, hits = cpu_seconds(w.router.pid), w.homeserver.hits(fault)
    time.sleep(4)  # the trouble lasts
    check(w.router.child.poll() is None, "no crash loop")
    check(cpu_seconds(w.router.pid) - spent < 1, "no busy loop")
    check(w.homeserver.hits(fault) - hits < 25, "it does not hammer:", w.homeserver.hits(fault) - hits)
    w.homeserver.heal()
    for event in sent:
        alice.answer(chat, event, seconds=60)
        same(len(alice.answers(chat, event)), 1, "answers to one message")
    w.check_order(alice, chat, sent)
    eventually("ready", lambda: w.readyz()[0] == 200, 60)
    same([f["text"] for f in w.agent.frames()], ["echo before"] + [f"echo {n}" for n in range(3)])


def test_everything_answers_html_with_status_200(t):
    everything_answers(t, 200)


def test_everything_answers_bad_gateway_for_a_while(t):
    everything_answers(t, 502)


def test_a_start_before_the_homeserver_is_there_and_messages_of_that_time(t):
    port = free_port()
    first = t.homeserver("--port", port, "--data", t.dir / "hs")
    w = World(t, homeserver=first)
    alice, chat = w.person()
    alice.ask(chat, "echo before")
    same(w.router.stop(), 0)
    missed = alice.send(chat, "echo missed")
    first.kill()
    w.run().said("homeserver_unreachable")
    same(w.readyz()[0], 503)
    t.started(Homeserver(t.homeserver_binary, "--port", port, "--data", t.dir / "hs"))
    w.router.ready(60)
    same(alice.answer(chat, missed)["content"]["body"], "missed")
    same(len(alice.answers(chat, missed)), 1)


def test_a_homeserver_whose_clock_is_a_day_off(t):
    day = 86400
    s = Spoilt(t)
    for seconds in (day, -day):
        s.to_homeserver.become("clock", seconds=seconds)
        until = lambda: email.utils.formatdate(time.time() + seconds + 2, usegmt=True)
        fault = s.w.homeserver.fault(method="PUT", path_regex="/send/m.room.message/", user=s.w.bot.id, answer={
            "status": 429, "headers": {"Retry-After": until()}, "body": {"errcode": "M_LIMIT_EXCEEDED"}})
        began = time.monotonic()
        s.say(2)
        s.settle(seconds=20)
        same(s.w.homeserver.hits(fault), 1)
        check(s.to_homeserver.hits > 0, "the clock was off")
        check(time.monotonic() - began < 15, "a pause is measured by the clock that it was said by")
        same(s.w.readyz()[0], 200)
    same(s.w.router.stop(), 0)
    s.w.again()
    s.say(1)
    s.settle()
    fresh = Person(s.w.homeserver.url, "bob")
    fresh.meet(s.w.bot.id)
