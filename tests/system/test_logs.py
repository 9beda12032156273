"""What the log says, and what it must not say."""
import json

from harness import check, eventually, same
from people import World

CANARY = "canary-4711-never-in-a-log"


def test_json_lines_without_words_of_people_or_secrets(t):
    agent = t.agent()
    w = World(t, agent=agent, env={"AGENT_TOKEN": CANARY + "-agent"}, config="log: {format: json, level: info}",
              registry={"agents": [{"id": "main", "base_url": agent.url(),
                                    "auth": {"secret": {"env": "AGENT_TOKEN"}}}], "default_agent": "main"})
    alice, chat = w.person()
    check(CANARY in alice.ask(chat, "echo " + CANARY), "the answer has it")
    alice.ask(chat, "!" + CANARY)
    alice.new_chat(chat, CANARY)
    for text in ("error " + CANARY[:10], "die mid", "malformed " + CANARY, "unknown type"):
        alice.ask(chat, text, ("final", "notice"))
    w.homeserver.fault(method="PUT", path_regex="/send/m.room.message/", user=w.bot.id, answer={
        "status": 403, "body": {"errcode": "M_FORBIDDEN", "error": "no"}})
    alice.send(chat, "echo refused " + CANARY)
    w.router.said("outbox_dead")
    w.spoil_sync(alice, chat, extra_events={
        chat: [{"type": "m.room.message", "sender": 7, "content": {"body": CANARY, "msgtype": CANARY}}]})
    alice.ask(chat, "echo poison")
    eventually("poison is logged or counted", lambda: w.router.metric("patchbay_poison_events_total"))
    same(w.router.stop(), 0)
    seen = set()
    for line in w.router.err:
        entry = json.loads(line)
        check({"time", "level", "event", "text"} <= set(entry), line)
        seen.add(entry["event"])
    check({"router_started", "session_ready", "chat_made", "turn_failed", "router_stopped"} <= seen, seen)
    for secret in (CANARY, w.bot.token, "an admin token, long", alice.token):
        check(secret not in w.router.text(), "leaked:", secret)


def test_a_trace_leads_through_the_text_log(t):
    w = World(t)
    alice, chat = w.person()
    alice.ask(chat, "error overloaded", ("final", "notice"))
    line = w.router.said("turn_failed")
    check("trace=" in line and "room=" in line and "agent=main" in line, line)
    check("overloaded" in line, line)
