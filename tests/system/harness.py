"""Processes and addresses for the system tests: the router, a homeserver, agents, a temporary folder.

Everything that a test starts hangs on its Bench and is killed when the test ends. Waiting is polling with
a deadline; a wait that ends without its condition says what it waited for."""
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 20.0  # seconds that a step may take on a busy machine


class Skip(Exception):
    """This machine cannot run the test; the text says why."""


def check(condition, *why):
    """An assertion that shows what it saw."""
    if not condition:
        raise AssertionError(" ".join(str(w) for w in why))


def same(got, wanted, what=""):
    check(got == wanted, what, "got", repr(got)[:600], "instead of", repr(wanted)[:600])


def eventually(what, condition, seconds=PATIENCE, pause=0.02):
    """The first true value of condition(); a deadline that passes is a failure named by `what`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, "waited in vain for:", what() if callable(what) else what)
        time.sleep(pause)


_given, _given_lock = itertools.count(0), threading.Lock()


def free_port():
    """A port that nobody listens on, below the range that the system gives out by itself."""
    with _given_lock:
        for _ in range(2000):
            port = 20000 + (os.getpid() * 37 + next(_given) * 3) % 12000
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    s.bind(("127.0.0.1", port))
                    return port
    raise AssertionError("no free port")


def http(method, url, body=None, token=None, timeout=PATIENCE):
    """(status, JSON or text); status 0: no answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as e:
        status, text = e.code, e.read()
    except (OSError, ValueError) as e:
        return 0, str(e)
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text.decode(errors="replace")


def transfer(method, url, data=None, token=None, kind="application/octet-stream", timeout=60):
    """Bytes there and back: (status, headers by small letters, body)."""
    request = urllib.request.Request(url, method=method, data=data)
    if data is not None:
        request.add_header("Content-Type", kind)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, {k.lower(): v for k, v in e.headers.items()}, e.read()


class Process:
    """A child whose stdout and stderr are kept in memory as lines."""

    def __init__(self, command, cwd=None, env=None):
        self.started = time.monotonic()
        self.out, self.err, self.stamps = [], [], []
        self.child = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, text=True,
                                      errors="replace", stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=self._read, args=a, daemon=True)
                        for a in ((self.child.stdout, self.out), (self.child.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    def _read(self, stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))
            if lines is self.out:
                self.stamps.append(time.monotonic())

    @property
    def pid(self):
        return self.child.pid

    def text(self):
        return "\n".join(self.err)

    def wait(self, seconds=PATIENCE):
        """The exit code, with all output read."""
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"process {self.pid} does not end; it said: {self.text()[-1500:]}") from None
        for reader in self.readers:
            reader.join(5)
        return code

    def signal(self, number):
        self.child.send_signal(number)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.wait()

    def first_line(self, start, seconds=PATIENCE):
        def found():
            for line in list(self.out):
                if line.startswith(start):
                    return line
            check(self.child.poll() is None, "ended with", self.child.poll(), "before", repr(start), ":",
                  self.text()[-1500:])
            return None
        return eventually(lambda: f"a line {start!r}; stderr: {self.text()[-1500:]}", found, seconds)

    def said(self, words, seconds=PATIENCE):
        """The first line of stderr that contains the words."""
        return eventually(lambda: f"{words!r} on stderr: {self.text()[-1500:]}",
                          lambda: next((x for x in list(self.err) if words in x), None), seconds)


class Router(Process):
    """`patchbay run`."""

    def ready(self, seconds=PATIENCE):
        line = self.first_line("ready ", seconds)
        facts = json.loads(line[6:])
        self.console, _, token = facts["console"].partition("#token=")
        self.console = self.console.rstrip("/")
        self.token = token
        self.ready_after = self.stamps[self.out.index(line)] - self.started
        return facts

    def get(self, path, token=None):
        return http("GET", self.console + path, token=token)

    def metric(self, name):
        """The sum over all label sets; 0 where there is none."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(x.rsplit(" ", 1)[1]) for x in lines if x.split("{")[0].split(" ")[0] == name)

    def stop(self, seconds=PATIENCE):
        self.signal(signal.SIGTERM)
        return self.wait(seconds)


class Agent(Process):
    """tests/system/scripted_agent.py, as a process of its own."""

    def __init__(self, folder, *arguments):
        self.record = pathlib.Path(folder) / f"agent-{time.monotonic_ns()}.jsonl"
        super().__init__([sys.executable, HERE / "scripted_agent.py", "--record", self.record, *arguments])
        self.port = json.loads(self.first_line("{"))["port"]

    def url(self, name="", do=None):
        return f"http://127.0.0.1:{self.port}" + (f"/do/{do}" if do else f"/{name}" if name else "")

    def records(self):
        if not self.record.exists():
            return []
        lines = self.record.read_text(encoding="utf-8").split("\n")[:-1]  # the last may be half written
        return [json.loads(line) for line in lines]

    def frames(self, kind="USER_MESSAGE", prefix=""):
        return [r["frame"] for r in self.records()
                if "frame" in r and r["frame"].get("type") == kind and r["path"].startswith(prefix)]


class Homeserver(Process):
    """tests/foreign/homeserver_host: the development homeserver with its faults."""

    def __init__(self, binary, *arguments):
        super().__init__([binary, "--faults", *arguments])
        self.url = json.loads(self.first_line("ready ")[6:])["homeserver"]

    def fault(self, **rule):
        rule.setdefault("times", 1)
        status, answer = http("POST", self.url + "/_dev/faults", rule)
        same(status, 200, "adding a fault")
        return answer["id"]

    def hits(self, fault):
        answer = http("GET", self.url + "/_dev/faults")[1]
        return next(f["hits"] for f in answer["faults"] if f["id"] == fault)

    def heal(self):
        http("DELETE", self.url + "/_dev/faults")


class Bench:
    """What one test has: a folder of its own, and everything that it started."""

    def __init__(self, binary, homeserver, name):
        self.binary, self.homeserver_binary = binary, homeserver
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pb-" + name[:24].replace(" ", "-") + "-"))
        self.processes, self.notes = [], []  # notes: shown behind the test's line
        self.stack = contextlib.ExitStack()
        self.stack.callback(shutil.rmtree, self.dir, ignore_errors=True)

    def close(self):
        self.stack.close()

    def last_words(self):
        """The end of what the routers said, for a test that failed."""
        routers = [p for p in self.processes if isinstance(p, Router)]
        return "".join(f"  router {p.pid}: {line[:400]}\n" for p in routers[-3:] for line in p.err[-12:])

    def started(self, process):
        self.stack.callback(process.kill)
        self.processes.append(process)
        return process

    def environment(self, extra=None):
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("MATRIX_", "PATCHBAY_", "AGENT_"))}
        return {**keep, **(extra or {})}

    def run(self, *arguments, cwd=None, env=None, seconds=PATIENCE):
        """A subcommand that ends by itself: (exit code, stdout, stderr)."""
        done = subprocess.run([self.binary, *map(str, arguments)], cwd=cwd or self.dir, text=True,
                              env=self.environment(env), timeout=seconds, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout, done.stderr

    def router(self, *arguments, cwd=None, env=None):
        return self.started(Router([self.binary, "run", *arguments], cwd=cwd or self.dir,
                                   env=self.environment(env)))

    def agent(self, *arguments):
        return self.started(Agent(self.dir, *arguments))

    def homeserver(self, *arguments):
        if not self.homeserver_binary:
            raise Skip("no --homeserver was given")
        return self.started(Homeserver(self.homeserver_binary, *arguments))

    def file(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path
