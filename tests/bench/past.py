"""The router's database as it was left: for the scenarios `restart` and `admission` of scripts/bench."""
import os
import re
import shutil
import sqlite3
import subprocess
import sys

# What the database of a restart may tell wrongly, and what the oracle has to call it.
LIES = {"nothing": (None, None),
        "an answered message is unfinished": (
            "UPDATE inbox SET outcome = NULL WHERE seq = 1", ("repeated", "doubled")),
        "an unfinished message is answered": (
            "UPDATE inbox SET outcome = 0 WHERE seq = (SELECT max(seq) FROM inbox)", ("lost",)),
        "an unfinished message is another room's": (
            "UPDATE inbox SET room = '!room1:bench', sender = '@person0:bench' "
            "WHERE seq = (SELECT max(seq) FROM inbox)", ("misrouted", "wrong"))}


def prepare_past(program, options, case, where):
    """The router's database: made once for a case, copied for each run, on disk before it begins."""
    made = options.pasts / f"{case.rooms}-{case.settled}-{case.unfinished}"
    if not made.exists():
        made.mkdir(mode=0o700)
        subprocess.run([program, "--database", made / "patchbay.db",
                        "--rooms", str(case.rooms), "--rooms-per-person", str(options.rooms_per_person),
                        "--agents", str(case.agents), "--bytes", str(options.bytes), "--settled",
                        str(case.settled), "--unfinished", str(case.unfinished)], check=True,
                       stdout=sys.stderr)
    shutil.copytree(made, where / "data")
    if case.damage:
        disk = sqlite3.connect(where / "data" / "patchbay.db")
        if disk.execute(case.damage).rowcount != 1:
            sys.exit("bench: the damage does not fit the database")
        disk.commit()
        disk.close()
    for path in (where / "data").iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            if case.cold:  # after that its pages are clean and may go
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def judge_walk(rooms, rooms_per_person, log):
    """Why the router's look at all rooms was not what it had to be, by its log; else nothing. The
    database is right, so there is nothing to restore or to repair."""
    rooms += (rooms + rooms_per_person - 1) // rooms_per_person  # a Space for each
    for line in log.read_text(errors="replace").splitlines():
        if "matrix_reconcile_complete" in line:
            numbers = {k: int(v) for k, v in re.findall(r'"?(\w+)"?[=:]\s*"?(\d+)\b', line)}
            wrong = {k: v for k, v in numbers.items()
                     if k == "joined_rooms" and v != rooms
                     or k.startswith(("restored_", "repaired_")) and v != 0}
            if "joined_rooms" not in numbers or wrong:
                return f"the walk over the rooms found what is not there: {wrong or line}"
            return None
    return "the walk over the rooms is not in the log"
