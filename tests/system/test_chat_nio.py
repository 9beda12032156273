"""The chat experience as a person has it whose client is matrix-nio, against the embedded default."""
import time

from chat_world import PROMPT, Agent, Chat
from harness import check, eventually, http, same
from nio_person import NioPerson
from people import delivery, quoted, relation, said


def chat(t, **more):
    return getattr(t, "chat_world", Chat)(t, NioPerson, **more)


# -- coming in --

def test_onboarding(t):
    c = chat(t)
    same(c.alice.get_state(c.chat, "m.room.name")["name"], "Chat 1")
    levels = c.alice.get_state(c.chat, "m.room.power_levels")
    check(levels["invite"] == 100 and levels["users"] == {c.bot: 100}, "members invite nobody", levels)
    stranger = c.person("stranger")
    c.alice.call("POST", f"/rooms/{quoted(c.chat)}/invite", {"user_id": stranger.id}, expect=403)
    c.alice.call("PUT", f"/rooms/{quoted(c.chat)}/state/m.room.member/{quoted(stranger.id)}",
                 {"membership": "invite"}, expect=403)
    c.alice.until("a word in the lobby", lambda: c.alice.answers(c.alice.lobby))
    lobby = c.alice.invite(c.bot)
    c.alice.until("a pointer from the second lobby", lambda: c.alice.answers(lobby))
    same(c.alice.rooms_with("io.patchbay.space"), [c.space], "one Space")


# -- answers --

def test_a_streamed_answer_is_one_message_that_grows(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.stream(12, 0.15))
    final = c.alice.answer(c.chat, asked, ("final",))
    whole = Agent.streamed(12)
    same(final["content"]["body"].strip(), whole)
    c.trace([("draft", "reply", "…"), ("draft", "edit", "…"), ("final", "edit", whole)], asked)
    edits = c.alice.edits(c.chat, final)
    check(2 <= len(edits) <= 31, "draft edits and one final edit", len(edits))
    first = next(e["content"] for e in c.alice.timelines[c.chat] if e["event_id"] == final["event_id"])
    for silent in [first] + [e["content"] for e in edits[:-1]]:
        check(silent["msgtype"] == "m.notice" and silent["m.mentions"] == {}, "silent while it grows", silent)
        check(whole.startswith(said(silent).split("\n")[0].rstrip("… ")) or said(silent), "part of the whole", silent)
    loud = edits[-1]["content"]
    check(loud["msgtype"] == loud["m.new_content"]["msgtype"] == "m.text", loud)
    same(loud["m.mentions"]["user_ids"], [c.alice.id], "the final edit tells the asker")
    same(len({delivery(e["content"])["turn"] for e in edits} | {delivery(first)["turn"]}), 1, "one turn")


def test_an_answer_in_final_mode_is_one_message(t):
    c = chat(t, config="streaming: {mode: final}")
    asked = c.alice.send(c.chat, Agent.stream(6, 0.15))
    c.alice.answer(c.chat, asked)
    c.trace([("final", "reply", Agent.streamed(6))], asked)


def test_a_room_may_choose_final_mode(t):
    c = chat(t)
    c.answer("!set streaming final")
    asked = c.alice.send(c.chat, Agent.stream(6, 0.15))
    c.alice.answer(c.chat, asked)
    c.trace([("final", "reply", Agent.streamed(6))], asked)


def test_a_stream_has_few_edits(t):
    c = chat(t, config="streaming: {min_interval: 100ms, max_interval: 100ms, max_edits: 3}")
    asked = c.alice.send(c.chat, Agent.stream(12, 0.15))
    final = c.alice.answer(c.chat, asked, ("final",))
    same(final["content"]["body"].strip(), Agent.streamed(12))
    check(len(c.alice.edits(c.chat, final)) <= 4, "three and the final one", len(c.alice.edits(c.chat, final)))


def test_an_interrupted_answer_keeps_its_text(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.die)
    body = c.told("!retry", asked)["content"]["body"]
    everything = "\n".join(said(e["content"]) for e in c.alice.answers(c.chat, asked))
    check(Agent.hanging in everything, "the text stays", everything, body)
    same(c.answer(Agent.echo("next")), "next")


