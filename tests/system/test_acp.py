"""Agents that speak ACP, over both of its transports: the protocol's own SDK at the other end."""
import time

from acp_world import AcpWorld, check_schema
from harness import check, eventually, same


def fresh(t, over, *arguments, **more):
    """One more world in the same test."""
    for old in (t.dir / "workspace", t.dir / "data"):
        if old.exists():
            old.rename(old.with_name(f"{old.name}-{time.monotonic_ns()}"))
    return AcpWorld(t, over, *arguments, **more)


def ordinary(w):
    alice, chat = w.person()
    for text, answer in (("echo hello", "hello"), ("stream 20", " ".join(map(str, range(1, 21)))),
                         ("tool", "I look at it.\n\nTwo files."), ("noise", "after the noise"),
                         ("editor", "refused: -32601"),
                         ("limit", "as far as I came\n\n*(The agent stopped here: its limit of tokens is reached.)*")):
        body = alice.ask(chat, text).strip()
        same(body.replace("*", ""), answer.replace("*", ""), text)
    check("refusal" in alice.ask(chat, "refuse", ("final", "notice")), "a refusal is told")
    check("-32603" in alice.ask(chat, "fail", ("final", "notice")), "an error is told")
    same(len(w.heard("initialize")), 1, "one link for all turns")
    same(len(w.heard("session/new")), 1, "one session for all turns")
    same(len(w.heard("session/prompt")), 8)
    check("secret thought" not in str(alice.timelines[chat]), "thoughts are not part of the answer")


def test_ordinary_turns_over_websocket(t):
    ordinary(AcpWorld(t, "websocket"))


def test_ordinary_turns_over_stdio(t):
    ordinary(AcpWorld(t, "stdio"))


def files(w):
    alice, chat = w.person()
    alice.send_file(chat, b"twelve bytes", "in put.txt", caption="files", msgtype="m.file")
    eventually("the prompt with the file", lambda: w.heard("session/prompt"))
    asked = alice.until("an answer about the file",
                        lambda: [a for a in alice.answers(chat, kind=("final", "reply")) if "12 bytes" in a["content"]["body"]])
    check("in put.txt" in asked[0]["content"]["body"] or "in_put.txt" in asked[0]["content"]["body"], asked[0])
    for text, name, part in (("file out.txt", "out.txt", b"the file out.txt"), ("image", "image.png", b"\x89PNG")):
        asked = alice.send(chat, text)
        alice.answer(chat, asked)
        sent = alice.until("the file " + name, lambda a=asked: alice.answers(chat, a, ("file",)))[0]
        check(name.split(".")[0] in sent["content"]["body"], sent["content"]["body"])
        check(part in alice.download(sent["content"]["url"])[0], "its bytes")


def test_files_both_ways_over_websocket(t):
    files(AcpWorld(t, "websocket"))


def test_files_both_ways_over_stdio(t):
    files(AcpWorld(t, "stdio"))


def questions(w):
    alice, chat = w.person()
    for word, option in (("!yes", "this-once"), ("!no", "not-now")):
        asked = alice.send(chat, "confirm rm a.log")
        prompt = alice.until("a question", lambda a=asked: alice.answers(chat, a, ("confirm", "notice")))[0]
        check("rm a.log" in prompt["content"]["body"], prompt["content"]["body"])
        alice.send(chat, word)
        same(alice.answer(chat, asked, ("final",))["content"]["body"].strip(), f"decided: {option}")
    same([m["result"]["outcome"]["optionId"] for m in w.answers_heard()], ["this-once", "not-now"])


def test_permissions_are_confirmations_over_websocket(t):
    questions(AcpWorld(t, "websocket"))


def test_permissions_are_confirmations_over_stdio(t):
    questions(AcpWorld(t, "stdio"))


def test_a_question_that_nobody_answers_is_a_no(t):
    w = AcpWorld(t, "websocket", config="confirmations: {ttl: 2s}")
    alice, chat = w.person()
    same(alice.ask(chat, "confirm", ("final",)).strip(), "decided: not-now")


def stopped(w):
    alice, chat = w.person()
    for text in ("hang", "confirm"):
        asked = alice.send(chat, text)
        eventually("it runs", lambda t=text: any(t in str(m) for m in w.heard("session/prompt")))
        alice.until("something to see", lambda a=asked: alice.answers(chat, a))
        alice.send(chat, "!stop")
        alice.until("it is stopped", lambda a=asked: [
            m for m in alice.answers(chat) if "stopped" in m["content"]["body"].lower()])
        same(alice.ask(chat, f"echo after {text}").strip(), f"after {text}")
    same(len(w.heard("session/cancel")), 2)
    same([m["result"]["outcome"]["outcome"] for m in w.answers_heard()], ["cancelled"])
    same(len(w.heard("initialize")), 1, "a stop costs no link")


