"""What agents may do, good and bad, and what the person sees of it."""
import json

from harness import check, eventually, same
from people import Person, World


def kinds(person, room, asked):
    return [e["content"]["io.patchbay.delivery"]["kind"] for e in person.answers(room, asked)]


def test_ordinary_and_odd_ways_to_answer(t):
    w = World(t)
    alice, chat = w.person()
    for text, answer in (("chunks 5", "1 2 3 4 5"), ("tool", "The sky is blue."), ("status", "ready"),
                         ("unknown type", "known after all"), ("second end", "one answer"),
                         ("wrong types", "survived"), ("goodbye", "my last words"), ("usage", "counted"),
                         ("drip 3 0.02", "1 2 3")):
        asked = alice.send(chat, text)
        same(alice.answer(chat, asked)["content"]["body"].strip(), answer, text)
    same(len(alice.answers(chat, kind=("final",))), 9, "one final for each message")
    same(len({e["content"]["io.patchbay.delivery"]["turn"] for e in alice.answers(chat, kind=("final",))}), 9)
    eventually("unknown events counted",
               lambda: w.router.metric("patchbay_agent_unknown_events_total") == 1)
    check("AGENT_EVENT_FROM_THE_FUTURE" in w.router.text(), "its type is in the log")
    html = alice.answer(chat, alice.send(chat, "html"))["content"]
    check("<script" not in html.get("formatted_body", "") and "href" not in html.get("formatted_body", ""), html)
    check("room" not in html.get("m.mentions", {}), html)