def test_an_answer_that_our_crash_interrupts_is_told_once(t):
    c = chat(t)
    asked = c.asked(Agent.hang)
    c.told(Agent.hanging, asked)
    c.crash_and_start()
    c.told("!retry", asked)
    same(c.answer(Agent.echo("next")), "next")
    texts = [said(e["content"]) for e in c.alice.answers(c.chat, asked)]
    check(sum("!retry" in x for x in texts) == 1 and any(x.startswith(Agent.hanging) for x in texts), texts)


def test_tool_calls_leave_no_trace_in_the_final_text(t):
    c = chat(t)
    same(c.answer(Agent.tool), Agent.tooled)


def test_an_agent_cannot_inject_anything(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.html)
    content = c.alice.answer(c.chat, asked)["content"]
    shown = content.get("formatted_body", "")
    for evil in ("<script", "<img", "href=", "src=\""):  # an address in plain words does no harm
        check(evil not in shown, evil, shown)
    for e in c.alice.timelines[c.chat]:
        if e["sender"] == c.bot:
            check("room" not in e["content"].get("m.mentions", {}), e)


def test_a_very_long_answer_comes_as_a_file_with_its_beginning(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.big(300_000))
    sent = c.alice.until("a file", lambda: c.alice.answers(c.chat, asked, ("file",)))[0]["content"]
    data, _, _ = c.alice.download(sent["url"])
    check(len(data) >= 299_000, "all of it", len(data))
    shown = c.alice.answers(c.chat, asked, ("final",))
    check(shown and len(shown) <= 3 and data.decode().startswith(shown[0]["content"]["body"][:200]), "its beginning")


# -- confirmations --

def test_a_confirmation_by_yes(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.confirm)
    prompt = c.told(PROMPT, asked)
    same(relation(prompt["content"]), "reply")
    c.alice.send(c.chat, "!yes")
    same(c.alice.answer(c.chat, asked, ("final",))["content"]["body"].strip(), Agent.decided("yes"))
    same([f["decision"] for f in c.frames("CONFIRM")], ["yes"])
    check(PROMPT in c.alice.shown(c.chat, prompt)["content"]["body"], "the prompt stays")
    late = c.answer("!no")
    same(len(c.frames("CONFIRM")), 1, "a second answer goes nowhere")
    check(late, "and is explained")


def test_a_confirmation_by_reaction(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.confirm)
    prompt = c.told(PROMPT, asked)
    c.alice.react(c.chat, prompt["event_id"], "👀")
    c.alice.react(c.chat, prompt["event_id"], "✅\uFE0F")
    same(c.alice.answer(c.chat, asked, ("final",))["content"]["body"].strip(), Agent.decided("yes"))
    same([f["decision"] for f in c.frames("CONFIRM")], ["yes"])


def test_a_confirmation_survives_a_restart(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.confirm)
    c.told(PROMPT, asked)
    c.crash_and_start()
    c.alice.send(c.chat, "!yes")
    eventually("the agent has the answer", lambda: [f["decision"] for f in c.frames("CONFIRM")] == ["yes"])


def test_stop_drops_an_open_confirmation(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.confirm)
    c.told(PROMPT, asked)
    c.answer("!stop")
    c.answer("!yes")
    check("yes" not in [f["decision"] for f in c.frames("CONFIRM")], "nothing is confirmed any more")
    same(c.answer(Agent.echo("next")), "next")


def test_a_confirmation_expires(t):
    c = chat(t, config="confirmations: {ttl: 1s}")
    asked = c.alice.send(c.chat, Agent.confirm)
    same(c.alice.answer(c.chat, asked, ("final",))["content"]["body"].strip(), Agent.decided("no"))
    c.answer("!yes")
    same([f["decision"] for f in c.frames("CONFIRM")], ["no"], "too late")


# -- stopping --

