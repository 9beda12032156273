"""A bare model as an agent, in both dialects of its API: the server is one that we did not write."""
from harness import check, same
from model_world import ModelWorld

NUMBERS = " ".join(str(i + 1) for i in range(40))
PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
                      "789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082")


def remembers(t, api):
    w = ModelWorld(t, api, instructions="Be brief.", context_messages=4)
    alice, chat = w.person()
    same(alice.ask(chat, "My name is Alice."), "noted")
    same(alice.ask(chat, "what did I say?"), "[Be brief.] My name is Alice.", "it remembers")
    w.router.kill()
    w.again()
    alice.ask(chat, "I like tea.")
    same(alice.ask(chat, "what did I say?"), "[Be brief.] what did I say? | I like tea.", "within its bound, over a kill")
    other = alice.new_chat(chat)
    same(alice.ask(other, "what did I say?"), "[Be brief.]", "another chat is another conversation")
    before = alice.platform_chat_id(chat)
    alice.ask(chat, "!clear", ("notice", "reply"))
    alice.until("a fresh context", lambda: alice.platform_chat_id(chat) != before)
    same(alice.ask(chat, "what did I say?"), "[Be brief.]", "forgotten")
    same(w.heard()[-1]["model"], "m")


def test_a_model_remembers_its_chat_and_forgets_it_over_chat_completions(t):
    remembers(t, "chat")


def test_a_model_remembers_its_chat_and_forgets_it_over_responses(t):
    remembers(t, "responses")


def answers(t, api):
    w = ModelWorld(t, api, config="streaming: {min_interval: 100ms, max_interval: 300ms}")
    alice, chat = w.person()
    asked = alice.send(chat, "stream")
    final = alice.answer(chat, asked)
    same(final["content"]["body"].strip(), NUMBERS)
    check(any(e["content"]["m.new_content"]["body"] != NUMBERS for e in alice.edits(chat, alice.answers(chat, asked)[0])),
          "it grew by edits")
    context = alice.ask(chat, "!context", ("reply", "notice"))
    check("70" in context and "7" in context.replace("70", ""), "tokens are counted", context)
    same(alice.ask(chat, "think").strip(), "Forty-two.")
    check("secret thought" not in str(alice.timelines[chat]), "thoughts are not part of the answer")
    same(alice.ask(chat, "limit").strip(), "as far as I got")
    filtered = alice.ask(chat, "filter", ("final", "notice"))
    check("reports an error" in filtered and ("content_filter" in filtered or api == "responses"), "a filter is told", filtered)
    check("without a word" in alice.ask(chat, "tool", ("final", "notice")), "tools that nobody offered are not called")


def test_answers_stream_over_chat_completions(t):
    answers(t, "chat")


def test_answers_stream_over_responses(t):
    answers(t, "responses")


def troubles(t, api):
    w = ModelWorld(t, api)
    alice, chat = w.person()
    alice.ask(chat, "before")
    for text in ("cut", "hang up"):
        body = alice.ask(chat, text, ("final", "notice"))
        check(body.startswith("1 2") and "!retry" in body, text, body)
    for text, words in (("busy", ("429", "too many requests", "again in 7 s")), ("gone", ("404", "no such model")),
                        ("locked", ("401",))):
        body = alice.ask(chat, text, ("final", "notice"))
        check(all(word in body for word in words), text, body)
    same(alice.ask(chat, "what did I say?"), "[] before", "what failed is not part of the conversation")
    asked = alice.send(chat, "slow")
    alice.until("the beginning", lambda: alice.answers(chat, asked))
    alice.send(chat, "!stop")
    alice.until("stopped", lambda: any("Stopped" in a["content"]["body"] for a in alice.answers(chat)))
    w.kill_peer()
    body = alice.ask(chat, "hello", ("final", "notice"))
    check("cannot reach" in body, body)
    w.peer_again()
    same(alice.ask(chat, "what did I say?"), "[] before | what did I say?")


def test_trouble_has_its_words_over_chat_completions(t):
    troubles(t, "chat")


def test_trouble_has_its_words_over_responses(t):
    troubles(t, "responses")


def test_a_model_sees_a_picture(t):
    w = ModelWorld(t)
    alice, chat = w.person()
    alice.send_file(chat, PIXEL, "dot.png", "image/png", caption="look", msgtype="m.image")
    seen = alice.until("an answer", lambda: alice.answers(chat, kind=("final",)))
    same(seen[0]["content"]["body"], f"I see image/png: {len(PIXEL)} bytes.")
    check("dot.png" in alice.ask(chat, "what did I say?"), "the file is named afterwards")
    same(len(w.heard()), 2, "one request each")
