// A homeserver, a bot and an admin API in one small process: what the console's page needs to be tried
// without the router. Prints the same `ready {…}` line as `patchbay run`.
//   node mock_world.mjs ASSETS_DIR
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const assets = process.argv[2];
const token = randomBytes(16).toString('hex');
const me = '@you:localhost';
const bot = '@patchbay:localhost';
let stream = 0;
let counter = 0;
const rooms = new Map(); // id → {events, members, small: ephemeral events}
let quiet = false;
const media = new Map();
const txns = new Map();
const waiting = new Set();
let started = Date.now();

const wake = () => { for (const w of [...waiting]) w(); };
const id = () => ++counter;

function put(room, sender, type, content, stateKey) {
  const event = { type, sender, content, event_id: `$e${id()}`, origin_server_ts: Date.now(), room_id: room };
  if (stateKey !== undefined) event.state_key = stateKey;
  const r = rooms.get(room);
  r.events.push({ at: ++stream, event });
  if (type === 'm.room.member') r.members.set(stateKey, content.membership);
  wake();
  return event;
}

function make(creator, { name, space, invite = [] }) {
  const room = `!r${id()}:localhost`;
  rooms.set(room, { events: [], members: new Map(), small: [] });
  put(room, creator, 'm.room.create', { creator, room_version: '10', ...(space ? { type: 'm.space' } : {}) }, '');
  put(room, creator, 'm.room.member', { membership: 'join', displayname: creator === bot ? 'Patchbay' : 'You' }, creator);
  if (name) put(room, creator, 'm.room.name', { name }, '');
  for (const user of invite) put(room, creator, 'm.room.member', { membership: 'invite' }, user);
  return room;
}

function small(room, type, content) {
  const r = rooms.get(room);
  r.small = [...r.small.filter((s) => type !== 'm.typing' || s.event.type !== type), { at: ++stream, event: { type, content } }];
  wake();
}
const typing = (room, users) => small(room, 'm.typing', { user_ids: users });
const receipt = (room, user, event) => small(room, 'm.receipt', { [event]: { 'm.read': { [user]: { ts: Date.now() } } } });

function redact(room, sender, target) {
  const old = rooms.get(room).events.find((e) => e.event.event_id === target);
  const event = put(room, sender, 'm.room.redaction', { redacts: target });
  if (old) Object.assign(old.event, { content: {}, unsigned: { redacted_because: event } });
  event.redacts = target;
  return event;
}

let space = null;
let chats = 0;
function newChat() {
  const n = ++chats;
  const room = make(bot, { name: `Chat ${n}`, invite: [me] });
  put(room, bot, 'io.patchbay.chat', { owner: me, chat: `C${n}`, platform_chat_id: n, agent_id: 'demo', state: 'active', epoch: 0 }, '');
  put(space, bot, 'm.space.child', { via: ['localhost'], order: String(n).padStart(4, '0') }, room);
}

const later = (ms, f) => setTimeout(f, ms);
const working = new Map(); // room -> its answers that are not said yet: the bot types as long as there is one
const worked = (room) => {
  working.set(room, working.get(room) - 1);
  if (!working.get(room)) typing(room, []);
};
const counting = new Map(); // room -> its answer that goes on until it is stopped, however slow the machine
function answer(room, asked) {
  const text = asked.content.body;
  if (quiet) return;
  if (asked.content['m.relates_to']?.rel_type === 'm.replace') return;
  if (text === '!new') return later(100, newChat);
  working.set(room, (working.get(room) ?? 0) + 1);
  typing(room, [bot]);
  const file = asked.content.url ? ` I got the file ${asked.content.body}.` : '';
  const delivery = { turn: `t${counter}`, kind: 'final', part: 1 };
  const reply = { 'm.relates_to': { 'm.in_reply_to': { event_id: asked.event_id } }, 'io.patchbay.delivery': delivery };
  const stopped = text === '!stop' ? counting.get(room) : undefined;
  if (stopped) {
    clearTimeout(stopped);
    counting.delete(room);
    worked(room);
  }
  const timer = later(text.startsWith('count to') ? 30000 : stopped ? 0 : 900, () => {
    worked(room);
    if (text === 'evil') {
      put(room, bot, 'm.room.message', { msgtype: 'm.text', body: 'evil', format: 'org.matrix.custom.html', ...reply,
        formatted_body: '<img src=x onerror="window.broken=1"><script>window.broken=1</script><a href="javascript:window.broken=1">bad</a> <b onclick="window.broken=1">bold</b><svg onload="window.broken=1"></svg><style>body{display:none}</style>' });
      put(room, bot, 'm.room.message', { msgtype: ['x'], body: { a: 1 } });
      put(room, bot, 'm.room.message', { msgtype: 'm.image', body: 7, url: 'mxc://../../x', info: null });
      return;
    }
    const md = text === 'rich';
    put(room, bot, 'm.room.message', md ? { msgtype: 'm.text', ...reply, body: 'A list', format: 'org.matrix.custom.html',
      formatted_body: '<p>Here is a <strong>rich</strong> answer with <code>code</code> and a <a href="https://example.org/">link</a>:</p><ul><li>first</li><li>second</li></ul><pre><code class="language-cpp">int main() {\n  return 0;\n}\n</code></pre><table><thead><tr><th>agent</th><th>turns</th></tr></thead><tbody><tr><td>demo</td><td>3</td></tr></tbody></table>' }
      : { msgtype: text.startsWith('!') ? 'm.notice' : 'm.text', body: `This is message ${counter}. You said: ${text}${file}`, ...reply });
  });
  if (text.startsWith('count to')) counting.set(room, timer);
}

