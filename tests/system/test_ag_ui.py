"""Agents that speak AG-UI: the other end judges what we send by the protocol's own schema."""
from harness import check, eventually, same
from model_world import AgUiWorld
from test_models import PIXEL


def judged(w):
    wrong = [h["wrong"] for h in w.heard() if h.get("wrong")]
    same(wrong, [], "what the schema says of our requests")
    ids = [r["runId"] for r in w.runs()]
    same(len(ids), len(set(ids)), "no run has the name of another")


def asked_for(alice, chat, words, times=1):
    """The question that came last, once it was asked so often."""
    def found():
        asked = [a for a in alice.answers(chat) if words in a["content"]["body"]]
        return asked[-1] if len(asked) >= times else None
    return alice.until(f"the question {words!r}", found)


def test_ordinary_runs(t):
    w = AgUiWorld(t)
    alice, chat = w.person()
    same(alice.ask(chat, "echo hello there").strip(), "hello there")
    same(alice.ask(chat, "tool").strip(), "The sky is blue.")
    check("secret thought" not in str(alice.timelines[chat]), "reasoning is not shown")
    same([alice.ask(chat, "count").strip() for _ in range(3)], ["It is 1.", "It is 2.", "It is 3."], "shared state")
    w.router.kill()
    w.again()
    same(alice.ask(chat, "count").strip(), "It is 4.", "over a kill")
    same(alice.ask(chat, "what").strip(), "echo hello there | tool | count | count | count | count")
    alice.send_file(chat, PIXEL, "dot.png", "image/png", caption="look", msgtype="m.image")
    seen = alice.until("an answer", lambda: [a for a in alice.answers(chat, kind=("final",)) if "I see" in a["content"]["body"]])
    same(seen[0]["content"]["body"].strip(), f"I see image/png: {len(PIXEL)} bytes.")
    alice.ask(chat, "!clear", ("notice", "reply"))
    eventually("a fresh thread", lambda: alice.ask(chat, "count").strip() == "It is 1.")
    same(len({r["threadId"] for r in w.runs()}), 2)
    judged(w)


def test_interrupts_are_confirmations(t):
    w = AgUiWorld(t)
    alice, chat = w.person()
    for times, (word, ok) in enumerate((("!yes", "true"), ("!no", "false")), 1):
        asked = alice.send(chat, "confirm")
        asked_for(alice, chat, "Send the mail?", times)
        alice.send(chat, word)
        body = alice.answer(chat, asked)["content"]["body"]
        same(body.strip(), 'I could send it.\n\nAnswered: {"ok":%s}.' % ok)
    runs = w.runs()
    same([r["runId"] for r in runs], [runs[0]["runId"], runs[0]["runId"] + "-2", runs[2]["runId"], runs[2]["runId"] + "-2"])
    judged(w)


def test_several_interrupts_are_answered_together(t):
    w = AgUiWorld(t)
    alice, chat = w.person()
    asked = alice.send(chat, "both")
    questions = [asked_for(alice, chat, words) for words in ("Paint it?", "Sell it?")]
    alice.react(chat, questions[1]["event_id"], "❌")
    alice.react(chat, questions[0]["event_id"], "✅")
    same(alice.answer(chat, asked)["content"]["body"].strip(), 'Answered: {"approved":true} and {"approved":false}.')
    same(len(w.runs()), 2)
    judged(w)


def test_an_interrupt_is_answered_after_a_restart(t):
    w = AgUiWorld(t)
    alice, chat = w.person()
    alice.send(chat, "confirm")
    asked_for(alice, chat, "Send the mail?")
    w.router.kill()
    w.again()
    alice.until("the interruption is told",
                lambda: any("I was stopped" in a["content"]["body"] for a in alice.answers(chat)))
    alice.send(chat, "!yes")
    alice.until("the answer", lambda: any('Answered: {"ok":true}.' in a["content"]["body"] for a in alice.answers(chat)))
    same(alice.ask(chat, "echo and on").strip(), "and on")
    judged(w)


def test_a_stopped_question_is_cancelled_with_the_next_message(t):
    w = AgUiWorld(t)
    alice, chat = w.person()
    alice.send(chat, "confirm")
    asked_for(alice, chat, "Send the mail?")
    alice.send(chat, "!stop")
    alice.until("stopped", lambda: any("Stopped" in a["content"]["body"] for a in alice.answers(chat)))
    same(alice.ask(chat, "echo and on").strip(), "and on")
    same([r["status"] for r in w.runs()[-1]["resume"]], ["cancelled"])
    judged(w)


def test_trouble_of_a_run_has_its_words(t):
    w = AgUiWorld(t)
    alice, chat = w.person()
    for text, words in (("die", "!retry"), ("vanish", "!retry"), ("fail", "STRIKE")):
        body = alice.ask(chat, text, ("final", "notice"))
        check(words in body, text, body)
        check(text == "fail" or body.startswith("half an answer"), body)
    asked = alice.send(chat, "hang")
    alice.until("the beginning", lambda: alice.answers(chat, asked))
    alice.send(chat, "!stop")
    eventually("the agent hears of it", lambda: any("closed" in h for h in w.heard()))
    w.kill_peer()
    body = alice.ask(chat, "hello", ("final", "notice"))
    check("cannot reach" in body, body)
    w.peer_again()
    same(alice.ask(chat, "echo back again").strip(), "back again")
    judged(w)