def test_long_answers_are_split_and_whole(t):
    w = World(t)
    alice, chat = w.person()
    asked = alice.send(chat, "big 30000")
    alice.answer(chat, asked)
    alice.ask(chat, "echo end")  # in order: everything of the first is there
    parts = alice.answers(chat, asked, ("final",))
    text = "".join(p["content"]["body"] for p in parts)
    check(len(parts) > 1 and [p["content"]["io.patchbay.delivery"]["part"] for p in parts] ==
          list(range(len(parts))), "parts in order")
    same("".join(text.split()).count("Allworkandnoplaymakesalonganswer."), 30000 // 42, "all of its words")
    asked = alice.send(chat, "big 100000")  # past three parts: a file
    alice.answer(chat, asked)
    file = alice.until("the file", lambda: alice.answers(chat, asked, ("file",)))[0]
    check(alice.download(file["content"]["url"])[0].count(b"All work and no play") >= 100000 // 42, "all of it in the file")


def test_every_failure_has_its_words(t):
    w = World(t)
    alice, chat = w.person()
    for text, words in (("close 1011", "half an answer"), ("no end", "all of it, without an end"),
                        ("die mid", "half an answer"), ("die now", "connection"),
                        ("error overloaded", "overloaded"), ("malformed", "do not understand"),
                        ("binary", "do not understand"), ("huge frame", "Main")):
        asked = alice.send(chat, text)
        body = alice.answer(chat, asked, ("final", "notice"))["content"]["body"]
        check(words in body, text, ":", body)
        check("Main" in body, "names the agent:", body)
        same(len(alice.answers(chat, asked)), 1, text)
    same(alice.ask(chat, "echo and on it goes"), "and on it goes")
    check(w.router.metric("patchbay_agent_turns_failed_total") >= 8, "counted")
    same(w.readyz()[0], 200)


def test_an_agent_that_refuses_or_is_not_there(t):
    rejecting, busy, gone = t.agent("--reject", "401"), t.agent("--reject", "503"), t.agent()
    names = {"rejecting": rejecting, "busy": busy, "gone": gone}
    w = World(t, agent=rejecting, registry={
        "agents": [{"id": k, "label": k.title(), "base_url": a.url(), "limits": {"connect": "2s"}}
                   for k, a in names.items()],
        "default_agent": "gone", "users": {f"@{k}-user:localhost": k for k in names}},
        config="access: {invites: server}")
    gone.kill()
    for name, words in (("rejecting", "401"), ("busy", "503"), ("gone", "cannot reach")):
        person = Person(w.homeserver.url, f"{name}-user")
        same(person.id, f"@{name}-user:localhost")
        chat = person.meet(w.bot.id)[1]
        body = person.ask(chat, "hello")
        check(words in body and name.title() in body, body)


def test_clocks_of_a_turn(t):
    agent = t.agent()
    limits = {"slow": {"first_event": "150ms"}, "idle": {"event_idle": "300ms"}, "long": {"turn": "500ms"}}
    w = World(t, agent=agent, registry={
        "agents": [{"id": k, "label": k, "base_url": agent.url(k), "limits": v} for k, v in limits.items()],
        "default_agent": "slow", "users": {f"@{k}-user:localhost": k for k in limits}})
    people = {k: Person(w.homeserver.url, k + "-user") for k in limits}
    rooms = {k: p.meet(w.bot.id)[1] for k, p in people.items()}
    slow, room = people["slow"], rooms["slow"]
    asked = slow.send(room, "sleep 0.8")
    same(slow.answer(room, asked, ("final",))["content"]["body"], "awake: sleep 0.8")
    same(kinds(slow, room, asked), ["notice", "final"], "told once, then answered")
    check("longer" in slow.answers(room, asked)[0]["content"]["body"], "words of the notice")
    body = people["idle"].ask(rooms["idle"], "hang")
    check(body.startswith("half an answer") and "nothing for too long" in body, body)
    body = people["long"].ask(rooms["long"], "drip 50 0.1")
    check(body.startswith("1 2") and "longer than a turn may take" in body, body)


def test_what_the_agent_is_told(t):
    agent = t.agent()
    w = World(t, agent=agent, registry={
        "agents": [{"id": "all", "base_url": agent.url("all"),
                    "auth": {"header": "Authorization", "secret": {"env": "AGENT_TOKEN"}}},
                   {"id": "none", "base_url": agent.url("none") + "/", "send": [],
                    "path": "v1/agent_ws/{chat_id}/?c={chat_id}",
                    "auth": {"header": "X-Key", "secret": {"env": "AGENT_TOKEN"}}}],
        "user_agents": {"@alice:localhost": "all", "@bob:localhost": "none"}})
    alice, first = w.person("alice")
    bob, second = w.person("bob")
    told = json.loads(alice.ask(first, "who"))
    same({k: told[k] for k in ("type", "text", "attachments", "user_id", "chat_id")},
         {"type": "USER_MESSAGE", "text": "who", "attachments": [], "user_id": alice.id,
          "chat_id": told["chat_id"]})
    same(str(told["chat_id"]), str(alice.platform_chat_id(first)))
    ids = {told["message_id"]} | {json.loads(alice.ask(first, "who"))["message_id"] for _ in range(3)}
    same(len(ids), 4, "different message ids")
    same(sorted(json.loads(bob.ask(second, "who"))), ["attachments", "text", "type"])
    opened = [r for r in agent.records() if r.get("event") == "open"]
    same([r["headers"].get("authorization") for r in opened if "/all/" in r["path"]],
         ["Bearer an agent secret"] * 4)
    same([(r["headers"].get("x-key"), r["path"]) for r in opened if "/none/" in r["path"]],
         [("an agent secret", f"/none/v1/agent_ws/{bob.platform_chat_id(second)}/"
           f"?c={bob.platform_chat_id(second)}")])


def test_a_kept_connection_serves_its_chat_and_closes_when_idle(t):
    agent = t.agent()
    w = World(t, agent=agent, registry={
        "agents": [{"id": "kept", "base_url": agent.url("kept"), "connection": "chat",
                    "limits": {"connection_idle": "700ms"}}], "default_agent": "kept"})
    alice, first = w.person()
    second = alice.new_chat(first)
    for n in range(3):
        same(alice.ask(first, f"echo {n}"), str(n))
    same(alice.ask(second, "echo x"), "x")
    opened = [r["path"] for r in agent.records() if r.get("event") == "open"]
    same(len(opened), 2, "one connection for each chat")
    eventually("both closed when idle",
               lambda: len([r for r in agent.records() if r.get("event") == "closed"]) == 2)
    same(alice.ask(first, "echo again"), "again", "reconnects")
    # A second END on a kept connection belongs to no turn.
    same(alice.ask(first, "second end"), "one answer")
    same(alice.ask(first, "echo own"), "own")


def test_an_agent_that_does_not_echo_is_not_kept(t):
    agent = t.agent()
    w = World(t, agent=agent, registry={
        "agents": [{"id": "kept", "base_url": agent.url("kept"), "connection": "chat", "send": []}],
        "default_agent": "kept"})
    alice, chat = w.person()
    for n in range(3):
        same(alice.ask(chat, f"echo {n}"), str(n))
    same(len([r for r in agent.records() if r.get("event") == "open"]), 3, "connections")


def test_a_question_that_nobody_answers_and_a_file_that_is_not_there(t):
    w = World(t, config="confirmations: {ttl: 2s}")
    alice, chat = w.person()
    asked = alice.send(chat, "confirm")
    same(alice.answer(chat, asked, ("final",))["content"]["body"], "The answer was no.")
    same([(f["confirmation_id"], f["decision"]) for f in w.agent.frames("CONFIRM")], [("q1", "no")])
    asked = alice.send(chat, "file")
    same(alice.answer(chat, asked, ("final",))["content"]["body"], "There is the file.")
    check("out/report.txt" in alice.answer(chat, asked, ("notice",))["content"]["body"], "names the file")
    body = alice.answer(chat, alice.event(chat, {"msgtype": "m.file", "body": "a.txt", "url": "mxc://x/y"}))
    check("files" in body["content"]["body"], body)


def test_stop_and_clear_end_a_running_turn(t):
    w = World(t)
    alice, chat = w.person()
    asked = alice.send(chat, "hang")
    eventually("the agent at work", lambda: w.agent.frames())
    same(alice.ask(chat, "!stop"), "Stopped.")
    same(len(w.agent.frames("CANCEL")), 1, "CANCEL was sent")
    check(alice.answers(chat, asked)[0]["content"]["body"].startswith("half an answer"), "keeps its text")
    before = alice.platform_chat_id(chat)
    alice.send(chat, "hang")
    eventually("at work again", lambda: len(w.agent.frames()) == 2)
    waiting = alice.send(chat, "who")
    cleared = alice.ask(chat, "!clear")
    check("fresh" in cleared, cleared)
    told = json.loads(alice.answer(chat, waiting)["content"]["body"])
    after = alice.platform_chat_id(chat)
    check(after != before and str(told["chat_id"]) == str(after), "what waited went to the new context")
