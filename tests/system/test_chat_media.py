"""Files on the embedded homeserver, whatever the router makes of them."""
import pathlib

from harness import check, http, same, transfer
from people import Person


def resident(pid):
    """KiB of memory, at the peak."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(x for x in f if x.startswith("VmHWM")).split()[1])


def test_a_file_of_64_MiB_goes_in_comes_out_and_survives_a_restart(t):
    router = t.router()
    facts = router.ready()
    alice = Person(facts["homeserver"], "alice-files")
    limit = http("GET", alice.url + "/_matrix/client/v1/media/config", token=alice.token)[1]["m.upload.size"]
    same(limit, 64 << 20)
    data = bytes(range(251)) * (limit // 251) + bytes(limit % 251)
    same(len(data), limit)
    uri = alice.upload(data, "large.bin", "application/octet-stream")
    status, _, body = transfer("POST", alice.url + "/_matrix/media/v3/upload", data + b"x", alice.token)
    same(status, 413)
    check(b"M_TOO_LARGE" in body, body[:200])
    same(alice.download(uri), (data, "application/octet-stream", 'attachment; filename="large.bin"'))
    for _ in range(3):
        alice.download(uri)
    peak = resident(router.pid)
    # AddressSanitizer keeps what is freed for a while.
    sanitized = b"__asan_init" in pathlib.Path(t.binary).read_bytes()
    check(sanitized or peak < 400 << 10, "memory stays within a few files", peak)
    t.notes.append(f"peak {peak >> 10} MiB")
    same(router.stop(), 0)
    router = t.router()
    alice.url = router.ready()["homeserver"]
    check(alice.download(uri)[0] == data, "the same after a restart")
