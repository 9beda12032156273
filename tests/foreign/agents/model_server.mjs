// A model's server (chat completions and Responses) that we did not write: aimock, scripted. What it
// says is what the last message of the person asks for. Prints {"port":N}.
//   --record FILE   every request's body as it was understood, one JSON text a line
import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { LLMock } from "@copilotkit/aimock";

const { values: options } = parseArgs({ options: { record: { type: "string" }, port: { type: "string", default: "0" } } });

const words = (content) =>
  typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("");
const people = (request) => request.messages.filter((m) => m.role === "user").map((m) => words(m.content));
const asks = (text) => ({ predicate: (request) => people(request).at(-1)?.startsWith(text) });
/** The person's earlier messages, and what stands before them all. */
function remembered(request) {
  const system = request.messages.filter((m) => m.role === "system").map((m) => words(m.content));
  return `[${system.join("")}] ${people(request).slice(0, -1).join(" | ")}`;
}
function looked(request) {
  const parts = request.messages.at(-1).content;
  if (typeof parts === "string") return "I see nothing.";
  const image = parts.find((part) => part.type === "image_url" || part.type === "input_image");
  const url = image?.image_url?.url ?? image?.image_url ?? "";
  const [, kind, data] = /^data:([^;]+);base64,(.*)$/.exec(url) ?? [];
  return kind ? `I see ${kind}: ${Buffer.from(data, "base64").length} bytes.` : "I see nothing.";
}

const mock = new LLMock({ port: Number(options.port), host: "127.0.0.1", logLevel: "silent" });
const on = (text, answer, more = {}) =>
  mock.on(asks(text), (request) => {
    if (options.record) appendFileSync(options.record, JSON.stringify(request) + "\n");
    return typeof answer === "function" ? answer(request) : answer;
  }, more);

const numbers = Array.from({ length: 40 }, (_, i) => i + 1).join(" ");
on("what did I say", (request) => ({ content: remembered(request) }));
on("stream", { content: numbers, usage: { prompt_tokens: 70, completion_tokens: 7, input_tokens: 70, output_tokens: 7 } },
  { chunkSize: 6, latency: 30 });
on("slow", { content: numbers }, { chunkSize: 3, latency: 200 });
on("cut", { content: numbers }, { chunkSize: 6, latency: 40, truncateAfterChunks: 6 });
on("hang up", { content: numbers }, { chunkSize: 6, latency: 60, disconnectAfterMs: 600 });
on("busy", { error: { message: "Please slow down.", type: "rate_limit_error", code: "rate_limit_exceeded" }, status: 429, retryAfter: 7 });
on("gone", { error: { message: "The model `m` does not exist.", type: "invalid_request_error", code: "model_not_found" }, status: 404 });
on("locked", { error: { message: "Incorrect API key provided.", type: "authentication_error" }, status: 401 });
on("limit", { content: "as far as I got", finishReason: "length" });
on("filter", { content: "I may not", finishReason: "content_filter" });
on("think", { reasoning: "a secret thought", content: "Forty-two." });
on("tool", { toolCalls: [{ name: "rm", arguments: "{}" }] });
on("look", (request) => ({ content: looked(request) }));
on("", { content: "noted" });

await mock.start();
console.log(JSON.stringify({ port: mock.port }));
