"""SIGTERM while there is much to do, and when somebody hangs."""
import shutil
import signal
import subprocess
import time

from harness import Skip, check, eventually, same
from people import World

HANG = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* fdatasync and fsync hang for as long as the file named by HANG_WHILE is there, and write into it. */
static void rest(void) {
  const char* f = getenv("HANG_WHILE");
  FILE* felt = f && access(f, F_OK) == 0 ? fopen(f, "w") : 0;
  if (felt) { fputs("felt", felt); fclose(felt); }
  while (f && access(f, F_OK) == 0) usleep(20000);
}
int fdatasync(int fd) { rest(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
int fsync(int fd) { rest(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
"""


def test_sigterm_under_load_loses_nothing(t):
    drain = 2
    w = World(t, config=f"shutdown: {{drain: {drain}s}}\naccess: {{turns_per_minute: 0}}")
    alice, first = w.person()
    rooms = [first, alice.new_chat(first), alice.new_chat(first)]
    sent, longest = [], 0
    for turn in range(5):
        for n in range(18):
            room = rooms[n % 3]
            sent.append((room, alice.send(room, ("chunks 3", "drip 4 0.05", "echo x")[n % 3])))
        seen = w.router.metric("patchbay_outbox_sent_total")
        eventually("some progress", lambda: w.router.metric("patchbay_outbox_sent_total") >= seen + turn + 1)
        began = time.monotonic()
        same(w.router.stop(), 0, "exit code")
        longest = max(longest, time.monotonic() - began)
        check(longest < drain + 1, "it ends in time:", longest)
        w.again()
    for room, event in sent:
        body = alice.answer(room, event, seconds=40)["content"]["body"]
        check("stopped" not in body, "a short turn finishes within the drain:", body)
    for room in rooms:
        w.check_order(alice, room, [e for r, e in sent if r == room])
    for room, event in sent:
        same(len(alice.answers(room, event, ("final", "reply"))), 1, "answers to one message")
    given = [f["message_id"] for f in w.agent.frames()]
    same(len(given), len(set(given)), "the agent had each once")
    t.notes.append(f"longest stop {longest:.2f} s")


def test_agents_that_never_end_do_not_hold_up_the_stop(t):
    w = World(t, config="shutdown: {drain: 1s}")
    alice, first = w.person()
    second = alice.new_chat(first)
    asked = [(first, alice.send(first, "hang")), (second, alice.send(second, "deaf"))]
    eventually("both at work", lambda: len(w.agent.frames()) == 2)
    behind = alice.send(first, "echo behind")
    eventually("taken", lambda: w.router.metric("patchbay_inbox_events_total") >= 4)
    began = time.monotonic()
    same(w.router.stop(), 0, "exit code")
    check(1 <= time.monotonic() - began + 0.05 and time.monotonic() - began < 2, time.monotonic() - began)
    w.router.said("drain_overdue")
    w.again()
    for room, event in asked:
        body = alice.answer(room, event)["content"]["body"]
        check("stopped" in body and "again" in body, "told:", body)
        same(len(alice.answers(room, event, ("final", "reply"))), 1)
    same(alice.answer(first, behind)["content"]["body"], "behind")
    same(len(w.agent.frames()), 3, "nobody was asked twice")


def test_who_hangs_is_named(t):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang-14")
    if not compiler:
        raise Skip("needs a C compiler")
    source, library, flag = t.file("hang.c", HANG), t.dir / "hang.so", t.dir / "hang.now"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    w = World(t, config="shutdown: {drain: 1s}", env={"LD_PRELOAD": str(library), "HANG_WHILE": str(flag)})
    alice, chat = w.person()
    alice.ask(chat, "echo before")
    flag.write_text("")
    alice.send(chat, "echo never on disk")
    eventually("the disk hangs", flag.read_text)
    w.router.signal(signal.SIGTERM)
    line = w.router.said("stop_overdue", 20)
    check("persistence" in line, "the culprit is named:", line)
    same(w.router.wait(30), 70, "exit code of an end that was not clean")
    flag.unlink()
    w.again()
    same(alice.ask(chat, "echo after"), "after")
    same([f["text"] for f in w.agent.frames()], ["echo before", "echo never on disk", "echo after"])
