"""Each leg of the router through a proxy that spoils it under traffic; then it heals."""
import contextlib
import os
import time
import urllib.parse

from fault_proxy import FaultProxy
from harness import check, eventually, same
from people import World

CPU_SHARE = 0.35  # of one core, at most, while a leg is spoilt: no busy loop


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def port_of(url):
    return urllib.parse.urlsplit(url).port


def through(t, url):
    proxy = FaultProxy("127.0.0.1", port_of(url))
    t.stack.callback(proxy.close)
    return proxy


class Spoilt:
    """A world whose router reaches the homeserver and the agent through proxies."""

    def __init__(self, t, idempotent=False):
        self.t = t
        hs, self.agent = t.homeserver(), t.agent()
        self.to_homeserver, self.to_agent = through(t, hs.url), through(t, self.agent.url())
        self.w = World(t, homeserver=hs, agent=self.agent, start=False, registry={
            "agents": [{"id": "a", "label": "A", "base_url": self.to_agent.url, "idempotent": idempotent,
                        "limits": {"connect": "2s", "first_event": "2s", "event_idle": "4s"}}],
            "default_agent": "a"})
        self.w.configure(url=self.to_homeserver.url)
        self.w.again()
        self.alice, self.chat = self.w.person()
        self.sent, self.n = [], 0

    def say(self, count, text="echo"):
        for _ in range(count):
            self.n += 1
            self.sent.append((self.alice.send(self.chat, f"{text} {self.n}"), self.n))

    @contextlib.contextmanager
    def cheap(self):
        """What happens in here costs the router little time."""
        began, spent = time.monotonic(), cpu_seconds(self.w.router.pid)
        yield
        took, spent = time.monotonic() - began, cpu_seconds(self.w.router.pid) - spent
        check(spent < 0.3 + CPU_SHARE * took, f"{spent:.2f} s of processor time in {took:.1f} s")

    def settle(self, seconds=60):
        """Every message has its one answer, in order, and the agent had none twice. Returns the bodies."""
        bodies = [self.alice.answer(self.chat, event, seconds=seconds)["content"]["body"] for event, _ in self.sent]
        same(self.alice.ask(self.chat, "echo the end", seconds=seconds), "the end")
        for event, n in self.sent:
            same(len(self.alice.answers(self.chat, event, ("final", "reply"))), 1, f"answers to {n}")
        self.w.check_order(self.alice, self.chat, [event for event, _ in self.sent])
        given = [f["message_id"] for f in self.agent.frames()]
        same(len(given), len(set(given)), "the agent had each once")
        return bodies

    def not_ready(self, seconds=20):
        """503 with words and the age of the last good sync, which grows."""
        answer = eventually("not ready", lambda: (lambda a: a if a[0] == 503 else None)(self.w.readyz()), seconds)[1]
        check(answer.get("detail"), "says why:", answer)
        age = answer.get("last_sync_age_ms")
        check(isinstance(age, int) and age >= 0, "says how old the last good sync is:", answer)
        eventually("it grows", lambda: self.w.readyz()[1].get("last_sync_age_ms", 0) > age, 5)

    def ready_again(self, seconds=60):
        eventually(lambda: f"ready; it says {self.w.readyz()}", lambda: self.w.readyz()[0] == 200, seconds)


def spoil_the_homeserver(t, mode, hold=2.0, told=True, **how):
    s = Spoilt(t)
    s.say(3)
    s.settle()
    s.to_homeserver.become(mode, **how)
    with s.cheap():
        s.say(4)
        eventually("somebody felt it", lambda: s.to_homeserver.hits > 0)
        if told:
            s.not_ready()
        time.sleep(hold)  # the fault lasts
        if mode in ("stall", "half open"):
            age = s.w.readyz()[1].get("last_sync_age_ms", 0)
            check(age >= (hold - 1) * 1000, "the age of the last good sync is told:", age)
    check(s.w.router.child.poll() is None, "it lives")
    s.to_homeserver.become("clear")
    s.say(3)
    bodies = s.settle()
    same(bodies, [str(n) for _, n in s.sent], "answers")
    s.ready_again()
    return s


def test_the_homeserver_resets_every_connection(t):
    spoil_the_homeserver(t, "reset")


def test_the_homeservers_answers_are_cut_at_once(t):
    spoil_the_homeserver(t, "cut", after=0)


