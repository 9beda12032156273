#!/usr/bin/python3
"""matrix-nio as a judge of the development homeserver: it knows the protocol, not our server.

    nio_client.py http://127.0.0.1:PORT
"""

import asyncio
import io
import json
import sys
from urllib.parse import quote

try:
    import nio
    from nio import AsyncClient, AsyncClientConfig, MessageDirection
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)


def need(condition, what, *detail):
    if not condition:
        raise AssertionError(f"{what} {' '.join(repr(d) for d in detail)}")
    print(f"  {what}")


def good(response, kind):
    need(isinstance(response, kind), f"{kind.__name__}", *([] if isinstance(response, kind) else [response]))
    return response


async def person(url, name):
    client = AsyncClient(url, name, config=AsyncClientConfig(encryption_enabled=False, request_timeout=20))
    good(await client.register(name, f"pw-{name}", device_name="nio"), nio.RegisterResponse)
    return client


async def sync(client, **more):
    return good(await client.sync(timeout=2000, **more), nio.SyncResponse)


def bodies(events):
    return [e.body for e in events if isinstance(e, nio.RoomMessageText)]


async def say(client, room, text, txn=None):
    content = {"msgtype": "m.text", "body": text}
    return good(await client.room_send(room, "m.room.message", content, tx_id=txn), nio.RoomSendResponse).event_id


async def story(url):
    bot, alice = await person(url, "nio_bot"), await person(url, "nio_alice")
    try:
        await accounts(url, bot)
        await sync(bot, full_state=True)
        await sync(alice, full_state=True)
        room = await rooms(bot, alice)
        await messages(bot, alice, room)
        await conversation(bot, alice, room)
        await media(bot, alice, room)
        await leaving(bot, alice, room)
    finally:
        await bot.close()
        await alice.close()


async def accounts(url, bot):
    print("accounts")
    again = AsyncClient(url, bot.user_id, config=AsyncClientConfig(encryption_enabled=False))
    try:
        need(isinstance(await again.login("wrong"), nio.LoginError), "a wrong password is refused")
        good(await again.login("pw-nio_bot", device_name="second"), nio.LoginResponse)
        need(again.user_id == bot.user_id and again.device_id != bot.device_id, "a login makes a device of its own")
        devices = good(await again.devices(), nio.DevicesResponse).devices
        need(len(devices) == 2, "both devices are listed")
        whoami = good(await again.whoami(), nio.responses.WhoamiResponse)
        need(whoami.user_id == bot.user_id, "whoami names the user")
        good(await again.logout(), nio.LogoutResponse)
    finally:
        await again.close()
    good(await bot.set_displayname("The bot"), nio.ProfileSetDisplayNameResponse)
    need(good(await bot.get_displayname(), nio.ProfileGetDisplayNameResponse).displayname == "The bot", "display name")
    good(await bot.set_presence("online", "here"), nio.PresenceSetResponse)