function sync(since) {
  const out = { next_batch: String(stream), rooms: { join: {}, invite: {}, leave: {} } };
  for (const [room, r] of rooms) {
    const state = r.members.get(me);
    if (state === 'invite') {
      const at = r.events.findLast((e) => e.event.type === 'm.room.member' && e.event.state_key === me).at;
      if (at > since) out.rooms.invite[room] = { invite_state: { events: r.events.filter((e) => e.event.state_key !== undefined).map((e) => e.event) } };
    }
    if (state !== 'join') continue;
    const joinedAt = r.events.findLast((e) => e.event.type === 'm.room.member' && e.event.state_key === me && e.event.content.membership === 'join').at;
    const from = joinedAt > since ? 0 : since;
    const news = r.events.filter((e) => e.at > from);
    const show = news.slice(-10);
    const ephemeral = r.small.filter((x) => x.at > since).map((x) => x.event);
    if (!show.length && !ephemeral.length) continue;
    const early = from === 0 ? news.slice(0, -10).filter((e) => e.event.state_key !== undefined) : [];
    out.rooms.join[room] = { timeline: { events: show.map((e) => e.event), limited: news.length > 10, prev_batch: `p${show[0]?.at ?? 0}` }, state: { events: early.map((e) => e.event) }, ephemeral: { events: ephemeral } };
  }
  return out;
}

const body = (req) => new Promise((done) => { const parts = []; req.on('data', (d) => parts.push(d)); req.on('end', () => done(Buffer.concat(parts))); });
const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'Authorization, Content-Type', 'Access-Control-Allow-Methods': 'GET, POST, PUT, OPTIONS' };

const control = {
  put: (x) => put(x.room, x.sender ?? bot, x.type ?? 'm.room.message', x.content, x.state_key),
  make: (x) => ({ room_id: make(x.creator ?? bot, x) }),
  chat: () => newChat(),
  redact: (x) => redact(x.room, x.sender ?? bot, x.event),
  typing: (x) => typing(x.room, x.users),
  receipt: (x) => receipt(x.room, x.user ?? bot, x.event),
  media: (x) => { const key = `m${id()}`; media.set(key, Buffer.from(x.base64, 'base64')); return { url: `mxc://localhost/${key}` }; },
  quiet: (x) => { quiet = x.on; },
  room: (x) => ({ events: rooms.get(x.room).events.map((e) => e.event) }),
  space: () => ({ space, rooms: [...rooms.keys()] }),
};

