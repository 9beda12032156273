// matrix-js-sdk as a judge of the development homeserver: it knows the protocol, not our server.
//   node client.mjs http://127.0.0.1:PORT

import { logIn, need, person, refused, run, say, sdk, start, when } from "./lib.mjs";
import { edits, files, pushRules, threads } from "./conversation.mjs";

const url = process.argv[2];
if (!url) {
  process.stderr.write("usage: node client.mjs URL\n");
  process.exit(64);
}

async function rooms(bot, alice) {
  say("rooms");
  const invited = when(alice, sdk.RoomEvent.MyMembership, (room, membership) => membership === "invite");
  const { room_id: id } = await bot.createRoom({
    name: "Chat 1", topic: "about", invite: [alice.getUserId()], preset: sdk.Preset.PrivateChat,
    initial_state: [{ type: "io.patchbay.chat", state_key: "", content: { owner: alice.getUserId() } }],
  });
  const [room] = await invited;
  need(room.roomId === id && room.name === "Chat 1", "the invitation arrives with the name");
  await alice.joinRoom(id);
  if (alice.getRoom(id)?.getMyMembership() !== "join")
    await when(alice, sdk.RoomEvent.MyMembership, (r, membership) => r.roomId === id && membership === "join");
  need(alice.getRoom(id).currentState.getStateEvents("io.patchbay.chat", "").getContent().owner === alice.getUserId(),
    "state comes with the join");
  await alice.getRoom(id).loadMembersIfNeeded();
  need(alice.getRoom(id).getJoinedMembers().length === 2, "members load lazily");
  await refused(alice.setRoomName(id, "mine"), "M_FORBIDDEN", "a guest cannot rename");
  const renamed = when(alice, sdk.RoomStateEvent.Events, (e) => e.getType() === "m.room.name" && e.getContent().name === "Renamed");
  await bot.setRoomName(id, "Renamed");
  await renamed;
  need(alice.getRoom(id).name === "Renamed", "a rename arrives");

  const { room_id: space } = await bot.createRoom({ name: "Agents", creation_content: { type: "m.space" } });
  await bot.sendStateEvent(space, "m.space.child", { via: ["localhost"] }, id);
  const tree = await bot.getRoomHierarchy(space, 50);
  need(tree.rooms.length === 2 && tree.rooms[0].room_type === "m.space", "the Space has its room");
  need((await alice.getJoinedRooms()).joined_rooms.includes(id), "joined rooms");
  need(Object.keys((await alice.getJoinedRoomMembers(id)).joined).length === 2, "joined members");
  return id;
}

async function messages(bot, alice, id) {
  say("messages");
  const arrives = (client, text) => when(client, sdk.RoomEvent.Timeline,
    (e, room, toStart) => room?.roomId === id && !toStart && e.getContent().body === text);
  let seen = arrives(bot, "hello, agent");
  const { event_id: first } = await alice.sendTextMessage(id, "hello, agent");
  const [event] = await seen;
  need(event.getId() === first && event.getSender() === alice.getUserId(), "a message arrives by sync");

  const typing = when(alice, sdk.ClientEvent.Event,
    (e) => e.getType() === "m.typing" && e.getContent().user_ids.includes(bot.getUserId()));
  await bot.sendTyping(id, true, 5000);
  await typing;
  const receipt = when(alice, sdk.RoomEvent.Receipt, (e, room) => room.roomId === id && room.hasUserReadEvent(bot.getUserId(), first));
  await bot.sendReadReceipt(event);
  await receipt;
  need(alice.getRoom(id).getMember(bot.getUserId()).typing, "typing and receipt are seen");

  const draft = arrives(alice, "thinking");
  const { event_id: answer } = await bot.sendMessage(id, { msgtype: "m.text", body: "thinking" });
  const [original] = await draft;
  const edited = when(alice, sdk.MatrixEventEvent.Replaced, (e) => e.getId() === answer);
  await bot.sendMessage(id, {
    msgtype: "m.text", body: "* done", "m.new_content": { msgtype: "m.text", body: "done" },
    "m.relates_to": { rel_type: "m.replace", event_id: answer },
  });
  await edited;
  need(original.getContent().body === "done", "an edit replaces the text");

  const reaction = { "m.relates_to": { rel_type: "m.annotation", event_id: answer, key: "👍" } };
  await alice.sendEvent(id, "m.reaction", reaction);
  await refused(alice.sendEvent(id, "m.reaction", reaction), "M_DUPLICATE_ANNOTATION", "a reaction comes once");

  seen = arrives(bot, "oops");
  const { event_id: oops } = await alice.sendTextMessage(id, "oops");
  const [wrong] = await seen;
  const redacted = when(bot.getRoom(id), sdk.RoomEvent.Redaction, (e, room) => room.roomId === id);
  await alice.redactEvent(id, oops);
  await redacted;
  need(wrong.isRedacted(), "a redaction empties the event");
  await refused(alice.sendTextMessage(id, "x".repeat(70_000)), "M_TOO_LARGE", "a large event is refused");
}

