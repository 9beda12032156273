// What an agent's answer is made of, as matrix-js-sdk understands it: a silent draft, edits, one loud
// final edit; threads; files.

import { need, refused, say, sdk, when } from "./lib.mjs";

const { PushProcessor } = await import("matrix-js-sdk/lib/pushprocessor.js");

/// The bodies that the router sends. `original`: the draft's event id.
export const draft = (body) => ({ msgtype: "m.notice", body, "m.mentions": {} });
export const progress = (original, body) => ({
  msgtype: "m.notice", body: `* ${body}`, "m.mentions": {},
  "m.new_content": { msgtype: "m.notice", body, "m.mentions": {} },
  "m.relates_to": { rel_type: "m.replace", event_id: original },
});
export const final = (original, body, asker) => {
  const content = {
    msgtype: "m.text", body, format: "org.matrix.custom.html", formatted_body: `<p>${body}</p>`,
    "m.mentions": { user_ids: [asker] },
  };
  return {
    ...content, body: `* ${body}`, formatted_body: `* <p>${body}</p>`, "m.new_content": content,
    "m.relates_to": { rel_type: "m.replace", event_id: original },
  };
};

/// The event in the other's timeline once it has come by sync.
async function arrived(bot, reader, room, content) {
  const marked = { ...content, "io.patchbay.test": `${Math.random()}` };
  const seen = when(reader, sdk.RoomEvent.Timeline,
    (e, r, toStart) => r?.roomId === room && !toStart && e.event.content["io.patchbay.test"] === marked["io.patchbay.test"]);
  await bot.sendMessage(room, marked);
  return (await seen)[0];
}

const counts = (reader, room) => ["total", "highlight"].map((kind) => reader.getRoom(room).getUnreadNotificationCount(kind) ?? 0);

/// Rules as older servers have them: without the ids in `missing`.
const without = (rules, ...missing) => ({
  global: Object.fromEntries(Object.entries(rules.global).map(
    ([kind, list]) => [kind, list.filter((r) => !missing.includes(r.rule_id.slice(".m.rule.".length)))])),
});

/// Draft, progress and final edit under the push rules of this server and of older ones.
///
/// 1.9 and later: the draft is silent (suppress_notices), so is each progress edit, the final edit notifies with
/// a highlight (is_user_mention stands before suppress_edits).
/// 1.7 and 1.8 have is_user_mention and no suppress_edits: the same.
/// Before 1.7 (Synapse 1.67) there is neither: the final edit is an m.text like any other; it notifies
/// wherever messages notify (in a room of two with a sound), without a highlight.
/// Without is_user_mention on a server that has suppress_edits (a person who switched it off): the final edit
/// stays silent. There a final has to be a message of its own, which the last check shows.
export async function pushRules(bot, alice, id) {
  say("push rules");
  const processor = new PushProcessor(alice);
  const served = await alice.getPushRules();
  need(served.global.override.at(-1).rule_id === ".m.rule.suppress_edits", "the rules end with suppress_edits");
  need(alice.pushRules.global.override.some((r) => r.rule_id === ".m.rule.is_user_mention"), "sync has brought them");
  const one = await arrived(bot, alice, id, draft("working…"));
  const root = one.getId();
  await alice.sendReadReceipt(one);
  const more = await arrived(bot, alice, id, progress(root, "partial…"));
  const last = await arrived(bot, alice, id, final(root, "answer", alice.getUserId()));
  const said = (event, rules = served) => {
    const found = processor.pushActionsForEventAndRulesets(event, rules);
    return `${found.rule?.rule_id.slice(8)} ${found.actions?.notify ? "notifies" : "silent"}${found.actions?.tweaks.highlight ? " loudly" : ""}`;
  };
  // As it came: by now the library shows the final text in its place.
  need(said(new sdk.MatrixEvent(one.event)) === "suppress_notices silent", "a draft notifies nobody");
  need(said(more) === "suppress_notices silent", "nor does a progress edit", said(more));
  need(said(last) === "is_user_mention notifies loudly", "the final edit notifies the asker", said(last));
  const quiet = await arrived(bot, alice, id, { ...final(root, "answer", alice.getUserId()), "m.mentions": {} });
  need(said(quiet) === "suppress_edits silent", "an edit without a mention is silent", said(quiet));

  const older = without(served, "suppress_edits");
  need(said(last, older) === "is_user_mention notifies loudly" && said(more, older) === "suppress_notices silent",
    "rules of 1.7 and 1.8: the same");
  const oldest = without(served, "suppress_edits", "is_user_mention", "is_room_mention");
  need(said(last, oldest) === "room_one_to_one notifies" && said(more, oldest) === "suppress_notices silent",
    "rules before 1.7: the final edit notifies like any message, without a highlight", said(last, oldest));
  const muted = without(served, "is_user_mention");
  need(said(last, muted) === "suppress_edits silent", "without is_user_mention the final edit is silent", said(last, muted));
  const own = await arrived(bot, alice, id, final(root, "answer", alice.getUserId())["m.new_content"]);
  need(said(own, muted) === "room_one_to_one notifies" && said(own) === "is_user_mention notifies loudly",
    "a final of its own notifies under both");
}