def test_stop_keeps_what_was_said(t):
    c = chat(t)
    asked = c.asked(Agent.hang)
    c.told(Agent.hanging, asked)
    began = time.monotonic()
    c.alice.send(c.chat, "!stop")
    eventually("the agent is told", lambda: c.frames("CANCEL"))
    check(time.monotonic() - began < 1.5, "within a second", time.monotonic() - began)
    final = c.alice.answer(c.chat, asked, ("final", "notice"))["content"]["body"]
    check(final.startswith(Agent.hanging) and len(final) > len(Agent.hanging) + 5, "the text and a line", final)
    same(c.answer(Agent.echo("next")), "next")


# -- files --

def test_a_file_goes_to_the_agent(t):
    c = chat(t)
    data = bytes(range(256)) * 5000
    asked = c.alice.send_file(c.chat, data, "Bericht 2.bin")
    frame = eventually("the agent has it", c.frames)[0]
    path = f"incoming/{c.alice.platform_chat_id(c.chat)}/Bericht 2.bin"
    same(frame["attachments"], [path])
    same((c.workspace / path).read_bytes(), data)
    check("Bericht 2.bin" in frame["text"] and path in frame["text"], frame["text"])
    c.alice.answer(c.chat, asked, ("final",))


def test_a_caption_and_two_files_are_one_turn(t):
    c = chat(t)
    c.alice.send_file(c.chat, b"one", "a.txt", "text/plain", caption=Agent.echo("look at these"))
    last = c.alice.send_file(c.chat, b"two", "a.txt", "text/plain")
    c.alice.until("an answer", lambda: c.alice.answers(c.chat, kind=("final",)))
    same(len(c.frames()), 1, "one turn")
    names = sorted(p.rsplit("/", 1)[1] for p in c.frames()[0]["attachments"])
    same(names, ["a (2).txt", "a.txt"])
    check("look at these" in c.frames()[0]["text"] and last, c.frames()[0]["text"])


def test_a_file_comes_from_the_agent(t):
    c = chat(t)
    (c.workspace / "out/report.txt").write_text("the report\n")
    asked = c.alice.send(c.chat, Agent.send_file)
    sent = c.alice.until("a file", lambda: c.alice.answers(c.chat, asked, ("file",)))[0]["content"]
    same((sent["msgtype"], sent["filename"], sent["info"]["size"]), ("m.file", "report.txt", 11))
    data, kind, disposition = c.alice.download(sent["url"])
    same(data, b"the report\n")
    check(kind.startswith("text/plain") and "report.txt" in disposition, kind, disposition)
    c.alice.answer(c.chat, asked, ("final",))


def test_a_file_outside_the_workspace_is_refused(t):
    c = chat(t)
    (t.dir / "secret.txt").write_text("secret\n")
    (c.workspace / "link.txt").symlink_to(t.dir / "secret.txt")
    (c.workspace / "config").mkdir()
    (c.workspace / "config/key.txt").write_text("secret\n")
    for path in ("../secret.txt", "link.txt", "config/key.txt", str(t.dir / "secret.txt")):
        asked = c.alice.send(c.chat, Agent.send(path))
        c.alice.answer(c.chat, asked, ("final",))
        told = c.alice.until("the refusal of " + path, lambda a=asked: c.alice.answers(c.chat, a, ("notice", "reply")))
        check(told[0]["content"]["body"], path)
    same(c.alice.answers(c.chat, kind=("file",)), [], "files sent")


# -- chats --

def test_a_chat_from_new_to_archive_and_back(t):
    c = chat(t)
    plans = c.alice.new_chat(c.chat, "Plans")
    listed = c.answer("!chats")
    check("C1" in listed and "C2" in listed and "Plans" in listed and "Main" in listed, listed)
    c.alice.ask(plans, "!rename Plans for May")
    c.alice.until("the new name", lambda: c.alice.sync() or c.alice.get_state(plans, "m.room.name")["name"]
                  == "Plans for May")
    c.alice.ask(plans, "!archive")
    same(c.alice.get_state(plans, "io.patchbay.chat")["state"], "archived")
    c.alice.until("out of the Space", lambda: c.alice.sync() or not c.alice.state[c.space]["m.space.child", plans]
                  ["content"].get("via"))
    before = len(c.frames())
    check(c.alice.ask(plans, Agent.echo("anybody?")) != "anybody?", "an archived chat says so")
    same(len(c.frames()), before, "and asks nobody")
    c.answer("!restore C2")
    c.alice.until("back in the Space", lambda: c.alice.sync() or c.alice.state[c.space]["m.space.child", plans]
                  ["content"].get("via"))
    same(c.alice.ask(plans, Agent.echo("here again")).strip(), "here again")


