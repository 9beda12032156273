// A scripted agent on the official SDK of A2A: what it does is what the message says. Prints
// {"port":N}.
//   --record FILE   every request, one JSON text a line
//   --state DIR     tasks outlive the process there
//   --speaks 0.3    its card offers the older version alone (else 1.0)
//   --plain         without streaming
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { AgentEvent, DefaultRequestHandler } from "@a2a-js/sdk/server";
import { UserBuilder, agentCardHandler, jsonRpcHandler } from "@a2a-js/sdk/server/express";
import { Role, TaskState } from "@a2a-js/sdk";
import express from "express";

const { values: options } = parseArgs({
  options: {
    record: { type: "string" },
    state: { type: "string" },
    port: { type: "string", default: "0" },
    speaks: { type: "string", default: "1.0" },
    plain: { type: "boolean", default: false },
  },
});
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const text = (value) => ({ content: { $case: "text", value }, mediaType: "", filename: "", metadata: undefined });
const words = (message) => message.parts.map((p) => (p.content?.$case === "text" ? p.content.value : "")).join("");

/** Tasks as files: what a task is, is there when the process that made it is gone. */
class Tasks {
  constructor() {
    this.kept = new Map();
    if (options.state) mkdirSync(options.state, { recursive: true });
  }
  async load(id) {
    if (!this.kept.has(id) && options.state && existsSync(join(options.state, id)))
      this.kept.set(id, JSON.parse(readFileSync(join(options.state, id), "utf8")));
    const task = this.kept.get(id);
    return task && structuredClone(task);
  }
  async save(task) {
    this.kept.set(task.id, structuredClone(task));
    if (options.state) writeFileSync(join(options.state, task.id), JSON.stringify(task));
  }
  async list() {
    return { tasks: [...this.kept.values()], nextPageToken: "", pageSize: 50, totalSize: this.kept.size };
  }
}

const cancelled = new Set();

class Talk {
  constructor({ taskId, contextId, userMessage, task }, bus) {
    Object.assign(this, { taskId, contextId, message: userMessage, task, bus, artifacts: 0 });
  }
  said(value, id) {
    return { messageId: id, role: Role.ROLE_AGENT, parts: [text(value)], taskId: this.taskId, contextId: this.contextId,
             extensions: [], referenceTaskIds: [], metadata: undefined };
  }
  begin() {
    const status = { state: TaskState.TASK_STATE_SUBMITTED, message: undefined, timestamp: new Date().toISOString() };
    const { taskId: id, contextId } = this;
    const made = { id, contextId, artifacts: [], history: [this.message], metadata: undefined };
    this.bus.publish(AgentEvent.task({ ...(this.task ?? made), status })); // the SDK wants it first, also when it is known
  }
  state(name, value, id = crypto.randomUUID()) {
    const { taskId, contextId } = this;
    const message = value === undefined ? undefined : this.said(value, id);
    const status = { state: TaskState[`TASK_STATE_${name}`], message, timestamp: new Date().toISOString() };
    this.bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status, metadata: undefined }));
  }
  artifact(parts, { artifactId = `a${++this.artifacts}`, append = false, name = "" } = {}) {
    const { taskId, contextId } = this;
    const artifact = { artifactId, name, description: "", parts, extensions: [], metadata: undefined };
    this.bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, artifact, append, lastChunk: false, metadata: undefined }));
  }
  say(value, artifactId = "answer", append = false) {
    this.artifact([text(value)], { artifactId, append });
  }
}

