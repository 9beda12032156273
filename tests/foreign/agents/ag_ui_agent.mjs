// A scripted agent that speaks AG-UI: requests are judged by the protocol's own schema, events
// written by its own encoder. What it does is what the last message of the person says. It keeps
// nothing of a thread but the interrupts that are open. Prints {"port":N}.
//   --record FILE   every request that came, one JSON text a line, and what the schema says of it
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { EventType } from "@ag-ui/core";
import { EventSchema, RunAgentInputSchema } from "@ag-ui/core/schemas";
import { EventEncoder } from "@ag-ui/encoder";

const { values: options } = parseArgs({ options: { record: { type: "string" }, port: { type: "string", default: "0" } } });
const note = (what) => options.record && appendFileSync(options.record, JSON.stringify(what) + "\n");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const open = new Map(); // thread → the interrupts that wait for an answer

const words = (content) =>
  typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
const people = (messages) => messages.filter((m) => m.role === "user").map((m) => words(m.content));

/** Every call of the thread has its result, but for the ones that wait. */
function unanswered(messages) {
  const results = new Set(messages.filter((m) => m.role === "tool").map((m) => m.toolCallId));
  return messages.flatMap((m) => m.toolCalls ?? []).filter((call) => !results.has(call.id)).map((call) => call.id);
}

class Run {
  constructor(input, answer) {
    Object.assign(this, { input, answer, encoder: new EventEncoder(), made: 0 });
  }
  send(type, fields = {}) {
    const event = { type, ...fields };
    const judged = EventSchema.safeParse(event);
    if (!judged.success) throw new Error(`this agent's own event is wrong: ${judged.error}`);
    this.answer.write(this.encoder.encode(event));
  }
  id(kind) {
    return `${kind}-${this.input.runId}-${++this.made}`;
  }
  say(text) {
    const messageId = this.id("m");
    this.send(EventType.TEXT_MESSAGE_START, { messageId, role: "assistant" });
    for (const piece of text.match(/\S+\s*/g) ?? []) this.send(EventType.TEXT_MESSAGE_CONTENT, { messageId, delta: piece });
    this.send(EventType.TEXT_MESSAGE_END, { messageId });
  }
  call(toolCallName, args) {
    const toolCallId = this.id("call");
    this.send(EventType.TOOL_CALL_START, { toolCallId, toolCallName });
    const text = JSON.stringify(args);
    for (const delta of [text.slice(0, 5), text.slice(5)]) this.send(EventType.TOOL_CALL_ARGS, { toolCallId, delta });
    this.send(EventType.TOOL_CALL_END, { toolCallId });
    return toolCallId;
  }
  result(toolCallId, content) {
    this.send(EventType.TOOL_CALL_RESULT, { messageId: this.id("r"), toolCallId, content, role: "tool" });
  }
  finish(fields = {}) {
    const { threadId, runId } = this.input;
    this.send(EventType.RUN_FINISHED, { threadId, runId, usage: [{ provider: "p", model: "m", inputTokens: 9, outputTokens: 4 }], ...fields });
    this.answer.end();
  }
  ask(interrupts) {
    open.set(this.input.threadId, interrupts.map((i) => i.id));
    this.finish({ outcome: { type: "interrupt", interrupts } });
  }
  fail(message, code) {
    this.send(EventType.RUN_ERROR, { message, code });
    this.answer.end();
  }
}

const approval = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
const skills = {
  async echo(run, rest) {
    run.say(rest);
    run.finish();
  },
  async what(run) {
    run.say(people(run.input.messages).slice(0, -1).join(" | "));
    run.finish();
  },
  async tool(run) {
    run.send(EventType.STEP_STARTED, { stepName: "look" });
    run.send(EventType.REASONING_START, { messageId: "think" });
    run.send(EventType.REASONING_MESSAGE_CONTENT, { messageId: "think", delta: "a secret thought" });
    run.result(run.call("search", { q: "sky" }), "blue");
    run.send(EventType.CUSTOM, { name: "progress", value: { pct: 80 } });
    run.say("The sky is blue.");
    run.finish();
  },
  async count(run) {
    const before = run.input.state?.count ?? 0;
    if (before === 0) run.send(EventType.STATE_SNAPSHOT, { snapshot: { count: 0 } });
    run.send(EventType.STATE_DELTA, { delta: [{ op: "replace", path: "/count", value: before + 1 }] });
    run.say(`It is ${before + 1}.`);
    run.finish();
  },
  async confirm(run) {
    run.say("I could send it.");
    const toolCallId = run.call("sendEmail", { to: "bob" });
    run.ask([{ id: run.id("i"), reason: "tool_call", message: "Send the mail?", toolCallId, responseSchema: approval }]);
  },
  async both(run) {
    run.ask(["Paint it?", "Sell it?"].map((message) => ({ id: run.id("i"), reason: "confirmation", message })));
  },
  async look(run) {
    const content = run.input.messages.at(-1).content;
    const image = typeof content === "string" ? undefined : content.find((part) => part.type === "image");
    run.say(image ? `I see ${image.source.mimeType}: ${Buffer.from(image.source.value, "base64").length} bytes.` : "I see nothing.");
    run.finish();
  },
  async die(run) {
    run.say("half an answer");
    await pause(100);
    run.answer.socket.destroy();
  },
  async vanish(run) {
    run.say("half an answer");
    run.answer.end();
  },
  async fail(run) {
    run.fail("The model is on strike.", "STRIKE");
  },
  async hang(run) {
    run.say("half an answer");
    run.answer.on("close", () => note({ closed: run.input.runId }));
  },
};

/** The run that goes on from interrupts: it tells what was answered. */
function goOn(run) {
  for (const id of unanswered(run.input.messages)) run.result(id, "done");
  const told = run.input.resume.map((r) => (r.status === "cancelled" ? "cancelled" : JSON.stringify(r.payload)));
  run.say(`Answered: ${told.join(" and ")}.`);
  run.finish();
}

async function start(input, answer) {
  const run = new Run(input, answer);
  answer.writeHead(200, { "Content-Type": run.encoder.getContentType() });
  run.send(EventType.RUN_STARTED, { threadId: input.threadId, runId: input.runId });
  const waiting = open.get(input.threadId) ?? [];
  const answered = (input.resume ?? []).map((r) => r.interruptId);
  if (waiting.toString() !== answered.toString())
    return run.fail(`open interrupts [${waiting}] got answers [${answered}]`, "RESUME");
  open.delete(input.threadId);
  if (input.resume?.every((r) => r.status === "resolved")) return goOn(run);
  const stray = unanswered(input.messages);
  if (stray.length) return run.fail(`calls without a result: ${stray}`, "THREAD");
  const [skill, ...rest] = people(input.messages).at(-1).split(/\s+/);
  await (skills[skill] ?? skills.echo)(run, rest.join(" ") || skill);
}

const server = createServer(async (request, answer) => {
  let body = "";
  for await (const piece of request) body += piece;
  if (request.headers.authorization === "Bearer wrong") return answer.writeHead(401).end();
  const judged = RunAgentInputSchema.safeParse(JSON.parse(body));
  note({ accept: request.headers.accept, input: JSON.parse(body), wrong: judged.success ? null : judged.error.issues });
  if (!judged.success) return answer.writeHead(422, { "Content-Type": "application/json" }).end(JSON.stringify({ message: judged.error.message }));
  await start(judged.data, answer);
});
server.listen(Number(options.port), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