const homeserver = createServer(async (req, res) => {
  const url = new URL(req.url, 'http://x');
  const path = decodeURIComponent(url.pathname);
  const send = (status, data) => { res.writeHead(status, { ...cors, 'Content-Type': 'application/json' }); res.end(JSON.stringify(data)); };
  if (req.method === 'OPTIONS') return send(200, {});
  const raw = await body(req);
  const json = () => { try { return JSON.parse(raw); } catch { return {}; } };
  let m;
  if ((m = /^\/_mock\/(\w+)$/.exec(path))) return send(200, control[m[1]](json()) ?? {});
  if (path.endsWith('/v3/login')) return json().password === 'secret' ? send(200, { access_token: 'tok', user_id: me, device_id: 'DEV' }) : send(403, { errcode: 'M_FORBIDDEN', error: 'Wrong password.' });
  if (req.headers.authorization !== 'Bearer tok') return send(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token.' });
  if (path.endsWith('/v3/sync')) {
    const since = Number(url.searchParams.get('since') ?? 0);
    const empty = (x) => !Object.keys(x.rooms.join).length && !Object.keys(x.rooms.invite).length;
    const first = sync(since);
    if (!empty(first) || url.searchParams.get('timeout') === '0') return send(200, first);
    const done = () => { waiting.delete(check); clearTimeout(timer); send(200, sync(since)); };
    const check = () => { if (!empty(sync(since))) done(); };
    const timer = setTimeout(done, Math.min(Number(url.searchParams.get('timeout')), 30000));
    waiting.add(check);
    req.on('close', () => waiting.delete(check));
    return undefined;
  }
  if (path.endsWith('/createRoom')) {
    const room = make(me, { name: json().name, invite: json().invite });
    later(300, () => put(room, bot, 'm.room.member', { membership: 'join', displayname: 'Patchbay' }, bot));
    later(600, () => { space = make(bot, { name: 'Your chats', space: true, invite: [me] }); put(space, bot, 'io.patchbay.space', { owner: me, agent: 'demo', language: 'en' }, ''); newChat(); });
    return send(200, { room_id: room });
  }
  if ((m = /\/join\/(.+)$/.exec(path))) {
    put(m[1], me, 'm.room.member', { membership: 'join', displayname: 'You' }, me);
    return send(200, { room_id: m[1] });
  }
  if ((m = /\/rooms\/([^/]+)\/send\/([^/]+)\/(.+)$/.exec(path))) {
    if (txns.has(m[3])) return send(200, { event_id: txns.get(m[3]) });
    const event = put(m[1], me, m[2], json());
    event.unsigned = { transaction_id: m[3] };
    txns.set(m[3], event.event_id);
    if (m[2] === 'm.room.message') answer(m[1], event);
    return send(200, { event_id: event.event_id });
  }
  if ((m = /\/rooms\/([^/]+)\/redact\/([^/]+)\/(.+)$/.exec(path))) return send(200, { event_id: redact(m[1], me, m[2]).event_id });
  if ((m = /\/rooms\/([^/]+)\/leave$/.exec(path))) { put(m[1], me, 'm.room.member', { membership: 'leave' }, me); return send(200, {}); }
  if ((m = /\/rooms\/([^/]+)\/messages$/.exec(path))) {
    const from = Number((url.searchParams.get('from') ?? 'p1e9').slice(1));
    const all = rooms.get(m[1]).events.filter((e) => e.at < from).reverse();
    const chunk = all.slice(0, Number(url.searchParams.get('limit')));
    return send(200, { start: `p${from}`, chunk: chunk.map((e) => e.event), ...(chunk.length < all.length ? { end: `p${chunk.at(-1).at}` } : {}) });
  }
  if ((m = /\/rooms\/([^/]+)\/receipt\/m\.read\/(.+)$/.exec(path))) { receipt(m[1], me, m[2]); return send(200, {}); }
  if (path.endsWith('/media/config')) return send(200, { 'm.upload.size': 1000000 });
  if (path.endsWith('/media/v3/upload')) {
    const key = `m${id()}`;
    media.set(key, raw);
    return send(200, { content_uri: `mxc://localhost/${key}` });
  }
  if ((m = /\/client\/v1\/media\/download\/localhost\/(.+)$/.exec(path)) && media.has(m[1])) {
    res.writeHead(200, { ...cors, 'Content-Type': 'application/octet-stream' });
    return res.end(media.get(m[1]));
  }
  return send(404, { errcode: 'M_UNRECOGNIZED', error: 'Not here.' });
});

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const admin = createServer((req, res) => {
  const policy = `default-src 'self'; connect-src 'self' http://127.0.0.1:${homeserver.address().port}; img-src 'self' blob:; media-src blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
  const send = (status, type, data) => { res.writeHead(status, { 'Content-Type': type, 'Content-Security-Policy': policy, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }); res.end(data); };
  const json = (status, data) => send(status, 'application/json', JSON.stringify(data));
  const path = req.url.split('?')[0];
  if (path === '/readyz') return json(200, { ready: true, since: new Date(started).toISOString(), last_sync_age_ms: 420, database_writable: true, detail: '' });
  if (path.startsWith('/api/v1/')) {
    if (req.headers.authorization !== `Bearer ${token}`) return json(401, { code: 'unauthorised', message: 'This is not the console\'s token.', hint: '' });
    if (path === '/api/v1/console') return json(200, { homeserver: `http://127.0.0.1:${homeserver.address().port}`, bot, accounts: [{ user_id: me, password: 'secret' }, { user_id: '@other:localhost', password: 'secret' }] });
    if (path === '/api/v1/status') return json(200, { actors: ['supervisor', 'matrix_sync', 'matrix_sender', 'topology', 'room_directory', 'agent_directory', 'persistence'].map((name) => ({ name, state: 'running', restarts: 0 })), agents: [{ id: 'demo', label: 'Demonstration agent', state: 'ready', turns: 0 }], rooms: chats });
    return json(501, { code: 'not_there_yet', message: 'Not yet.', hint: '' });
  }
  try {
    const file = path === '/' ? 'index.html' : path.slice(1);
    if (file.includes('/') || file.includes('..')) throw new Error('no');
    send(200, types[extname(file)], readFileSync(join(assets, file)));
  } catch {
    json(404, { code: 'not_found', message: 'Nothing here.', hint: '' });
  }
});

homeserver.listen(0, '127.0.0.1', () => admin.listen(0, '127.0.0.1', () => {
  console.log(`ready ${JSON.stringify({ version: 'mock', console: `http://127.0.0.1:${admin.address().port}/#token=${token}`, homeserver: `http://127.0.0.1:${homeserver.address().port}`, bot, agents: ['demo'], accounts: [{ user_id: me, password: 'secret' }] })}`);
}));
process.on('SIGTERM', () => process.exit(0));