async def rooms(bot, alice):
    print("rooms")
    space = good(await bot.room_create(name="Agents", space=True, invite=[alice.user_id]), nio.RoomCreateResponse).room_id
    created = await bot.room_create(
        name="Chat 1", topic="about", invite=[alice.user_id],
        initial_state=[{"type": "io.patchbay.chat", "state_key": "", "content": {"owner": alice.user_id}}])
    room = good(created, nio.RoomCreateResponse).room_id
    good(await bot.room_put_state(space, "m.space.child", {"via": ["localhost"]}, state_key=room), nio.RoomPutStateResponse)
    invited = await sync(alice)
    need(room in invited.rooms.invite and room in alice.invited_rooms, "the invitation arrives")
    need(alice.invited_rooms[room].inviter == bot.user_id, "it names the inviter")
    need(alice.invited_rooms[room].name == "Chat 1", "and the room")
    good(await alice.join(room), nio.JoinResponse)
    good(await alice.join(space), nio.JoinResponse)
    await sync(alice)
    await sync(bot)
    need(bot.rooms[room].name == "Chat 1" and bot.rooms[room].topic == "about", "name and topic")
    need(set(bot.rooms[room].users) == {bot.user_id, alice.user_id}, "members by sync")
    need(bot.rooms[room].power_levels.can_user_send_message(alice.user_id), "levels let everybody write")
    members = good(await bot.joined_members(room), nio.JoinedMembersResponse).members
    need(len(members) == 2, "members by request")
    need(room in good(await alice.joined_rooms(), nio.JoinedRoomsResponse).rooms, "joined rooms")
    state = good(await alice.room_get_state(room), nio.RoomGetStateResponse).events
    need(any(e["type"] == "io.patchbay.chat" for e in state), "state has the marker")
    marker = good(await alice.room_get_state_event(room, "io.patchbay.chat"), nio.RoomGetStateEventResponse)
    need(marker.content == {"owner": alice.user_id}, "one state event")
    need(isinstance(await alice.room_put_state(room, "m.room.name", {"name": "no"}), nio.RoomPutStateError),
         "a guest cannot rename")
    good(await bot.room_put_alias("#nio-chat:localhost", room), nio.RoomPutAliasResponse)
    resolved = good(await alice.room_resolve_alias("#nio-chat:localhost"), nio.RoomResolveAliasResponse)
    need(resolved.room_id == room, "an alias leads to the room")
    return room