def test_stop_over_websocket(t):
    stopped(AcpWorld(t, "websocket"))


def test_stop_over_stdio(t):
    stopped(AcpWorld(t, "stdio"))


def killed(w, how):
    alice, chat = w.person()
    same(alice.ask(chat, "echo remember me").strip(), "remember me")
    asked = alice.send(chat, "hang")
    alice.until("its first words", lambda: alice.answers(chat, asked))
    w.kill_agent()
    alice.until("the person is told", lambda: [
        a for a in alice.answers(chat, asked, ("final", "notice")) if "Coder" in a["content"]["body"]])
    same(alice.ask(chat, "recall", seconds=40).strip(), "before: echo remember me | hang")
    same(len(w.heard("session/new")), 1, "the session is the same")
    same([m["method"] for m in w.heard() if m.get("method") in ("session/resume", "session/load")], [how])
    return alice, chat


def test_a_killed_agent_comes_back_with_its_context_over_websocket(t):
    killed(AcpWorld(t, "websocket"), "session/resume")


def test_a_killed_agent_comes_back_with_its_context_over_stdio(t):
    killed(AcpWorld(t, "stdio"), "session/resume")


def test_an_agent_that_can_only_load_does_not_say_the_past_again(t):
    w = AcpWorld(t, "websocket", "--can", "load")
    alice, chat = killed(w, "session/load")
    same(len(alice.answers(chat, kind=("final",))), 3, "the past is not answered again")


def test_an_agent_that_can_do_neither_begins_anew(t):
    w = AcpWorld(t, "websocket", "--can", "")
    alice, chat = w.person()
    alice.ask(chat, "echo remember me")
    w.kill_agent()
    body = alice.ask(chat, "recall", seconds=40)
    check("begins without what was said before" in body and body.rstrip().endswith("before:"), "the person knows:", body)
    same(len(w.heard("session/new")), 2)
    eventually("so does the log", lambda: w.router.said("agent_context_lost"))


def test_our_own_restart_keeps_the_context(t):
    w = AcpWorld(t, "stdio")
    alice, chat = w.person()
    alice.ask(chat, "echo remember me")
    same(w.router.stop(), 0)
    eventually("the child ends with its router", lambda: not w.agent_pids())
    w.again()
    same(alice.ask(chat, "recall", seconds=40).strip(), "before: echo remember me")
    same(len(w.heard("session/new")), 1)


def test_an_agent_that_dies_in_the_middle_of_a_word(t):
    for over in ("websocket", "stdio"):
        w = fresh(t, over)
        alice, chat = w.person()
        asked = alice.send(chat, "die")
        body = alice.until("the person is told", lambda p=alice, c=chat, a=asked: [
            x for x in p.answers(c, a, ("final", "notice")) if "Coder" in x["content"]["body"]])[0]["content"]["body"]
        check("half a wo" in body, "what was said stays:", body)
        if over == "stdio":
            same(alice.ask(chat, "recall", seconds=40).strip(), "before: die")
        w.router.stop()


def test_what_an_agent_cannot_do_is_told(t):
    w = fresh(t, "websocket", "--login")
    alice, chat = w.person()
    check("auth_required" in alice.ask(chat, "hello", ("final", "notice")), "a login is asked for")
    w.router.stop()
    w = fresh(t, "stdio", "--version", "2")
    alice, chat = w.person()
    check("Coder" in alice.ask(chat, "hello", ("final", "notice")), "another version is refused")
    eventually("the log says why", lambda: "version 2 of ACP" in w.router.text())


def test_the_judge_of_the_schema_notices_faults(t):
    def judged(**message):
        try:
            check_schema([{"jsonrpc": "2.0", **message}])
        except AssertionError:
            return False
        return True
    good = {"sessionId": "s", "prompt": [{"type": "text", "text": "x"}]}
    check(judged(id=1, method="session/prompt", params=good), "a good one passes")
    for bad in ({"sessionId": "s"}, {**good, "prompt": [{"type": "text"}]}, {**good, "sessionId": 5}):
        check(not judged(id=1, method="session/prompt", params=bad), "passes:", bad)
    check(not judged(id=1, result={"outcome": {"outcome": "selected"}}), "an option without a name passes")
    t.notes.append("7 messages judged")