const skills = {
  async echo(t, rest) {
    t.say(rest);
  },
  async message(t, rest) {
    t.bus.publish(AgentEvent.message({ ...t.said(rest, crypto.randomUUID()), taskId: "" }));
    return "nothing";
  },
  async stream(t, rest) {
    for (let i = 1; i <= Number(rest); ++i) t.say(`${i} `, "answer", i > 1);
  },
  async status(t, rest) {
    t.state("WORKING", "thinking");
    t.state("COMPLETED", rest);
    return "nothing";
  },
  async ask(t, rest) {
    t.say("I could do it. ");
    t.state("INPUT_REQUIRED", rest || "Do it?");
    return "nothing";
  },
  async file(t, name) {
    t.say("Here it is.");
    t.artifact([{ content: { $case: "raw", value: Buffer.from(`the file ${name}\n`) }, filename: name, mediaType: "text/plain" }]);
  },
  async files(t) {
    const sizes = t.message.parts.filter((p) => p.content?.$case === "raw").map((p) => `${p.filename}: ${p.content.value.length} bytes`);
    t.say(sizes.join("; ") || "no files");
  },
  async fail(t, rest) {
    t.state("FAILED", rest || "it broke");
    return "nothing";
  },
  async throws() {
    throw new Error("a bug");
  },
  /** Long enough to be cut, killed or stopped in the middle; ends when the file "go" is there. */
  async slow(t, rest) {
    t.say("The first half, ");
    while (!cancelled.has(t.taskId) && !existsSync(join(options.state, "go"))) await pause(50);
    if (cancelled.has(t.taskId)) return t.state("CANCELED"), "nothing";
    t.say(rest || "the second half.", "answer", true);
  },
  /** Dies in the middle; who comes after it finds the task done. */
  async die(t) {
    t.say("Before, ");
    await pause(300);
    const kept = JSON.parse(readFileSync(join(options.state, t.taskId), "utf8"));
    kept.status = { state: TaskState.TASK_STATE_COMPLETED, timestamp: new Date().toISOString() };
    kept.artifacts[0].parts.push(text("and after."));
    writeFileSync(join(options.state, t.taskId), JSON.stringify(kept));
    process.exit(9);
  },
};

const executor = {
  async execute(request, bus) {
    const t = new Talk(request, bus);
    const said = words(t.message);
    const [skill, ...rest] = said.split("\n")[0].split(" ");
    if (skill === "message") return void (await skills.message(t, rest.join(" ")));
    t.begin();
    t.state("WORKING");
    let end;
    if (t.task) {
      const data = t.message.parts.find((p) => p.content?.$case === "data")?.content.value;
      t.say(`Decided: ${said} ${JSON.stringify(data)}`, "decision");
    } else {
      end = await (skills[skill] ?? skills.echo)(t, rest.join(" "));
    }
    if (end !== "nothing") t.state("COMPLETED");
  },
  async cancelTask(taskId, bus) {
    cancelled.add(taskId);
    await pause(100);
    bus.finished();
  },
};

const app = express();
const server = app.listen(Number(options.port), "127.0.0.1", () => {
  const { port } = server.address();
  const url = `http://internal.example:9999/rpc`; // as agents behind a proxy do
  const card = {
    name: "Scripted", description: "for tests", version: "1", provider: undefined, documentationUrl: "", iconUrl: "",
    supportedInterfaces: [{ url, protocolBinding: "JSONRPC", protocolVersion: options.speaks, tenant: "" }],
    capabilities: { streaming: !options.plain, pushNotifications: false, extensions: [], extendedAgentCard: false },
    securitySchemes: {}, securityRequirements: [], defaultInputModes: ["text/plain"], defaultOutputModes: ["text/plain"],
    skills: [], signatures: [],
  };
  const legacyCompat = { enabled: options.speaks !== "1.0" };
  const handler = new DefaultRequestHandler(card, new Tasks(), executor);
  app.use((request, _, next) => {
    const note = (body) => options.record && appendFileSync(options.record, JSON.stringify({ path: request.path, version: request.header("a2a-version"), body }) + "\n");
    if (request.method !== "POST") return note(), next();
    let all = "";
    request.on("data", (piece) => (all += piece));
    request.on("end", () => note(JSON.parse(all)));
    next();
  });
  app.use("/.well-known/agent-card.json", agentCardHandler({ agentCardProvider: handler, legacyCompat }));
  app.use("/rpc", jsonRpcHandler({ requestHandler: handler, userBuilder: UserBuilder.noAuthentication, legacyCompat }));
  console.log(JSON.stringify({ port }));
});
