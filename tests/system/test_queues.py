"""Many messages at once."""
import concurrent.futures

from harness import check, eventually, same
from people import World


def test_one_turn_at_a_time_and_the_limit_of_the_queue(t):
    w = World(t, config="rooms: {queue_limit: 32}")
    alice, chat = w.person()
    first = alice.send(chat, "sleep 1.5")
    eventually("the first runs", lambda: w.agent.frames())
    sent = [alice.send(chat, f"echo {n}") for n in range(40)]
    for event in sent:
        alice.answer(chat, event)
    refused = [e for e in sent if alice.answers(chat, e)[0]["content"]["io.patchbay.delivery"]["kind"] == "reply"]
    same(len(refused), 8, "refusals")
    check(all("32" in alice.answers(chat, e)[0]["content"]["body"] for e in refused), "names the limit")
    answered = [e for e in sent if e not in refused]
    w.check_order(alice, chat, [first, *answered])
    same(refused, sent[32:], "the last ones are refused")
    for n, event in enumerate(answered):
        same([e["content"]["body"] for e in alice.answers(chat, event)], [str(n)])
    frames = [r for r in w.agent.records()]
    open_now, most = set(), 0
    for r in frames:
        if r.get("event") == "open":
            open_now.add(r["connection"])
        elif r.get("event") == "closed":
            open_now.discard(r["connection"])
        most = max(most, len(open_now))
    check(most <= 2, "turns at once", most)  # the old socket may still be closing
    same(len({f["message_id"] for f in w.agent.frames()}), len(w.agent.frames()), "message ids")


def test_two_hundred_messages_at_once(t):
    w = World(t)
    alice, chat = w.person()
    # The bot's next poll comes late, so that it meets them all behind a limited timeline.
    w.homeserver.fault(method="GET", path="/_matrix/client/v3/sync", user=w.bot.id, delay_ms=1500)
    alice.ask(chat, "echo first")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda n: alice.send(chat, f"echo {n}"), range(200)))
    def all_told():
        have = {e["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] for e in alice.answers(chat)}
        return all(e in have for e in sent)
    alice.until("every message answered or told", all_told, 40)
    for event in sent:
        same(len(alice.answers(chat, event)), 1, "answers to one message")
    finals = {e["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] for e in alice.answers(chat, kind=("final",))}
    order = [e["event_id"] for e in alice.timelines[chat] if e["event_id"] in finals and e["event_id"] in sent]
    w.check_order(alice, chat, order)
    t.notes.append(f"{len(order)} answered, {200 - len(order)} told")
    check(len(order) >= 32, "at least a queue full is answered")


def test_rooms_do_not_wait_for_one_another(t):
    w = World(t)
    alice, first = w.person()
    second = alice.new_chat(first)
    slow = alice.send(first, "sleep 3")
    eventually("the slow one runs", lambda: w.agent.frames())
    for n in range(3):
        same(alice.ask(second, f"echo {n}"), str(n))
    alice.sync(0)
    same(alice.answers(first, slow), [], "the slow one still runs")
    bob, third = w.person("bob")
    same(bob.ask(third, "echo me"), "me")
    same(alice.answer(first, slow)["content"]["body"], "awake: sleep 3")


def test_more_turns_than_the_agent_takes_wait_for_a_place(t):
    agent = t.agent()
    w = World(t, agent=agent, registry={
        "agents": [{"id": "one", "base_url": agent.url(), "limits": {"concurrent_turns": 1}}],
        "default_agent": "one"})
    alice, first = w.person()
    second = alice.new_chat(first)
    a = alice.send(first, "sleep 0.5")
    eventually("the first runs", lambda: w.agent.frames())
    b = alice.send(second, "echo waited")
    same(alice.answer(second, b)["content"]["body"], "waited")
    same(len(alice.answers(first, a)), 1, "the first was answered before")


def test_a_text_that_is_too_long_is_refused_with_words(t):
    w = World(t, config="rooms: {max_message_bytes: 1000}")
    alice, chat = w.person()
    body = alice.ask(chat, "echo " + "x" * 1000)
    check("1005" in body and "1000" in body, body)
    same(len(w.agent.frames()), 0, "nothing reached the agent")
