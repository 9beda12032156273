"""A person whose client is matrix-nio: the same words as people.Person, another protocol stack."""
import asyncio
import io
import time

from harness import Skip, check
from people import Person, numbers

try:
    import nio
except ImportError:
    nio = None


class NioPerson(Person):
    """Keeps its timelines as people.Person does, but all that goes over the wire is nio's doing."""

    def __init__(self, t, url, name, password="a long password"):
        if nio is None:
            raise Skip("python3-matrix-nio is missing")
        self.url, self.since, self.password = url, None, password
        self.timelines, self.state, self.invites = {}, {}, {}
        self.loop = asyncio.new_event_loop()
        config = nio.AsyncClientConfig(encryption_enabled=False, request_timeout=20)
        self.client = self.wait(self._made(url, name, config))
        t.stack.callback(self.close)
        self.good(self.client.register(name, password, device_name="nio"), nio.RegisterResponse)
        self.id, self.token, self.device = self.client.user_id, self.client.access_token, self.client.device_id

    @staticmethod
    async def _made(url, name, config):
        return nio.AsyncClient(url, name, config=config)

    def move(self, url):
        self.url = self.client.homeserver = url

    def wait(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 60))

    def good(self, coroutine, kind):
        response = self.wait(coroutine)
        check(isinstance(response, kind), "nio got", response)
        return response

    def close(self):
        self.wait(self.client.close())
        self.loop.close()

    def sync(self, timeout=300):
        # A first sync with a time never used before is never answered from a cache.
        response = self.good(self.client.sync(timeout=timeout if self.since else 1 + next(numbers) % 900,
                                              since=self.since), nio.SyncResponse)
        self.since = response.next_batch
        for room, found in response.rooms.join.items():
            line = self.timelines.setdefault(room, [])
            events = [e.source for e in found.timeline.events]
            if found.timeline.limited:
                events = self.missing(room, found.timeline.prev_batch, line) + events
            known = {e["event_id"] for e in line}
            line.extend(e for e in events if e["event_id"] not in known)
            for e in [e.source for e in found.state] + events:
                if "state_key" in e:
                    self.state.setdefault(room, {})[e["type"], e["state_key"]] = e
            self.invites.pop(room, None)
        for room, found in response.rooms.invite.items():
            self.invites[room] = [e.source for e in found.invite_state]

    def missing(self, room, before, line):
        known, found = {e["event_id"] for e in line}, []
        while before:
            page = self.good(self.client.room_messages(room, before, limit=100), nio.RoomMessagesResponse)
            new = [e.source for e in page.chunk if e.source["event_id"] not in known]
            found += new
            before = page.end if new else None
        return found[::-1]

    def invite(self, bot, **more):
        return self.good(self.client.room_create(is_direct=True, invite=[bot],
                                                 preset=nio.RoomPreset.trusted_private_chat, **more),
                         nio.RoomCreateResponse).room_id

    def join(self, room):
        self.good(self.client.join(room), nio.JoinResponse)

    def event(self, room, content, kind="m.room.message"):
        return self.good(self.client.room_send(room, kind, content, tx_id=f"n{next(numbers)}.{time.time_ns()}"),
                         nio.RoomSendResponse).event_id

    def get_state(self, room, kind, key=""):
        return self.good(self.client.room_get_state_event(room, kind, key), nio.RoomGetStateEventResponse).content

    def redact(self, room, event):
        return self.good(self.client.room_redact(room, event), nio.RoomRedactResponse).event_id

    def upload(self, data, name, kind):
        response, _ = self.wait(self.client.upload(io.BytesIO(data), content_type=kind, filename=name,
                                                   filesize=len(data)))
        check(isinstance(response, nio.UploadResponse), "nio got", response)
        return response.content_uri