async def messages(bot, alice, room):
    print("messages")
    waiting = asyncio.ensure_future(bot.sync(timeout=20000))
    await asyncio.sleep(0.2)
    first = await say(alice, room, "hello, agent", "t1")
    told = good(await asyncio.wait_for(waiting, 10), nio.SyncResponse)
    need(bodies(told.rooms.join[room].timeline.events) == ["hello, agent"], "a long poll brings the message")
    need(await say(alice, room, "hello, agent", "t1") == first, "the same transaction is the same event")
    good(await bot.room_typing(room, True, 5000), nio.RoomTypingResponse)
    good(await bot.update_receipt_marker(room, first), nio.UpdateReceiptMarkerResponse)
    good(await bot.room_read_markers(room, first, first), nio.RoomReadMarkersResponse)
    seen = await sync(alice)
    need(any(isinstance(e, nio.TypingNoticeEvent) and bot.user_id in e.users for e in seen.rooms.join[room].ephemeral),
         "typing is seen")
    need(any(isinstance(e, nio.ReceiptEvent) and e.receipts[0].event_id == first for e in seen.rooms.join[room].ephemeral),
         "the receipt is seen")
    answer = await say(bot, room, "thinking")
    edit = await bot.room_send(room, "m.room.message", {
        "msgtype": "m.text", "body": "* done", "m.new_content": {"msgtype": "m.text", "body": "done"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": answer}})
    good(edit, nio.RoomSendResponse)
    edited = (await sync(alice)).rooms.join[room].timeline.events[-1]
    need(edited.source["content"]["m.relates_to"]["event_id"] == answer, "an edit names its original")
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": answer, "key": "👍"}}
    good(await alice.room_send(room, "m.reaction", reaction), nio.RoomSendResponse)
    need(isinstance(await alice.room_send(room, "m.reaction", reaction), nio.RoomSendError), "a reaction comes once")
    big = await bot.room_send(room, "m.room.message", {"msgtype": "m.text", "body": "x" * 70000})
    need(isinstance(big, nio.RoomSendError) and big.status_code == "M_TOO_LARGE", "a large event is refused")
    oops = await say(alice, room, "oops")
    good(await alice.room_redact(room, oops, "typo"), nio.RoomRedactResponse)
    gone = good(await bot.room_get_event(room, oops), nio.RoomGetEventResponse)
    need(isinstance(gone.event, nio.RedactedEvent) and gone.event.reason == "typo", "a redacted event is empty")
    around = good(await bot.room_context(room, first, limit=4), nio.RoomContextResponse)
    need(around.event.event_id == first, "an event with its surroundings")
    await paging(bot, alice, room)


async def paging(bot, alice, room):
    await sync(bot)
    for i in range(40):
        await say(alice, room, f"line {i}")
    gap = (await sync(bot)).rooms.join[room].timeline
    need(gap.limited and bodies(gap.events) == [f"line {i}" for i in range(30, 40)], "a gap is limited")
    lines, token, pages = [], gap.prev_batch, 0
    while token and pages < 50:
        page = good(await bot.room_messages(room, token, limit=7), nio.RoomMessagesResponse)
        lines += bodies(page.chunk)
        token, pages = page.end, pages + 1
    lines = [line for line in lines if line.startswith("line ")]
    need(lines == [f"line {i}" for i in reversed(range(30))], "paging back fills the gap in order")
    forward = await alice.room_messages(room, "s0", direction=MessageDirection.front, limit=3)
    need(len(good(forward, nio.RoomMessagesResponse).chunk) == 3, "paging forward from the start")
    made = await bot.upload_filter(room={"timeline": {"limit": 2, "types": ["m.room.message"]}})
    good(made, nio.UploadFilterResponse)
    for i in range(3):
        await say(alice, room, f"more {i}")
    few = (await sync(bot, sync_filter=made.filter_id)).rooms.join[room].timeline
    need(few.limited and bodies(few.events) == ["more 1", "more 2"], "a stored filter limits the timeline")


async def conversation(bot, alice, room):
    """An answer as a silent draft, edits and one final edit; a thread; reactions and redactions."""
    print("conversation")
    await sync(alice)

    async def send(who, content, kind="m.room.message"):
        return good(await who.room_send(room, kind, content), nio.RoomSendResponse).event_id

    async def raw(who, path):
        response = await who.send("GET", path, headers={"Authorization": f"Bearer {who.access_token}"})
        need(response.status == 200, f"GET {path.split('/')[4]}")
        return json.loads(await response.read())

    draft = await send(bot, {"msgtype": "m.notice", "body": "working…", "m.mentions": {}})
    edit = {"rel_type": "m.replace", "event_id": draft}
    await send(bot, {"msgtype": "m.notice", "body": "* partial…", "m.mentions": {}, "m.relates_to": edit,
                     "m.new_content": {"msgtype": "m.notice", "body": "partial…", "m.mentions": {}}})
    asker = {"user_ids": [alice.user_id]}
    final = await send(bot, {"msgtype": "m.text", "body": "* answer", "m.mentions": asker, "m.relates_to": edit,
                             "m.new_content": {"msgtype": "m.text", "body": "answer", "m.mentions": asker}})
    seen = (await sync(alice)).rooms.join[room]
    need([type(e).__name__ for e in seen.timeline.events] == ["RoomMessageNotice", "RoomMessageNotice", "RoomMessageText"],
         "draft and progress are notices, the final edit a text")
    need(seen.unread_notifications.highlight_count == 1
         and seen.timeline.events[0].source["unsigned"]["m.relations"]["m.replace"]["event_id"] == final,
         "the final edit counts, and comes with the draft")
    where = f"/_matrix/client/v1/rooms/{quote(room)}"
    found = await raw(alice, f"{where}/relations/{quote(draft)}/m.replace/m.room.message")
    need(len(found["chunk"]) == 2 and found["chunk"][0]["event_id"] == final, "both edits by relation, newest first")

    thread = {"rel_type": "m.thread", "event_id": draft, "is_falling_back": True, "m.in_reply_to": {"event_id": draft}}
    asked = await send(alice, {"msgtype": "m.text", "body": "more?", "m.relates_to": thread})
    need((await raw(bot, f"{where}/threads"))["chunk"][0]["event_id"] == draft, "a thread is listed")
    tick = await send(alice, {"m.relates_to": {"rel_type": "m.annotation", "event_id": final, "key": "✅"}}, "m.reaction")
    good(await alice.room_redact(room, tick), nio.RoomRedactResponse)
    good(await alice.room_redact(room, asked, "never mind"), nio.RoomRedactResponse)
    gone = [e.redacts for e in (await sync(bot)).rooms.join[room].timeline.events if isinstance(e, nio.RedactionEvent)]
    need(gone == [tick, asked], "redactions of a reaction and of a message arrive in order")
    need(not (await raw(bot, f"{where}/threads"))["chunk"], "a redacted reply is no thread any more")
    refused = await alice.room_put_state(room, "m.room.member", {"membership": "invite"}, state_key=bot.user_id)
    need(isinstance(refused, nio.RoomPutStateError) and refused.status_code == "M_FORBIDDEN",
         "nobody is invited who is there")
    rules = (await raw(alice, "/_matrix/client/v3/pushrules/"))["global"]
    need([len(rules[kind]) for kind in ("override", "content", "underride")] == [12, 1, 5], "the push rules")


async def media(bot, alice, room):
    print("media")
    need(good(await bot.content_repository_config(), nio.ContentRepositoryConfigResponse).upload_size > 1 << 20,
         "the limit is told")
    data = bytes(range(256)) * 40
    up, _ = await bot.upload(io.BytesIO(data), content_type="application/pdf", filename="report.pdf", filesize=len(data))
    uri = good(up, nio.UploadResponse).content_uri
    need(uri.startswith("mxc://"), "an upload has an address")
    server, identifier = uri[6:].split("/")
    down = good(await alice.download(server_name=server, media_id=identifier), nio.DownloadResponse)
    need(down.body == data and down.content_type == "application/pdf" and down.filename == "report.pdf",
         "a download gives the bytes, the type, the name")
    need(isinstance(await alice.download(server_name=server, media_id="none"), nio.DownloadError), "an unknown file is an error")
    await bot.room_send(room, "m.room.message", {"msgtype": "m.file", "body": "report.pdf", "url": uri,
                                                 "info": {"size": len(data), "mimetype": "application/pdf"}})
    event = (await sync(alice)).rooms.join[room].timeline.events[-1]
    need(isinstance(event, nio.RoomMessageFile) and event.url == uri, "a file message arrives")
    data = b"\x00\xff" * (4 << 20)
    up, _ = await alice.upload(io.BytesIO(data), content_type="text/html", filename="отчёт.html", filesize=len(data))
    server, identifier = good(up, nio.UploadResponse).content_uri[6:].split("/")
    down = good(await bot.download(server_name=server, media_id=identifier), nio.DownloadResponse)
    need(down.body == data and down.filename == "отчёт.html", "8 MiB with a Russian name come back")


async def leaving(bot, alice, room):
    print("leaving")
    good(await bot.room_kick(room, alice.user_id, "bye"), nio.RoomKickResponse)
    left = await sync(alice)
    event = left.rooms.leave[room].timeline.events[-1]
    need(event.membership == "leave" and event.sender == bot.user_id, "a kick is seen as leaving, by the other")
    need(isinstance(await alice.join(room), nio.JoinError), "no way back without an invitation")
    good(await bot.room_invite(room, alice.user_id), nio.RoomInviteResponse)
    good(await alice.join(room), nio.JoinResponse)
    good(await bot.room_ban(room, alice.user_id), nio.RoomBanResponse)
    good(await bot.room_unban(room, alice.user_id), nio.RoomUnbanResponse)
    good(await alice.room_forget(room), nio.RoomForgetResponse)
    good(await bot.room_leave(room), nio.RoomLeaveResponse)
    token = bot.access_token
    good(await bot.logout(), nio.LogoutResponse)
    bot.access_token = token
    refused = await bot.sync(timeout=0)
    need(isinstance(refused, nio.SyncError) and refused.status_code == "M_UNKNOWN_TOKEN", "no sync after logout")


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 64
    print(f"matrix-nio against {sys.argv[1]}")
    asyncio.run(asyncio.wait_for(story(sys.argv[1]), 120))
    print("matrix-nio: all good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
