// An agent for Patchbay in one file: npm install ws
//
//     node echo_agent.mjs [PORT]         # base_url: http://127.0.0.1:PORT, default 7000
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

const memory = new Map(); // chat id → what was said there; a real agent keeps this on disk

/** One turn: any number of events, then END. */
async function answer(send, chat, text, stopped) {
  const said = memory.get(chat) ?? [];
  memory.set(chat, [...said.slice(-99), text]);
  for (const word of `You said: ${text} (message ${said.length + 1} here)`.split(' ')) {
    if (stopped.aborted) return;
    send('AGENT_EVENT_TEXT_CHUNK', { text: word + ' ' });
    await pause(20);
  }
  if (!stopped.aborted)
    send('AGENT_EVENT_END', { usage: { input_tokens: text.length, output_tokens: 0 } });
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 7000),
  maxPayload: 8 << 20,
});
server.on('listening', () => console.log('listening on', server.address().port));
server.on('connection', (ws, request) => {
  const chat = request.url.split('?')[0].replace(/\/$/, '').split('/').pop();
  let turn = null; // {stop, send} while one runs
  ws.on('message', async (raw) => {
    const frame = JSON.parse(raw);
    if (frame.type === 'USER_MESSAGE') {
      const send = (type, fields = {}) =>
        ws.send(JSON.stringify({ type, message_id: frame.message_id, ...fields }));
      const mine = (turn = { stop: new AbortController(), send });
      await answer(send, chat, frame.text, mine.stop.signal);
      if (turn === mine) turn = null;
    } else if (frame.type === 'CANCEL' && turn) {
      turn.stop.abort();
      turn.send('AGENT_EVENT_END');
      turn = null;
    }
  });
  ws.on('close', () => turn?.stop.abort());
});
