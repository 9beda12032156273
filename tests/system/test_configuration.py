"""The command line and faulty configuration."""
import json
import re

from harness import check, same

GOOD = """\
homeserver: {url: "http://127.0.0.1:1", user_id: "@agents:localhost", access_token: {env: TEST_TOKEN}}
registry: matrix-agents.yaml
"""
REGISTRY = "agents:\n  - {id: one, base_url: 'http://127.0.0.1:2'}\ndefault_agent: one\n"


def test_check_of_good_files(t):
    t.file("patchbay.yaml", GOOD)
    t.file("matrix-agents.yaml", REGISTRY)
    code, out, err = t.run("check", "--config", "patchbay.yaml", env={"TEST_TOKEN": "secret-canary"})
    same((code, out, err), (0, "ok: 1 agents, 0 people listed\n", ""))
    code, out, _ = t.run("check", "--config", "patchbay.yaml", "--json", env={"TEST_TOKEN": "secret-canary"})
    same((code, json.loads(out)), (0, {"ok": True, "agents": 1, "problems": []}))
    check("canary" not in out, "no secret is shown")
    check(not (t.dir / "data").exists(), "nothing was opened")


def test_every_fault_at_once_with_its_place(t):
    t.file("patchbay.yaml", GOOD + "lagnuage: en\nrooms: {queue_limit: many}\n")
    t.file("matrix-agents.yaml", """\
agents:
  - id: one
    base_url: ftp://nowhere
    workspace_path: /agents/1
  - id: one
    base_url: http://127.0.0.1:2
    workspace_path: /agents/1/inside
default_agent: nobody
user_agents: {"@a:b": missing}
""")
    env = {"TEST_TOKEN": "secret-canary"}
    for command in ("check", "run"):
        code, out, err = t.run(command, "--config", "patchbay.yaml", env=env)
        same((code, out), (78, ""), command)
        places = re.findall(r"^(\S+?\.yaml):(\d+):(\d+): (.+)$", err, re.M)
        check(len(places) >= 6, "all faults at once:", err)
        found = [(f.rsplit("/", 1)[-1], int(line)) for f, line, _, _ in places]
        for wanted in (("patchbay.yaml", 3), ("patchbay.yaml", 4), ("matrix-agents.yaml", 3),
                       ("matrix-agents.yaml", 5), ("matrix-agents.yaml", 8), ("matrix-agents.yaml", 9)):
            check(wanted in found, "a fault at", wanted, "in", err)
        check(all("; " in what for *_, what in places), "each says what to write instead:", err)
        check("language" in err and "canary" not in err, err)
    code, out, _ = t.run("check", "--config", "patchbay.yaml", "--json", env=env)
    report = json.loads(out)
    same((code, report["ok"]), (78, False))
    check(len(report["problems"]) >= 6 and all(p["line"] > 0 for p in report["problems"]), report)


def test_files_that_are_missing_or_not_yaml(t):
    code, _, err = t.run("check", "--config", "nowhere.yaml")
    same(code, 78, err)
    check("nowhere.yaml" in err, err)
    t.file("patchbay.yaml", "homeserver: {url: [\n\x01")
    code, _, err = t.run("run", "--config", "patchbay.yaml")
    same(code, 78, err)
    check("patchbay.yaml:" in err, err)
    t.file("patchbay.yaml", GOOD)
    t.file("matrix-agents.yaml", REGISTRY)
    code, _, err = t.run("check", "--config", "patchbay.yaml")
    same(code, 78, err)
    check("TEST_TOKEN" in err, "names the variable that is not set:", err)


def test_environment_alone_and_a_file_of_variables(t):
    env = {"MATRIX_HOMESERVER": "http://127.0.0.1:1", "MATRIX_USER_ID": "@agents:localhost",
           "MATRIX_ACCESS_TOKEN": "a token", "AGENT_BASE_URL": "http://127.0.0.1:2"}
    code, out, err = t.run("check", env=env)
    same((code, out), (0, "ok: 1 agents, 0 people listed\n"), err)
    t.file(".env", "".join(f"{k}={v}\n" for k, v in env.items()) + "SURFACES_X=1\n")
    code, out, err = t.run("check")
    same((code, out), (0, "ok: 1 agents, 0 people listed\n"), err)
    check("SURFACES_X" in err, "says what has no effect:", err)


def test_the_command_line(t):
    for arguments in ((), ("fly",), ("run", "--nonsense"), ("check", "--config")):
        code, out, err = t.run(*arguments)
        same((code, out, len(err.splitlines())), (64, "", 1), arguments)
        check(err.startswith("patchbay: ") and "--help" in err, err)
    for command in ("doctor", "reconcile", "reset", "backup", "import-surfaces", "agent", "agents", "rooms"):
        same(t.run(command, "--help")[0], 0, command + " --help")
        same(t.run(command, "--nonsense")[0], 64, command)
    for command in ("inject", "trace", "record", "replay", "top"):
        code, out, err = t.run(command, "something", "--mode", "local-only")
        same((code, out), (1, ""), command)
        check(command in err and "not there yet" in err and len(err.splitlines()) == 1, err)
        same(t.run(command, "--help")[0], 0, command + " --help")
    code, out, err = t.run("version", "--json")
    facts = json.loads(out)
    same(code, 0, err)
    check(facts["version"] and "commit" in facts and facts["libraries"]["sqlite"], facts)
    check(facts["version"] in t.run("version")[1], "the same as text")
    code, out, _ = t.run("--help")
    check(code == 0 and "run" in out and "check" in out, out)
