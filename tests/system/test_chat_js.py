"""The chat experience as a person has it whose client is matrix-js-sdk: tests/foreign/js/chat.mjs."""
import importlib.util
import json
import pathlib
import subprocess

from chat_world import PROMPT, Agent, Chat
from harness import Skip, check, same
from people import Person

FOREIGN = pathlib.Path(__file__).resolve().parents[1] / "foreign"


def runner():
    """tests/foreign/run.py, which knows where node and the library are."""
    spec = importlib.util.spec_from_file_location("foreign_run", FOREIGN / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def play(t, scenario):
    foreign = runner()
    if not (foreign.JS / "node_modules" / "matrix-js-sdk").is_dir() or foreign.node() is None:
        raise Skip("matrix-js-sdk or node is missing")
    c = getattr(t, "chat_world", Chat)(t, lambda _, url, name: Person(url, name))
    (c.workspace / "out/report.txt").write_text("the report\n")
    words = {"confirm": Agent.confirm, "prompt": PROMPT, "yes": Agent.decided("yes"), "hang": Agent.hang,
             "hanging": Agent.hanging, "stream": Agent.stream(12, 0.15), "streamed": Agent.streamed(12),
             "echo": Agent.echo("").strip(), "slow": Agent.slow(1.5), "send_file": Agent.send_file,
             "sent_file": "the report\n"}
    done = subprocess.run([foreign.node(), FOREIGN / "js/chat.mjs", c.url, c.bot, "js-person", scenario,
                           json.dumps(words)], capture_output=True, text=True, timeout=90, check=False)
    same(done.returncode, 0, done.stdout[-1500:] + done.stderr[-1500:])
    return c


def decisions(c):
    return [f["decision"] for f in c.frames("CONFIRM")]


def test_onboarding(t):
    play(t, "onboarding")


def test_only_the_final_edit_of_a_streamed_answer_notifies(t):
    play(t, "streaming")


def test_a_confirmation_by_yes(t):
    same(decisions(play(t, "confirmation_by_yes")), ["yes"])


def test_a_confirmation_by_reaction(t):
    same(decisions(play(t, "confirmation_by_reaction")), ["yes"])


def test_stop(t):
    same(len(play(t, "stop").frames("CANCEL")), 1)


def test_files_both_ways(t):
    c = play(t, "files")
    path = c.frames()[0]["attachments"][0]
    same((c.workspace / path).read_text(), "a question in a file\n" * 50_000)
    check(path.endswith("/вопрос.txt"), path)


def test_chats(t):
    play(t, "chats")


def test_clear(t):
    play(t, "clear")


def test_a_thread(t):
    play(t, "thread")


def test_an_edit_of_a_waiting_message(t):
    same(len(play(t, "edit_of_a_waiting_message").frames()), 2)


def test_a_redaction_of_a_waiting_message(t):
    c = play(t, "redaction_of_a_waiting_message")
    check(not any("never mind" in f["text"] for f in c.frames()), "the agent never had it")
