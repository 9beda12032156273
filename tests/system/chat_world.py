"""The embedded default with a scripted agent, and the words by which that agent is told what to do."""
import json

from harness import eventually, free_port, http, same

# The prompt of a confirmation is a message like others; what is looked for is its text.
PROMPT = "May I?"


class Agent:
    """The one place that knows the language of scripted_agent.py."""

    confirm = "confirm"  # asks PROMPT, then says which answer came
    decided = "The answer was {}.".format
    die = "die mid"  # the same piece, then the connection is gone
    hang = "hang"  # a piece of text, then silence for ever
    hanging = "half an answer"
    tool = "tool"  # calls search, then says this
    tooled = "The sky is blue."
    send_file = "file"  # sends out/report.txt
    html = "html"  # tries to inject HTML and to mention the room

    @staticmethod
    def echo(text):
        return f"echo {text}"

    @staticmethod
    def stream(pieces, seconds):
        """That many numbers, so far apart."""
        return f"drip {pieces} {seconds}"

    @staticmethod
    def streamed(pieces):
        return " ".join(str(i + 1) for i in range(pieces))

    @staticmethod
    def slow(seconds, text=""):
        return f"sleep {seconds} {text}".strip()

    @staticmethod
    def send(path):
        return f"file {path}"

    @staticmethod
    def big(size):
        return f"big {size}"


class Chat:
    """One person in one chat. `client(t, url, name)` makes people, so that every client may be one."""

    def __init__(self, t, client, config="", registry=None):
        self.t, self.client = t, client
        self.workspace = t.dir / "workspace"
        (self.workspace / "out").mkdir(parents=True)
        self.agent = t.agent()
        spec = {"id": "main", "label": "Main", "base_url": self.agent.url(), "workspace_path": str(self.workspace),
                "events_token": {"env": "AGENT_EVENTS"}, **(registry or {})}
        t.file("matrix-agents.yaml", json.dumps({"agents": [spec], "default_agent": "main"}))
        self.console = f"127.0.0.1:{free_port()}"
        # Quick edits, so that a stream of a second shows some.
        t.file("patchbay.yaml", f"""\
homeserver: {{url: embedded}}
registry: matrix-agents.yaml
admin: {{listen: "{self.console}", token: {{env: TEST_ADMIN_TOKEN}}}}
""" + (config or "streaming: {min_interval: 100ms, max_interval: 400ms}\n"))
        self.start()
        self.alice = self.person("alice-nio")
        self.space, self.chat = self.alice.meet(self.bot)

    def start(self):
        self.router = self.t.router("--config", "patchbay.yaml", env={
            "TEST_ADMIN_TOKEN": "an admin token, long", "AGENT_EVENTS": "an agent's token, long"})
        facts = self.router.ready()
        self.bot, self.url = facts["bot"], facts["homeserver"]

    def crash_and_start(self):
        self.router.kill()
        self.start()
        self.alice.move(self.url)

    def person(self, name):
        return self.client(self.t, self.url, name)

    def frames(self, kind="USER_MESSAGE"):
        return self.agent.frames(kind)

    def asked(self, text):
        """Says it and waits until the agent has it: the event's id."""
        before = len(self.frames())
        event = self.alice.send(self.chat, text)
        eventually("the agent has the message", lambda: len(self.frames()) > before)
        return event

    def answer(self, text, kind=("final", "reply")):
        return self.alice.ask(self.chat, text, kind).strip()

    def told(self, words, to=None, room=None, kind=None):
        """A message of the router that contains the words."""
        room = room or self.chat

        def found():
            return next((e for e in self.alice.answers(room, to, kind) if words in e["content"]["body"]), None)
        return self.alice.until(
            lambda: f"{words!r}; there is {[e['content']['body'][:120] for e in self.alice.answers(room, to)]}", found)

    def push(self, event, text, chat=None, kind="task_done"):
        return http("POST", f"http://{self.console}/api/v1/agents/main/events",
                    {"event_id": event, "kind": kind, "text": text,
                     "chat_id": chat or self.alice.platform_chat_id(self.chat)}, "an agent's token, long")

    def trace(self, wanted, to=None):
        """Waits until the trace has as many lines as wanted, then compares."""
        self.alice.until(lambda: f"a trace like {wanted}; there is {self.alice.trace(self.chat, to)}",
                         lambda: len(self.alice.trace(self.chat, to)) >= len(wanted))
        same(self.alice.trace(self.chat, to), wanted, "the golden trace")
