// A scripted agent on the official SDK of ACP: what it does is what the prompt says. Over stdio, or
// with --ws on a port that it prints as {"port":N}.
//   --record FILE   every message of the client, one JSON text a line
//   --state DIR     sessions outlive the process there
//   --can WORDS     resume, load (comma between): what it advertises; nothing: neither
//   --login         session/new wants an authentication that never comes
//   --version N     the protocol version that it answers with
import { createServer } from "node:http";
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as acp from "@agentclientprotocol/sdk/unstable";
import { AcpServer } from "@agentclientprotocol/sdk/experimental/server";
import { createNodeHttpHandler, createNodeWebSocketUpgradeHandler } from "@agentclientprotocol/sdk/experimental/node";
import { WebSocketServer } from "ws";

const { values: options } = parseArgs({
  options: {
    record: { type: "string" },
    state: { type: "string" },
    can: { type: "string", default: "resume,load" },
    login: { type: "boolean", default: false },
    version: { type: "string", default: "1" },
    ws: { type: "boolean", default: false },
    port: { type: "string", default: "0" },
  },
});
const can = new Set(options.can.split(",").filter(Boolean));
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
let last = Date.now();

const note = (message) => options.record && appendFileSync(options.record, JSON.stringify(message) + "\n");

// -- sessions: what was said, by id ------------------------------------------------------------------
const sessions = new Map();
const place = (id) => join(options.state, `${id}.json`);
function keep(id) {
  if (options.state) {
    mkdirSync(options.state, { recursive: true });
    writeFileSync(place(id), JSON.stringify(sessions.get(id)));
  }
}
function known(id) {
  if (!sessions.has(id) && options.state && existsSync(place(id)))
    sessions.set(id, JSON.parse(readFileSync(place(id), "utf8")));
  if (!sessions.has(id)) throw new acp.RequestError(-32002, "no such session");
  return sessions.get(id);
}

// -- what it does --------------------------------------------------------------------------------------
const skills = {
  async echo(c, rest) {
    await c.say(rest);
  },
  async stream(c, rest) {
    for (let i = 1; i <= Number(rest); ++i) await c.say(`${i} `);
  },
  async tool(c) {
    await c.say("I look at it.");
    await c.update({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "a secret thought" } });
    await c.update({ sessionUpdate: "plan", entries: [{ content: "look", priority: "high", status: "in_progress" }] });
    await c.update({ sessionUpdate: "tool_call", toolCallId: "t1", title: "ls -l", kind: "execute", status: "pending", rawInput: { all: true } });
    await c.update({ sessionUpdate: "tool_call_update", toolCallId: "t1", status: "completed", rawOutput: { files: 2 } });
    await c.say("Two files.");
  },
  async confirm(c, rest) {
    const toolCall = { toolCallId: "t2", title: rest || "rm *.log", kind: "delete", status: "pending", rawInput: { path: rest || "*.log" } };
    await c.update({ sessionUpdate: "tool_call", ...toolCall });
    const { outcome } = await c.ask("session/request_permission", {
      toolCall: { toolCallId: "t2" },
      options: [
        { optionId: "for-ever", name: "Always", kind: "allow_always" },
        { optionId: "this-once", name: "Allow", kind: "allow_once" },
        { optionId: "not-now", name: "Reject", kind: "reject_once" },
      ],
    });
    const word = outcome.outcome === "selected" ? outcome.optionId : outcome.outcome;
    await c.update({ sessionUpdate: "tool_call_update", toolCallId: "t2", status: word === "this-once" ? "completed" : "failed" });
    if (outcome.outcome !== "cancelled") await c.say(`decided: ${word}`);
  },
  async file(c, name) {
    writeFileSync(join(c.session.cwd, name), `the file ${name}\n`);
    await c.say("Here it is.");
    await c.update({ sessionUpdate: "agent_message_chunk", content: { type: "resource_link", name, uri: pathToFileURL(join(c.session.cwd, name)).href } });
  },
  async image(c) {
    await c.say("A dot.");
    await c.update({ sessionUpdate: "agent_message_chunk", content: { type: "image", mimeType: "image/png", data: pixel } });
  },
  async files(c) {
    const links = c.blocks.filter((b) => b.type === "resource_link");
    await c.say(links.map((b) => `${b.name}: ${statSync(fileURLToPath(b.uri)).size} bytes`).join("; ") || "no files");
  },
  async editor(c) {
    try {
      await c.ask("fs/read_text_file", { path: join(c.session.cwd, "x") });
      await c.say("it was read");
    } catch (e) {
      await c.say(`refused: ${e.code}`);
    }
  },
  async recall(c) {
    await c.say(`before: ${c.session.said.slice(0, -1).join(" | ")}`);
  },
  async hang(c) {
    await c.say("I wait.");
    await new Promise((done) => c.signal.addEventListener("abort", done));
  },
  async die(c) {
    await c.say("half a wo");
    await new Promise((done) => setTimeout(done, 200));
    process.exit(3);
  },
  async noise(c) {
    if (!options.ws) process.stdout.write("a library greets its user\n");
    console.error("a word for the log");
    await c.say("after the noise");
  },
  async fail() {
    throw new acp.RequestError(-32603, "out of luck");
  },
  async limit(c) {
    await c.say("as far as I came");
    return "max_tokens";
  },
  async refuse() {
    return "refusal";
  },
};

