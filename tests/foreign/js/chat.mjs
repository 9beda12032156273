// A person with matrix-js-sdk in a chat of the router: what they see of one scenario.
//   node chat.mjs URL BOT NAME SCENARIO WORDS
// BOT: the router's user id. WORDS: JSON, what to write so that the agent does something, and what it then
// says (tests/system/test_chat_js.py).

import { need, person, run, say, sdk, start, when } from "./lib.mjs";

const { PushProcessor } = await import("matrix-js-sdk/lib/pushprocessor.js");
const [url, bot, name, scenario, given] = process.argv.slice(2);
if (!given) {
  process.stderr.write("usage: node chat.mjs URL BOT NAME SCENARIO WORDS\n");
  process.exit(64);
}
const words = JSON.parse(given);

const delivery = (e) => e.event.content?.["io.patchbay.delivery"] ?? e.event.content?.["m.new_content"]?.["io.patchbay.delivery"];
const isEdit = (e) => e.event.content?.["m.relates_to"]?.rel_type === "m.replace";

/// A person and what came in their rooms: every event in order, edits as events of their own.
class Human {
  events = [];

  async arrive() {
    this.client = await person(url, name);
    this.client.on(sdk.RoomEvent.Timeline, (e, room, toStart) => {
      if (!toStart && room && !e.status) this.events.push(e);
      this.#look();
    });
    this.client.on(sdk.MatrixEventEvent.Replaced, () => this.#look());
    this.client.on(sdk.RoomStateEvent.Events, () => this.#look());
    this.client.on(sdk.RoomEvent.MyMembership, (room, membership) => {
      if (membership === "invite") void this.client.joinRoom(room.roomId);
      this.#look();
    });
    await start(this.client);
    const { room_id: lobby } = await this.client.createRoom({ invite: [bot], is_direct: true, preset: sdk.Preset.TrustedPrivateChat });
    this.lobby = lobby;
    this.chat = await this.until("a first chat", () => this.rooms("io.patchbay.chat")[0]);
    this.space = await this.until("a Space", () => this.rooms("io.patchbay.space")[0]);
    await this.until("the bot", () => this.client.getRoom(this.chat).getMember(bot));
  }

  #waiting = new Set();
  #look() { for (const look of [...this.#waiting]) look(); }

  /// The first true value of `test`, asked again whenever something came.
  until(what, test, seconds = 20) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited in vain for: ${what}; there is ${JSON.stringify(this.trace(this.chat))}`));
      }, seconds * 1000);
      const look = () => {
        const value = test();
        if (!value) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(value);
      };
      this.#waiting.add(look);
      look();
    });
  }

  rooms(marker) {
    return this.client.getRooms().filter((r) => r.getMyMembership() === "join" && r.currentState.getStateEvents(marker, "")).map((r) => r.roomId);
  }
  marker(room = this.chat) { return this.client.getRoom(room).currentState.getStateEvents("io.patchbay.chat", "").getContent(); }

  async send(text, room = this.chat) { return (await this.client.sendTextMessage(room, text)).event_id; }

  /// Answers to one message as the library shows them, edits applied.
  answers(to, kinds = ["final", "reply"], room = this.chat) {
    return this.events.filter((e) => e.getRoomId() === room && e.getSender() === bot && !isEdit(e) &&
      e.event.content?.["m.relates_to"]?.["m.in_reply_to"]?.event_id === to &&
      kinds.includes((e.replacingEvent() ? delivery(e.replacingEvent()) : delivery(e))?.kind));
  }
  async answer(to, kinds, room) {
    return (await this.until(`an answer to ${to}`, () => this.answers(to, kinds, room)[0])).getContent();
  }
  async ask(text, room = this.chat) { return (await this.answer(await this.send(text, room), undefined, room)).body.trim(); }

  /// (kind, relation, text) in order; the text of drafts is left out, a run of draft edits is one.
  trace(room) {
    const lines = [];
    for (const e of this.events) {
      const kind = delivery(e)?.kind;
      if (e.getRoomId() !== room || e.getType() !== "m.room.message" || !kind) continue;
      const content = e.event.content;
      const line = [kind, isEdit(e) ? "edit" : content["m.relates_to"]?.rel_type === "m.thread" ? "thread" : "reply",
        kind === "draft" ? "…" : (content["m.new_content"] ?? content).body.trim()];
      if (kind !== "draft" || lines.at(-1)?.join() !== line.join()) lines.push(line);
    }
    return lines;
  }
}

const scenarios = {
  async onboarding(me) {
    need(me.client.getRoom(me.chat).name === "Chat 1", "the first chat has its name");
    need(me.client.getRoom(me.space).isSpaceRoom(), "the Space is one");
    await me.until("the chat in the Space", () =>
      me.client.getRoom(me.space).currentState.getStateEvents("m.space.child", me.chat)?.getContent().via);
    need(!me.client.getRoom(me.chat).canInvite(me.client.getUserId()), "members invite nobody");
    const tree = await me.client.getRoomHierarchy(me.space, 50);
    need(tree.rooms.length === 2, "the Space has one room", tree.rooms);
  },

  /// The draft grows in silence, the final edit notifies: by the library's own push processor.
  async streaming(me) {
    const processor = new PushProcessor(me.client);
    const typing = when(me.client, sdk.ClientEvent.Event, (e) => e.getType() === "m.typing" && e.getContent().user_ids.includes(bot));
    const asked = await me.send(words.stream);
    const content = await me.answer(asked, ["final"]);
    await typing;
    need(content.body.trim() === words.streamed, "the whole answer", content.body);
    const sent = me.events.filter((e) => e.getRoomId() === me.chat && delivery(e));
    const loud = sent.filter((e) => {
      const said = processor.pushActionsForEventAndRulesets(new sdk.MatrixEvent(e.event), me.client.pushRules);
      return said.actions?.notify;
    });
    need(JSON.stringify(me.trace(me.chat)) === JSON.stringify(
      [["draft", "reply", "…"], ["draft", "edit", "…"], ["final", "edit", words.streamed]]), "the golden trace", me.trace(me.chat));
    need(loud.length === 1 && loud[0] === sent.at(-1), "only the final edit notifies", loud.map((e) => e.event.content.body));
    const said = processor.pushActionsForEventAndRulesets(new sdk.MatrixEvent(loud[0].event), me.client.pushRules);
    need(said.rule.rule_id === ".m.rule.is_user_mention" && said.actions.tweaks.highlight, "because it mentions the asker");
    need(me.client.getRoom(me.chat).getUnreadNotificationCount("highlight") === 1, "the server counts it, too");
  },

  async confirmation_by_yes(me) {
    const asked = await me.send(words.confirm);
    await me.until("the prompt", () => me.events.find((e) => e.getContent().body?.includes(words.prompt)));
    await me.send("!yes");
    need((await me.answer(asked, ["final"])).body.trim() === words.yes, "the agent has the yes");
  },

  async confirmation_by_reaction(me) {
    const asked = await me.send(words.confirm);
    const prompt = await me.until("the prompt", () => me.events.find((e) => e.getContent().body?.includes(words.prompt)));
    await me.client.sendEvent(me.chat, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: prompt.getId(), key: "✅" } });
    need((await me.answer(asked, ["final"])).body.trim() === words.yes, "the agent has the yes");
    need(!me.events.some((e) => e.getType() === "m.reaction" && e.getSender() === bot), "the bot reacts to nothing");
  },

  async stop(me) {
    const asked = await me.send(words.hang);
    await me.until("the beginning", () => me.events.some((e) => e.getContent().body?.includes(words.hanging)));
    await me.send("!stop");
    const content = await me.answer(asked, ["final", "notice"]);
    need(content.body.startsWith(words.hanging) && content.body.length > words.hanging.length + 5, "the text stays, with a line", content.body);
    need(await me.ask(`${words.echo} next`) === "next", "the next message is answered");
  },

  async files(me) {
    const data = new TextEncoder().encode("a question in a file\n".repeat(50_000));
    const { content_uri: uri } = await me.client.uploadContent(new Blob([data]), { name: "вопрос.txt", type: "text/plain" });
    const { event_id: asked } = await me.client.sendMessage(me.chat, {
      msgtype: "m.file", body: "вопрос.txt", filename: "вопрос.txt", url: uri, info: { size: data.length, mimetype: "text/plain" },
    });
    need((await me.answer(asked, ["final"])).body.includes("вопрос.txt"), "the agent was told of the file");
    const wanted = await me.send(words.send_file);
    const file = await me.answer(wanted, ["file"]);
    const link = me.client.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true);
    const got = await fetch(link, { headers: { Authorization: `Bearer ${me.client.getAccessToken()}` } });
    need(got.status === 200 && await got.text() === words.sent_file && file.filename === "report.txt", "the agent's file comes whole");
  },

  async chats(me) {
    await me.send("!new Plans");
    const plans = await me.until("a new chat", () => me.rooms("io.patchbay.chat").find((r) => r !== me.chat));
    need(me.client.getRoom(plans).name === "Plans" && me.marker(plans).chat === "C2", "named and numbered");
    need((await me.ask("!chats")).includes("Plans"), "listed");
    await me.ask("!rename Plans for May", plans);
    await me.until("the new name", () => me.client.getRoom(plans).name === "Plans for May");
    const listed = () => me.client.getRoom(me.space).currentState.getStateEvents("m.space.child", plans)?.getContent().via;
    await me.ask("!archive", plans);
    await me.until("out of the Space", () => !listed());
    await me.ask("!restore C2");
    await me.until("back in the Space", () => listed() && me.marker(plans).state === "active");
    need(await me.ask(`${words.echo} here again`, plans) === "here again", "it answers again");
  },

  async clear(me) {
    const before = me.marker();
    await me.ask("!clear");
    await me.until("another marker", () => me.marker().epoch === before.epoch + 1);
    need(me.marker().platform_chat_id > before.platform_chat_id, "a fresh context");
    need(await me.ask(`${words.echo} two`) === "two", "the room goes on");
  },

  async thread(me) {
    const root = await me.send(`${words.echo} root`);
    await me.answer(root);
    const { event_id: asked } = await me.client.sendMessage(me.chat, {
      msgtype: "m.text", body: `${words.echo} inside`,
      "m.relates_to": { rel_type: "m.thread", event_id: root, is_falling_back: true, "m.in_reply_to": { event_id: root } },
    });
    await me.answer(asked);
    const [answer] = me.answers(asked);
    need(answer.event.content["m.relates_to"].rel_type === "m.thread" && answer.event.content["m.relates_to"].event_id === root,
      "the answer is in the thread", answer.event.content["m.relates_to"]);
  },

  async edit_of_a_waiting_message(me) {
    await me.send(words.slow);
    const waiting = await me.send(`${words.echo} first version`);
    const content = { msgtype: "m.text", body: `${words.echo} second version` };
    await me.client.sendMessage(me.chat, {
      ...content, body: `* ${content.body}`, "m.new_content": content, "m.relates_to": { rel_type: "m.replace", event_id: waiting },
    });
    need((await me.answer(waiting)).body.trim() === "second version", "it is taken as edited");
  },

  async redaction_of_a_waiting_message(me) {
    await me.send(words.slow);
    const waiting = await me.send(`${words.echo} never mind`);
    await me.client.redactEvent(me.chat, waiting);
    need(await me.ask(`${words.echo} end`) === "end", "what comes after it is answered");
    need(me.answers(waiting).length === 0, "it is not");
  },
};

await run(`chat: ${scenario}`, 60, async () => {
  const me = new Human();
  await me.arrive();
  say(scenario);
  await scenarios[scenario](me);
  me.client.stopClient();
});