def test_clear_begins_a_fresh_context_and_keeps_the_rest(t):
    c = chat(t)
    c.answer(Agent.echo("one"))
    before = c.alice.get_state(c.chat, "io.patchbay.chat")
    c.answer("!clear")
    after = c.alice.get_state(c.chat, "io.patchbay.chat")
    check(after["platform_chat_id"] > before["platform_chat_id"] and after["epoch"] == before["epoch"] + 1, after)
    c.answer(Agent.echo("two"))
    paths = [r["path"] for r in c.agent.records() if r.get("frame", {}).get("type") == "USER_MESSAGE"]
    same(len(set(paths)), 2, "another chat for the agent")
    check(str(after["platform_chat_id"]) in c.answer("!context"), "!context says so")


def test_save_and_load_by_number(t):
    c = chat(t)
    check("harvest.md" in c.answer("!save harvest"), "what the agent did not write is not remembered")
    (c.workspace / "saved").mkdir()
    (c.workspace / "saved/harvest.md").write_text("what we said\n")
    c.answer("!save harvest")
    check("saved/harvest.md" in c.frames()[-1]["text"], "the agent writes it down", c.frames()[-1]["text"])
    listed = c.answer("!load")
    check("1" in listed and "harvest" in listed, listed)
    before = len(c.frames())
    c.alice.answer(c.chat, c.alice.send(c.chat, "1"))
    same(len(c.frames()), before + 1, "turns")
    check("saved/harvest.md" in c.frames()[-1]["text"], "the agent reads it back", c.frames()[-1]["text"])
    c.alice.answer(c.chat, c.alice.send(c.chat, "1"))
    same(c.frames()[-1]["text"], "1", "a number without a question is a text")


def test_agents_are_listed(t):
    c = chat(t)
    listed = c.answer("!agent")
    check("Main" in listed and "main" in listed, listed)
    check("main" in c.answer("!agent nobody").lower(), "an unknown one gets the list")


def test_settings_and_language(t):
    c = chat(t)
    check("Main" in c.answer("!settings"), "the agent")
    c.answer("!set language ru")
    check("список" in c.answer("!help") or "команд" in c.answer("!help"), "help in Russian")


# -- who may speak --

def test_allow_and_deny(t):
    c = chat(t)
    bob = c.person("bob-nio")
    c.answer(f"!allow {bob.id}")
    bob.until("an invitation to the room", lambda: c.chat in bob.invites)
    bob.join(c.chat)
    same(bob.ask(c.chat, Agent.echo("from bob")).strip(), "from bob")
    c.answer(f"!deny {bob.id}")
    before = len(c.frames())
    bob.send(c.chat, Agent.echo("may I still?"))
    same(c.answer(Agent.echo("after")), "after")
    same(len(c.frames()), before + 1, "bob is not heard any more")


def test_notices_are_never_answered(t):
    c = chat(t)
    c.alice.event(c.chat, {"msgtype": "m.notice", "body": Agent.echo("a bot says")})
    same(c.answer(Agent.echo("a person says")), "a person says")
    same(len(c.frames()), 1, "turns")


# -- threads, edits, redactions, replies --

def test_an_answer_comes_where_it_was_asked(t):
    c = chat(t)
    root = c.alice.send(c.chat, Agent.echo("root"))
    c.alice.answer(c.chat, root)
    asked = c.alice.in_thread(c.chat, root, Agent.echo("inside"))
    content = c.alice.answer(c.chat, asked)["content"]
    same((content["body"].strip(), relation(content)), ("inside", "thread"))
    same(content["m.relates_to"]["event_id"], root)
    outside = c.alice.send(c.chat, Agent.echo("outside"))
    same(relation(c.alice.answer(c.chat, outside)["content"]), "reply", "and outside of it where that was")