def test_the_homeservers_answers_are_cut_in_the_header(t):
    spoil_the_homeserver(t, "cut", after=12)


def test_the_homeservers_answers_are_cut_in_the_body(t):
    spoil_the_homeserver(t, "cut", after=260)


def test_the_homeservers_answers_are_truncated_in_the_header(t):
    spoil_the_homeserver(t, "truncated", after=12)


def test_the_homeservers_answers_are_truncated_in_the_body(t):
    spoil_the_homeserver(t, "truncated", after=260)


def test_the_homeservers_answers_come_twice(t):
    spoil_the_homeserver(t, "doubled", told=False)


def test_the_homeserver_is_far_away(t):
    spoil_the_homeserver(t, "latency", told=False, delay=0.4)


def test_the_homeserver_answers_a_byte_at_a_time(t):
    spoil_the_homeserver(t, "trickle", told=False, hold=4, every=0.05)


def test_the_homeserver_stalls_for_a_while(t):
    spoil_the_homeserver(t, "stall", told=False, hold=4)


def test_the_homeserver_is_gone_without_a_word(t):
    spoil_the_homeserver(t, "half open", told=False, hold=4)


def spoil_the_agent(t, mode, answered, hold=0.0, seconds=60, **how):
    """`answered`: whether what was asked meanwhile may still be answered by the agent."""
    s = Spoilt(t)
    s.say(2)
    s.settle()
    s.to_agent.become(mode, **how)
    with s.cheap():
        s.say(2)
        eventually("somebody felt it", lambda: s.to_agent.hits > 0)
        spoilt = [event for event, _ in s.sent[-2:]]
        if not answered:
            for event in spoilt:
                body = s.alice.answer(s.chat, event, seconds=seconds)["content"]["body"]
                check("agent" in body.lower() or "A " in body or "again" in body, "told in words:", body)
                check("503" not in body and "errno" not in body.lower(), "no jargon:", body)
        time.sleep(hold)  # the fault lasts
    same(s.w.readyz()[0], 200, "an agent's trouble is not ours")
    s.to_agent.become("clear")
    s.say(3)
    bodies = s.settle()
    same(bodies[-3:], [str(n) for _, n in s.sent[-3:]], "answers after it healed")
    if answered:
        same(bodies, [str(n) for _, n in s.sent], "answers")
    return s


def test_the_agent_resets_every_connection(t):
    spoil_the_agent(t, "reset", answered=False)


def test_the_agents_handshake_is_cut(t):
    spoil_the_agent(t, "cut", answered=False, after=20)


def test_the_agents_answer_is_cut(t):
    # The answer to the handshake is 129 bytes and a little more; what follows is the agent's.
    spoil_the_agent(t, "cut", answered=False, after=180)


def test_the_agents_answer_is_truncated(t):
    spoil_the_agent(t, "truncated", answered=False, after=180)


def test_the_agent_is_far_away(t):
    spoil_the_agent(t, "latency", answered=True, delay=0.2)


def test_the_agent_answers_a_byte_at_a_time(t):
    spoil_the_agent(t, "trickle", answered=True, every=0.002)


def test_the_agent_stalls_and_goes_on(t):
    spoil_the_agent(t, "stall", answered=True, hold=0.5)


def test_the_agent_is_gone_without_a_word(t):
    spoil_the_agent(t, "half open", answered=False, seconds=40)


def test_one_spoilt_agent_does_not_hold_up_another(t):
    hs, agent = t.homeserver(), t.agent()
    bad = through(t, agent.url())
    where = "localhost"
    w = World(t, homeserver=hs, agent=agent, registry={
        "agents": [{"id": "bad", "base_url": bad.url}, {"id": "good", "base_url": agent.url()}],
        "user_agents": {f"@alice:{where}": "bad", f"@bob:{where}": "good"}})
    alice, hers = w.person("alice")
    bob, his = w.person("bob")
    bad.become("stall")
    asked = alice.send(hers, "echo late")
    eventually("she waits", lambda: bad.hits > 0)
    for n in range(5):
        began = time.monotonic()
        same(bob.ask(his, f"echo {n}"), str(n))
        check(time.monotonic() - began < 5, "he does not wait")
    bad.become("clear")
    same(alice.answer(hers, asked)["content"]["body"], "late")