// -- the protocol ----------------------------------------------------------------------------------------
function make() {
  const running = new Map();
  return acp
    .agent({ name: "scripted" })
    .onRequest("initialize", () => ({
      protocolVersion: Number(options.version),
      agentCapabilities: {
        loadSession: can.has("load"),
        sessionCapabilities: can.has("resume") ? { resume: {} } : {},
      },
      authMethods: options.login ? [{ id: "key", name: "API key" }] : [],
      agentInfo: { name: "scripted", version: "1" },
    }))
    .onRequest("session/new", ({ params }) => {
      if (options.login) throw new acp.RequestError(-32000, "Authentication required");
      last = Math.max(last + 1, Date.now());
      const id = `s-${last}`;
      sessions.set(id, { cwd: params.cwd, said: [] });
      keep(id);
      return { sessionId: id };
    })
    .onRequest("session/resume", ({ params }) => {
      known(params.sessionId);
      return {};
    })
    .onRequest("session/load", async ({ params, client }) => {
      for (const text of known(params.sessionId).said)
        for (const sessionUpdate of ["user_message_chunk", "agent_message_chunk"])
          await client.notify("session/update", { sessionId: params.sessionId, update: { sessionUpdate, content: { type: "text", text } } });
      return {};
    })
    .onNotification("session/cancel", ({ params }) => running.get(params.sessionId)?.abort())
    .onRequest("session/prompt", async ({ params, client }) => {
      const { sessionId, prompt } = params;
      const session = known(sessionId);
      const text = prompt.filter((b) => b.type === "text").map((b) => b.text).join("\n");
      session.said.push(text);
      keep(sessionId);
      const stop = new AbortController();
      running.set(sessionId, stop);
      const update = (u) => client.notify("session/update", { sessionId, update: u });
      const c = {
        session, blocks: prompt, signal: stop.signal, update,
        say: (said) => update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: said } }),
        ask: (method, rest) => client.request(method, { sessionId, ...rest }),
      };
      const [word, ...rest] = text.trim().split("\n")[0].split(" "); // a file has lines of its own below
      const reason = await (Object.hasOwn(skills, word) ? skills[word](c, rest.join(" ")) : c.say(`what is "${word}"?`));
      running.delete(sessionId);
      return {
        stopReason: stop.signal.aborted ? "cancelled" : (reason ?? "end_turn"),
        usage: { totalTokens: 10, inputTokens: 7, outputTokens: 3 },
      };
    });
}

/// The app behind an ear on what the client says.
const heard = {
  connect(stream, more) {
    const ear = new TransformStream({
      transform(message, out) {
        note(message);
        out.enqueue(message);
      },
    });
    return make().connect({ writable: stream.writable, readable: stream.readable.pipeThrough(ear) }, more);
  },
};

if (options.ws) {
  const server = new AcpServer({ createAgent: () => heard });
  const http = createServer(createNodeHttpHandler(server));
  http.on("upgrade", createNodeWebSocketUpgradeHandler(server, new WebSocketServer({ noServer: true })));
  http.listen(Number(options.port), "127.0.0.1", () => console.log(JSON.stringify({ port: http.address().port })));
} else {
  heard.connect(acp.ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
}
