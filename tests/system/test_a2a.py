"""Agents that speak A2A, in both of its versions: the protocol's own SDK at the other end. The agent's card
names a host that does not exist, as the cards of agents behind a proxy do."""
from harness import check, same
from model_world import A2aWorld

NEWER = ("SendStreamingMessage", "SubscribeToTask", "GetTask", "CancelTask", "SendMessage")
OLDER = ("message/stream", "tasks/resubscribe", "tasks/get", "tasks/cancel", "message/send")


def older(t, *more):
    return A2aWorld(t, "--speaks", "0.3", *more)


def ordinary(w, methods):
    alice, chat = w.person()
    for text, answer in (("echo hello there", "hello there"), ("stream 5", "1 2 3 4 5"),
                         ("message just so", "just so"), ("status as you see", "as you see")):
        same(alice.ask(chat, text).strip(), answer, text)
    check("failed" in alice.ask(chat, "fail no seats", ("final", "notice")), "an end in failure is told")
    check("failed" in alice.ask(chat, "throws", ("final", "notice")), "so is a bug")
    same(len([h for h in w.heard() if "agent-card" in h["path"]]), 1, "the card is asked for once")
    same({b["method"] for b in w.sent()}, {methods[0]})
    messages = [b["params"]["message"] for b in w.sent()]
    check("contextId" not in messages[0], "the first message has no context of ours")
    check(all(m.get("contextId") for m in messages[1:]), "the others have the agent's")
    same(len({m["messageId"] for m in messages}), len(messages), "every message has a name of its own")


def test_ordinary_turns(t):
    ordinary(A2aWorld(t), NEWER)


def test_ordinary_turns_of_the_older_version(t):
    ordinary(older(t), OLDER)


def test_turns_without_streaming(t):
    w = A2aWorld(t, "--plain")
    alice, chat = w.person()
    same(alice.ask(chat, "stream 5").strip(), "1 2 3 4 5")
    same([b["method"] for b in w.sent()], ["SendMessage"])


def questions(w, method):
    alice, chat = w.person()
    for word, decision in (("!yes", "yes"), ("!no", "no")):
        asked = alice.send(chat, "ask Pay 120 EUR?")
        alice.until("the question", lambda a=asked: [
            m for m in alice.answers(chat, a) if "Pay 120 EUR?" in m["content"]["body"]])
        alice.send(chat, word)
        body = alice.answer(chat, asked, ("final",))["content"]["body"].strip()
        approved = "true" if decision == "yes" else "false"
        same(body, 'I could do it. \n\nDecided: %s {"approved":%s}' % (decision, approved))
    sent = [b["params"]["message"] for b in w.sent(method)]
    same(len(sent), 4)
    check(sent[1]["taskId"] and sent[3]["taskId"] and sent[1]["taskId"] != sent[3]["taskId"], "each of its task")


def test_a_question_is_a_confirmation(t):
    questions(A2aWorld(t), NEWER[0])


def test_a_question_of_the_older_version(t):
    questions(older(t), OLDER[0])


def files(w):
    alice, chat = w.person()
    alice.send_file(chat, b"twelve bytes", "input.txt", caption="files", msgtype="m.file")
    alice.until("an answer about the file", lambda: [
        a for a in alice.answers(chat, kind=("final", "reply")) if "input.txt: 12 bytes" in a["content"]["body"]])
    asked = alice.send(chat, "file out.txt")
    alice.answer(chat, asked)
    sent = alice.until("the file", lambda: alice.answers(chat, asked, ("file",)))[0]
    same(alice.download(sent["content"]["url"])[0], b"the file out.txt\n")


def test_files_both_ways(t):
    files(A2aWorld(t))


def test_files_of_the_older_version(t):
    files(older(t))


def stopped(w, method):
    alice, chat = w.person()
    for text in ("slow", "ask Sure?"):
        asked = alice.send(chat, text)
        alice.until("something to see", lambda a=asked: alice.answers(chat, a))
        alice.send(chat, "!stop")
        alice.until("it is stopped", lambda: [m for m in alice.answers(chat) if "stopped" in m["content"]["body"].lower()])
        same(alice.ask(chat, "echo after it").strip(), "after it")
    same(len(w.sent(method)), 2)


def test_stop_cancels_the_task(t):
    stopped(A2aWorld(t), NEWER[3])


def test_stop_of_the_older_version(t):
    stopped(older(t), OLDER[3])


def cut(w, methods):
    """The agent dies in the middle; the one that comes after it has the task, done."""
    alice, chat = w.person()
    asked = alice.send(chat, "die")
    alice.until("the agent is dead", lambda: w.peer.child.poll() is not None)
    w.peer_again()
    same(alice.answer(chat, asked, ("final",), seconds=40)["content"]["body"].strip(), "Before, and after.")
    same(len(w.sent(methods[0])), 1, "the message is sent once")
    check(w.sent(*methods[1:3]), "the task was looked for")


def test_a_stream_that_is_cut_is_taken_up_again(t):
    cut(A2aWorld(t), NEWER)


def test_a_cut_stream_of_the_older_version(t):
    cut(older(t), OLDER)


def killed(w, methods, meanwhile):
    """The router dies in the middle of a task; the answer comes once, whole, as one final."""
    alice, chat = w.person()
    asked = alice.send(chat, "slow the second half.")
    alice.until("its first words", lambda: alice.answers(chat, asked))
    w.router.kill()
    if meanwhile:
        w.go()
    w.again()
    if not meanwhile:
        alice.until("the task is subscribed to", lambda: w.sent(methods[1]))
        w.go()
    same(alice.answer(chat, asked, ("final",), seconds=40)["content"]["body"].strip(),
         "The first half, the second half.")
    same(alice.ask(chat, "echo and on").strip(), "and on")
    same(len(alice.answers(chat, asked, ("final",))), 1, "one answer")
    same(len(w.sent(methods[0])), 2, "no message was sent twice")


def test_a_task_goes_on_over_a_kill_of_the_router(t):
    killed(A2aWorld(t), NEWER, False)


def test_a_task_ends_while_the_router_is_dead(t):
    killed(A2aWorld(t), NEWER, True)


def test_a_task_of_the_older_version_over_a_kill(t):
    killed(older(t), OLDER, False)
