#!/usr/bin/python3
"""System tests: the real binary against real sockets.

    run.py --binary PATH [--homeserver PATH] [-k WORDS] [--jobs N] [--list] [--all]

One line a test; the last line says how many passed, failed and were skipped. Exit 1 when one failed."""
import argparse
import concurrent.futures
import importlib
import pathlib
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402

# Scenarios of what is not built yet: a theme, or "theme: " and how the name begins. They run with --all. What is
# built is taken out of here, and has to pass from then on.
NOT_YET = ()  # themes (or beginnings of names) of what is not built yet


def all_tests():
    for file in sorted(pathlib.Path(__file__).resolve().parent.glob("test_*.py")):
        theme = file.stem[5:]
        module = importlib.import_module(file.stem)
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                yield f"{theme}: {name[5:].replace('_', ' ')}", function


def run_one(options, name, function):
    began = time.monotonic()
    bench = harness.Bench(options.binary, options.homeserver, function.__name__[5:])
    outcome, detail = "passed", ""
    try:
        function(bench)
    except harness.Skip as e:
        outcome, detail = "skipped", str(e)
    except BaseException:  # a failed test of any kind is a line, not the end
        outcome, detail = "failed", traceback.format_exc(limit=-6) + bench.last_words()
    try:
        bench.close()
    except BaseException:
        outcome, detail = "failed", detail + traceback.format_exc(limit=-3)
    note = "".join(f" [{n}]" for n in bench.notes)
    line = f"{outcome:7} {time.monotonic() - began:5.1f} s  {name}{note}"
    if outcome == "skipped":
        line += f" ({detail})"
    elif detail:
        line += "\n" + detail
    return outcome, line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--homeserver", type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("-k", dest="words", default="", help="only tests whose name contains this")
    parser.add_argument("--jobs", type=int, default=2, choices=(1, 2))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--all", action="store_true", help="also what is not built yet")
    options = parser.parse_args()
    chosen = [(n, f) for n, f in all_tests() if (options.words in n or options.words in f.__name__)
              and (options.all or not n.startswith(NOT_YET))]
    if options.list:
        print("\n".join(n for n, _ in chosen))
        return 0
    count = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run_one, options, n, f) for n, f in chosen]
        for done in concurrent.futures.as_completed(running):
            outcome, line = done.result()
            count[outcome] += 1
            print(line, flush=True)
    print(f"{count['passed']} passed, {count['failed']} failed"
          + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 1 if count["failed"] or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