async function scrollback(bot, alice, id) {
  say("scrollback");
  alice.stopClient();
  for (let i = 0; i < 40; i++) await bot.sendTextMessage(id, `line ${i}`);
  // A device of its own: the first sync of the old one is cached for a while.
  const late = await logIn(url, "js_alice");
  await start(late);
  const room = late.getRoom(id);
  for (let i = 0; i < 20 && room.oldState.paginationToken; i++) await late.scrollback(room, 10);
  const lines = room.getLiveTimeline().getEvents().map((e) => e.getContent().body).filter((b) => b?.startsWith("line "));
  need(lines.length === 40 && lines.every((l, i) => l === `line ${i}`), "scrollback gives every line in order", lines);
  need(room.getLiveTimeline().getEvents()[0].getType() === "m.room.create", "and ends at the creation of the room");
  need(room.oldState.paginationToken === null, "the end is told");
  return late;
}

async function media(bot, alice, id) {
  say("media");
  const data = new TextEncoder().encode("report\n".repeat(1000));
  const { content_uri: uri } = await bot.uploadContent(new Blob([data], { type: "text/plain" }), { name: "отчёт.txt", type: "text/plain" });
  need(uri.startsWith("mxc://"), "an upload has an address");
  need((await bot.getMediaConfig())["m.upload.size"] > 1 << 20, "the limit is told");
  const link = alice.mxcUrlToHttp(uri, undefined, undefined, undefined, false, true, true);
  const answer = await fetch(link, { headers: { Authorization: `Bearer ${alice.getAccessToken()}` } });
  need(answer.status === 200 && (await answer.text()).length === data.length, "a download gives the bytes");
  need((await fetch(link)).status === 401, "not without a token");
  const seen = when(alice, sdk.RoomEvent.Timeline, (e, room) => room?.roomId === id && e.getContent().url === uri);
  await bot.sendMessage(id, { msgtype: "m.file", body: "отчёт.txt", url: uri, info: { size: data.length, mimetype: "text/plain" } });
  await seen;
}

async function leaving(bot, alice, id) {
  say("leaving");
  const data = when(alice, sdk.ClientEvent.AccountData, (e) => e.getType() === "io.patchbay.test");
  await alice.setAccountData("io.patchbay.test", { a: 1 });
  await data;
  await alice.setRoomTag(id, "m.favourite", { order: 0.5 });
  need("m.favourite" in (await alice.getRoomTags(id)).tags, "account data and tags");
  const out = when(alice, sdk.RoomEvent.MyMembership, (room, membership) => room.roomId === id && membership === "leave");
  await bot.kick(id, alice.getUserId(), "bye");
  await out;
  await alice.forget(id);
  await bot.leave(id);
  need(!(await bot.getJoinedRooms()).joined_rooms.includes(id), "kicked, left, forgotten");
  alice.stopClient();
  bot.stopClient();
  await bot.logout(true);
  await refused(bot.whoami(), "M_UNKNOWN_TOKEN", "no call after logout");
}

await run("matrix-js-sdk", 120, async () => {
  say(`matrix-js-sdk on node ${process.version} against ${url}`);
  const bot = await person(url, "js_bot");
  let alice = await person(url, "js_alice");
  await start(bot);
  await start(alice);
  const id = await rooms(bot, alice);
  await messages(bot, alice, id);
  await pushRules(bot, alice, id);
  await edits(bot, alice, id);
  await threads(bot, alice, id);
  alice = await scrollback(bot, alice, id);
  await media(bot, alice, id);
  await files(bot, alice, id);
  await leaving(bot, alice, id);
});
