// An agent for Patchbay: npm install ws @types/ws, then node echo_agent.mts [PORT]   (node 22.18 or newer)
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';

const memory = new Map<string, string[]>(); // chat id → what was said there; a real agent keeps this on disk

/** Yours: pieces of Markdown. `stop` is aborted by CANCEL; what is thrown becomes an ERROR. */
async function* answer(chat: string, text: string, stop: AbortSignal): AsyncGenerator<string> {
  const said = [...(memory.get(chat) ?? []), text];
  memory.set(chat, said);
  for (const word of `You said: ${text} (message ${said.length} here)`.split(' ')) {
    yield word + ' ';
    await pause(20, undefined, { signal: stop });
  }
}

/** Any number of events, then one END or one ERROR, whatever happens. */
async function turn(send: (frame: object) => void, chat: string, text: string, stop: AbortSignal) {
  try {
    for await (const piece of answer(chat, text, stop)) send({ type: 'AGENT_EVENT_TEXT_CHUNK', text: piece });
  } catch (error) {
    if (!stop.aborted) return send({ type: 'ERROR', code: 'internal', details: String(error) });
  }
  const usage = { input_tokens: text.split(' ').length, output_tokens: 1 };
  send({ type: 'AGENT_EVENT_END', usage }); // after CANCEL, too
}

/** One chat, for as long as the router keeps the connection. */
function connection(ws: WebSocket, chat: string) {
  let stop = new AbortController();
  ws.on('message', (raw) => {
    let frame;
    try {
      frame = JSON.parse(String(raw));
    } catch {
      return; // not for us: what we do not know is ignored
    }
    if (frame?.type === 'USER_MESSAGE') {
      stop = new AbortController();
      const send = (event: object) => ws.send(JSON.stringify({ message_id: frame.message_id, ...event }));
      void turn(send, chat, frame.text, stop.signal);
    } else if (frame?.type === 'CANCEL') {
      stop.abort();
    }
  });
  ws.on('error', (error) => console.error(`chat ${chat}: ${error.message}`));
  ws.on('close', () => stop.abort()); // the router is gone: nobody waits for the rest
}

const port = Number(process.argv[2] ?? 7000);
const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 8 << 20 });
server.on('connection', (ws, request) =>
  connection(ws, request.url!.replace(/\/$/, '').split('/').pop()!));
server.on('listening', () => console.log('listening on', (server.address() as { port: number }).port));