def test_a_waiting_message_is_taken_as_edited(t):
    c = chat(t)
    c.asked(Agent.slow(1.5))
    waiting = c.alice.send(c.chat, Agent.echo("first version"))
    c.alice.edit(c.chat, waiting, Agent.echo("second version"))
    same(c.alice.answer(c.chat, waiting)["content"]["body"].strip(), "second version")
    same(len(c.frames()), 2, "turns")


def test_an_edit_never_becomes_a_command(t):
    c = chat(t)
    c.asked(Agent.slow(1.5))
    before = c.alice.get_state(c.chat, "io.patchbay.chat")
    waiting = c.alice.send(c.chat, Agent.echo("text"))
    c.alice.edit(c.chat, waiting, "!clear")
    c.alice.answer(c.chat, waiting)
    same(c.alice.get_state(c.chat, "io.patchbay.chat"), before)
    same(c.frames()[1]["text"], "!clear", "the text is for the agent")


def test_an_edit_of_an_answered_message_is_explained_once(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.echo("done"))
    c.alice.answer(c.chat, asked)
    for text in ("changed", "changed again"):
        c.alice.edit(c.chat, asked, Agent.echo(text))
    c.alice.until("told", lambda: c.alice.answers(c.chat, asked, ("notice", "reply")))
    c.answer(Agent.echo("end"))
    same(len(c.alice.answers(c.chat, asked, ("notice", "reply"))), 1, "once")
    same(len(c.frames()), 2, "turns")


def test_a_redacted_waiting_message_is_dropped(t):
    c = chat(t)
    c.asked(Agent.slow(1.5))
    waiting = c.alice.send(c.chat, Agent.echo("never mind"))
    c.alice.redact(c.chat, waiting)
    same(c.answer(Agent.echo("end")), "end")
    check(not any("never mind" in f["text"] for f in c.frames()), "the agent never had it")


def test_a_redacted_running_message_is_cancelled(t):
    c = chat(t)
    asked = c.asked(Agent.hang)
    c.alice.redact(c.chat, asked)
    eventually("the agent is told", lambda: c.frames("CANCEL"))
    same(c.answer(Agent.echo("next")), "next")


def test_a_reply_brings_what_it_quotes(t):
    c = chat(t)
    asked = c.alice.send(c.chat, Agent.echo("the harvest was good"))
    answer = c.alice.answer(c.chat, asked)
    reply = c.alice.reply(c.chat, answer["event_id"], "what did you mean?")
    c.alice.answer(c.chat, reply)
    text = c.frames()[-1]["text"]
    check("the harvest was good" in text and "what did you mean?" in text, text)


def test_other_kinds_of_messages_are_taken_or_explained(t):
    c = chat(t)
    emote = c.alice.event(c.chat, {"msgtype": "m.emote", "body": "waves"})
    c.alice.answer(c.chat, emote)
    check("waves" in c.frames()[-1]["text"], c.frames()[-1])
    place = c.alice.event(c.chat, {"msgtype": "m.location", "body": "the well", "geo_uri": "geo:52.1,5.2"})
    c.alice.until("something about the place", lambda: c.alice.answers(c.chat, place))
    sticker = c.alice.event(c.chat, {"body": "a cat", "url": "mxc://localhost/none", "info": {}}, "m.sticker")
    c.alice.until("something about the sticker", lambda: c.alice.answers(c.chat, sticker))


# -- agents that speak first --

def test_an_agent_may_speak_first_once_per_event(t):
    c = chat(t)
    same(c.push("e1", "The build is done.")[0] // 100, 2, "accepted")
    same(c.push("e1", "The build is done.")[0] // 100, 2, "again")
    c.told("The build is done.")
    c.answer(Agent.echo("end"))
    same(sum("The build is done." in e["content"]["body"] for e in c.alice.answers(c.chat)), 1, "once")
    same(http("POST", f"http://{c.console}/api/v1/agents/main/events",
              {"event_id": "e2", "kind": "task_done", "text": "x", "chat_id": 1}, "a wrong token")[0], 403)
