"""Every request of our own client, and every answer to it, against the specification's OpenAPI files."""
import pathlib
import subprocess
import sys

from harness import Skip, check, eventually, same
from people import World

VALIDATOR = pathlib.Path(__file__).resolve().parent.parent / "foreign" / "openapi.py"


def test_the_routers_own_traffic_fits_the_specification(t):
    record = t.dir / "traffic.jsonl"
    w = World(t, homeserver=t.homeserver("--record", str(record)))
    alice, chat = w.person()
    for text in ("hello", "!help", "!clear", "after the clear", "sleep 1", "error E1"):
        alice.ask(chat, text, ("final", "notice", "reply"))
    alice.new_chat(chat, "Second")
    w.router.kill()
    w.again()  # another start: whoami, filter, a sync with a position
    alice.ask(chat, "and again")
    eventually("a receipt was sent", lambda: "/receipt/m.read/" in record.read_text(encoding="utf-8"))
    same(w.router.stop(), 0)
    done = subprocess.run([sys.executable, str(VALIDATOR), str(record)], capture_output=True, text=True,
                          timeout=120, check=False)
    if done.stdout.startswith("skipped"):
        raise Skip(done.stdout.strip())
    same(done.returncode, 0, done.stdout[-3000:] + done.stderr[-1000:])
    traffic = record.read_text(encoding="utf-8")
    for part in ("/sync", "/createRoom", "/send/m.room.message/", "/state/m.space.child/", "/join/", "/filter",
                 "/account/whoami", "/state/io.patchbay.chat"):
        check(part in traffic, "the record has no", part)