export async function edits(bot, alice, id) {
  say("edits");
  const one = await arrived(bot, alice, id, draft("working…"));
  const root = one.getId();
  await alice.sendReadReceipt(one);
  const shown = when(alice, sdk.MatrixEventEvent.Replaced, (e) => e.getId() === root && e.getContent().body === "answer");
  await bot.sendMessage(id, progress(root, "partial…"));
  await bot.sendMessage(id, progress(root, "partial and more…"));
  const { event_id: last } = await bot.sendMessage(id, final(root, "answer", alice.getUserId()));
  await shown;
  need(one.getContent().msgtype === "m.text" && one.getContent().formatted_body === "<p>answer</p>", "the final edit replaces all");
  if (counts(alice, id)[1] !== 1)
    await when(alice, sdk.RoomEvent.UnreadNotifications, () => counts(alice, id)[1] === 1);
  need(counts(alice, id).join() === "1,1", "the server counts one notification, a highlight", counts(alice, id));
  const raw = await alice.fetchRoomEvent(id, root);
  need(raw.unsigned["m.relations"]["m.replace"].event_id === last, "the server names the newest edit");
  need(raw.content.body === "working…", "and leaves the original as it was");
  const found = await alice.relations(id, root, "m.replace", "m.room.message");
  need(found.events.length === 3, "every edit is found by its relation", found.events.length);

  // What may not replace does not, and is no error.
  const foreign = when(bot, sdk.RoomEvent.Timeline, (e) => e.event.content.body === "* hers");
  await alice.sendMessage(id, { ...progress(root, "hers"), msgtype: "m.text" });
  await foreign;
  need((await alice.fetchRoomEvent(id, root)).unsigned["m.relations"]["m.replace"].event_id === last, "nobody edits for another");
  await bot.redactEvent(id, last);
  const before = await alice.fetchRoomEvent(id, root);
  need(before.unsigned["m.relations"]["m.replace"].content["m.new_content"].body === "partial and more…",
    "a redacted edit gives way to the one before");
  const key = { "m.relates_to": { rel_type: "m.annotation", event_id: root, key: "✅" } };
  const { event_id: tick } = await alice.sendEvent(id, "m.reaction", key);
  await refused(alice.sendEvent(id, "m.reaction", key), "M_DUPLICATE_ANNOTATION", "a reaction comes once");
  await alice.redactEvent(id, tick);
  await alice.sendEvent(id, "m.reaction", key);
  need(true, "and again after it was taken back");
}

export async function threads(bot, alice, id) {
  say("threads");
  const { event_id: root } = await alice.sendTextMessage(id, "a thread begins");
  const inThread = (body) => ({
    msgtype: "m.text", body,
    "m.relates_to": { rel_type: "m.thread", event_id: root, is_falling_back: true, "m.in_reply_to": { event_id: root } },
  });
  await bot.sendMessage(id, inThread("one"));
  const { event_id: last } = await bot.sendMessage(id, inThread("two"));
  const summary = (await alice.fetchRoomEvent(id, root)).unsigned["m.relations"]["m.thread"];
  need(summary.count === 2 && summary.latest_event.event_id === last && summary.current_user_participated === true,
    "a thread is summed up at its root", summary);
  const listed = await alice.http.authedRequest("GET", `/rooms/${encodeURIComponent(id)}/threads`, undefined, undefined,
    { prefix: "/_matrix/client/v1" });
  need(listed.chunk[0].event_id === root, "and listed");
  const inside = await alice.relations(id, root, "m.thread");
  need(inside.events.map((e) => e.getContent().body).join() === "two,one", "its messages are found, newest first");
  await refused(bot.sendMessage(id, { ...inThread("nested"), "m.relates_to": { rel_type: "m.thread", event_id: last } }),
    "M_UNKNOWN", "no thread within a thread");
}

export async function files(bot, alice, id) {
  say("files");
  const size = 8 << 20;
  const data = new Uint8Array(size).map((_, i) => (i * 7) & 255);
  const { content_uri: uri } = await alice.uploadContent(new Blob([data], { type: "application/zip" }), { name: "big.zip", type: "application/zip" });
  const link = bot.mxcUrlToHttp(uri, undefined, undefined, undefined, false, true, true);
  const answer = await fetch(link, { headers: { Authorization: `Bearer ${bot.getAccessToken()}` } });
  const got = new Uint8Array(await answer.arrayBuffer());
  need(got.length === size && got.every((b, i) => b === data[i]), "a file of 8 MiB comes back as it went");
  need(answer.headers.get("content-disposition") === 'attachment; filename="big.zip"', "as an attachment with its name");
  need((await bot.getMediaConfig())["m.upload.size"] >= 64 << 20, "64 MiB are allowed");
  const seen = when(bot, sdk.RoomEvent.Timeline, (e, r) => r?.roomId === id && e.getContent().url === uri);
  await alice.sendMessage(id, { msgtype: "m.file", body: "the archive", filename: "big.zip", url: uri, info: { size, mimetype: "application/zip" } });
  need((await seen)[0].getContent().filename === "big.zip", "a caption and a file name are two things");
}
