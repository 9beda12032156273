"""A TCP proxy that does to one leg what networks do, switchable while it runs.

    proxy = FaultProxy("127.0.0.1", port)      # proxy.url, proxy.port
    proxy.become("cut", after=40)              # from now on, also for connections that are open
    proxy.become("clear")                      # as if nothing had been

What it can become:
    clear                 bytes pass
    cut after=N           N bytes of each answer, then a reset to both sides
    truncated after=N     N bytes of each answer, then a close in good order
    stall                 nothing moves any more, in neither direction; connections stay open
    half open             the far side is gone without a word: what is sent to it disappears
    trickle every=S       answers come a byte every S seconds
    doubled               each whole answer of HTTP comes twice in one piece
    reset                 every connection, new or open, is reset
    latency delay=S       S seconds in each direction
    clock seconds=S       the Date of answers of HTTP is S seconds off
"An answer" is what comes from the far side of one connection since the switch, or since it was opened.
`hits` counts connections that felt the fault."""
import asyncio
import contextlib
import email.utils
import re
import socket
import struct
import threading
import time

MODES = ("clear", "cut", "truncated", "stall", "half open", "trickle", "doubled", "reset", "latency", "clock")


def reset(writer):
    """Ends the connection with RST."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Pair:
    """A connection to us and ours to the far side."""

    def __init__(self, proxy, near, far):
        self.proxy, self.near, self.far = proxy, near, far  # each (reader, writer)
        self.passed, self.felt = 0, False

    async def run(self):
        ways = [asyncio.create_task(self.requests()), asyncio.create_task(self.answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
        finally:
            for way in ways:
                way.cancel()
            for _, writer in (self.near, self.far):
                writer.close()

    def feel(self):
        if not self.felt:
            self.felt = True
            self.proxy.hits += 1

    async def requests(self):
        while data := await self.near[0].read(65536):
            mode, how = self.proxy.mode, self.proxy.how
            if mode == "half open":
                self.feel()
                continue
            await self.proxy.while_stalled(self)
            if mode == "latency":
                await asyncio.sleep(how["delay"])
            self.far[1].write(data)
            await self.far[1].drain()

    async def answers(self):
        whole = b""
        while data := await self.far[0].read(65536):
            await self.proxy.while_stalled(self)
            mode, how = self.proxy.mode, self.proxy.how
            if mode == "half open":
                self.feel()
                continue
            if mode in ("cut", "truncated"):
                room = max(0, how["after"] - self.passed)
                self.passed += len(data)
                self.near[1].write(data[:room])
                if self.passed >= how["after"]:
                    self.feel()
                    with contextlib.suppress(OSError):
                        await self.near[1].drain()
                    if mode == "cut":
                        reset(self.near[1])
                        reset(self.far[1])
                    return
                continue
            if mode == "trickle":
                self.feel()
                for i, byte in enumerate(data):
                    if self.proxy.mode != "trickle":
                        self.near[1].write(data[i:])
                        break
                    self.near[1].write(bytes([byte]))
                    await asyncio.sleep(how["every"])
            elif mode == "doubled":
                whole += data
                while size := answer_size(whole):
                    self.feel()
                    self.near[1].write(whole[:size] * 2)
                    whole = whole[size:]
                continue
            else:
                if mode == "latency":
                    self.feel()
                    await asyncio.sleep(how["delay"])
                if mode == "clock":
                    self.feel()
                    date = email.utils.formatdate(time.time() + how["seconds"], usegmt=True)
                    data = re.sub(rb"(?i)\r\ndate: [^\r]*", b"\r\nDate: " + date.encode(), data, count=1)
                self.near[1].write(whole + data)
                whole = b""
            await self.near[1].drain()


def answer_size(data):
    """The length of the first answer with a Content-Length, once it is there as a whole."""
    head, mark, _ = data.partition(b"\r\n\r\n")
    if not mark:
        return 0
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    size = len(head) + 4 + (int(length[1]) if length else 0)
    return size if len(data) >= size else 0


class FaultProxy:
    def __init__(self, host, port):
        self.target, self.mode, self.how, self.hits, self.connections = (host, port), "clear", {}, 0, 0
        self.pairs, self.changed = set(), None
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve(started)), daemon=True)
        self.thread.start()
        started.wait(5)
        self.url = f"http://127.0.0.1:{self.port}"

    async def serve(self, started):
        self.loop, self.changed, self.ended = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self.take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await self.ended.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def take(self, reader, writer):
        self.connections += 1
        if self.mode == "reset":
            self.hits += 1
            return reset(writer)
        try:
            far = await asyncio.open_connection(*self.target)
        except OSError:
            return reset(writer)
        pair = Pair(self, (reader, writer), far)
        self.pairs.add(pair)
        try:
            await pair.run()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.pairs.discard(pair)

    async def while_stalled(self, pair):
        while self.mode == "stall":
            pair.feel()
            await self.changed.wait()

    def become(self, mode, **how):
        """Returns when the switch is made."""
        assert mode in MODES, mode
        asyncio.run_coroutine_threadsafe(self.switch(mode, how), self.loop).result(5)

    async def switch(self, mode, how):
        was = self.mode
        self.mode, self.how, self.hits = mode, how, 0
        self.changed.set()
        self.changed = asyncio.Event()
        for pair in list(self.pairs):
            pair.passed, pair.felt = 0, False
            # What disappeared in a half-open connection does not come back: its end is found out now.
            if mode == "reset" or was == "half open":
                self.hits += mode == "reset"
                reset(pair.near[1])
                reset(pair.far[1])

    def close(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join(5)
