// What the page knows about rooms, folded from sync answers. No DOM here. Every field that a server
// or another client may have filled is checked before use.

const timelineCap = 2000;

const str = (x) => (typeof x === 'string' ? x : '');
const obj = (x) => (x !== null && typeof x === 'object' && !Array.isArray(x) ? x : {});
const list = (x) => (Array.isArray(x) ? x : []);

export class Room {
  constructor(id, me) {
    this.id = id;
    this.me = me;
    this.joined = false;
    this.inviter = null; // set: we are invited
    this.state = new Map(); // "type|key" → event
    this.events = []; // messages, oldest first
    this.byId = new Map();
    this.edits = new Map(); // "event id|sender" → newest replacement; only the author's own counts
    this.pending = []; // what we send right now
    this.typing = [];
    this.prev = null; // token for older messages
    this.atStart = false;
    this.seen = Number(localStorage.getItem(`pb.seen.${id}`)) || 0;
  }

  content(type, key = '') {
    return obj(this.state.get(`${type}|${key}`)?.content);
  }

  get isSpace() {
    return this.content('m.room.create').type === 'm.space';
  }

  get marker() {
    return this.content('io.patchbay.chat');
  }

  get name() {
    const given = str(this.content('m.room.name').name).trim();
    if (given) return given.slice(0, 120);
    const others = this.members().filter((m) => m !== this.me);
    return others.length ? others.map((m) => this.person(m)).join(', ').slice(0, 120) : 'Room';
  }

  members() {
    const out = [];
    for (const event of this.state.values())
      if (event.type === 'm.room.member' && obj(event.content).membership === 'join')
        out.push(event.state_key);
    return out;
  }

  person(user) {
    const name = str(this.content('m.room.member', user).displayname).trim();
    return (name || str(user).replace(/^@/, '').split(':')[0] || 'Somebody').slice(0, 80);
  }

  /** Rooms of a Space, in its order. */
  children() {
    const out = [];
    for (const event of this.state.values())
      if (event.type === 'm.space.child' && list(obj(event.content).via).length)
        out.push({ id: event.state_key, order: str(obj(event.content).order) || '\uffff', ts: event.origin_server_ts || 0 });
    out.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : a.ts - b.ts));
    return out.map((c) => c.id);
  }

  setState(event) {
    this.state.set(`${str(event.type)}|${str(event.state_key)}`, event);
  }

  /** Takes one timeline event; `older`: it comes from paging back. */
  take(event, older) {
    const id = str(event.event_id);
    if (!str(event.type) || !id || this.byId.has(id)) return;
    if (typeof event.state_key === 'string') {
      if (!older) this.setState(event);
      return;
    }
    const content = obj(event.content);
    if (event.type === 'm.room.redaction') {
      this.redact(str(event.redacts) || str(content.redacts));
      return;
    }
    if (event.type !== 'm.room.message' && event.type !== 'm.room.encrypted' && event.type !== 'm.sticker') return;
    const relation = obj(content['m.relates_to']);
    if (relation.rel_type === 'm.replace' && str(relation.event_id)) {
      this.byId.set(id, event);
      this.replace(str(relation.event_id), event);
      return;
    }
    this.byId.set(id, event);
    const bundled = obj(obj(obj(event.unsigned)['m.relations'])['m.replace']);
    if (bundled.content) this.replace(id, { sender: event.sender, ...bundled });
    if (older) this.events.unshift(event);
    else this.events.push(event);
    this.settle(event);
  }

  replace(target, edit) {
    const key = `${target}|${str(edit.sender)}`;
    const now = this.edits.get(key);
    if (!now || (edit.origin_server_ts || 0) >= (now.origin_server_ts || 0)) this.edits.set(key, edit);
    if (edit.sender === this.me) this.pending = this.pending.filter((p) => p.edits !== target || p.failed);
  }

  redact(target) {
    const event = this.byId.get(target);
    if (!event) return;
    event.redacted = true;
    event.content = {};
    for (const [key, edit] of this.edits)
      if (edit.event_id === target || key.startsWith(`${target}|`)) this.edits.delete(key);
  }

  /** Our own message came back: the echo goes. */
  settle(event) {
    const txn = obj(event.unsigned).transaction_id;
    this.pending = this.pending.filter((p) => p.edits || (p.txn !== txn && p.eventId !== event.event_id));
  }

  apply(data, initial) {
    this.joined = true;
    this.inviter = null;
    const timeline = obj(data.timeline);
    if (timeline.limited === true && !initial && this.events.length) {
      this.events = [];
      this.byId.clear();
      this.atStart = false;
      this.prev = null;
    }
    if (this.prev === null && str(timeline.prev_batch)) this.prev = timeline.prev_batch;
    for (const e of list(obj(data.state).events)) if (typeof e?.state_key === 'string') this.setState(e);
    for (const e of list(timeline.events)) if (e && typeof e === 'object') this.take(e, false);
    if (this.events.length > timelineCap) {
      for (const gone of this.events.splice(0, this.events.length - timelineCap)) this.byId.delete(gone.event_id);
      this.atStart = true; // older ones come back with a reload
    }
    for (const e of list(obj(data.ephemeral).events))
      if (e?.type === 'm.typing')
        this.typing = list(obj(e.content).user_ids).filter((u) => typeof u === 'string' && u !== this.me);
  }

  applyOlder(data) {
    for (const e of list(data.chunk)) if (e && typeof e === 'object') this.take(e, true);
    const end = str(data.end);
    if (!end || end === this.prev || list(data.chunk).length === 0) this.atStart = true;
    else this.prev = end;
  }

  /** Content as it stands now: the newest edit of the same sender wins. */
  current(event) {
    const waiting = this.pending.find((p) => p.edits === event.event_id && !p.failed);
    if (waiting) return { content: obj(waiting.content['m.new_content']), edited: true };
    const edit = this.edits.get(`${event.event_id}|${event.sender}`);
    if (edit) {
      const fresh = obj(obj(edit.content)['m.new_content']);
      if (str(fresh.body)) return { content: fresh, edited: true };
    }
    return { content: obj(event.content), edited: false };
  }

  unread() {
    return this.events.filter((e) => e.sender !== this.me && !e.redacted && (e.origin_server_ts || 0) > this.seen).length;
  }

  /** Everything here has been looked at; answers the newest event if that is news. */
  markSeen() {
    const last = this.events[this.events.length - 1];
    const ts = Math.max(0, ...this.events.slice(-50).map((e) => e.origin_server_ts || 0));
    if (!last || ts <= this.seen) return null;
    this.seen = ts;
    try {
      localStorage.setItem(`pb.seen.${this.id}`, String(ts));
    } catch { /* storage may be full or forbidden */ }
    return last;
  }

  get lastTs() {
    return this.events.length ? this.events[this.events.length - 1].origin_server_ts || 0 : 0;
  }
}

export class Store {
  constructor(me, bot) {
    this.me = me;
    this.bot = bot;
    this.rooms = new Map();
  }

  room(id) {
    if (!this.rooms.has(id)) this.rooms.set(id, new Room(id, this.me));
    return this.rooms.get(id);
  }

  apply(data, initial) {
    const rooms = obj(data.rooms);
    for (const [id, r] of Object.entries(obj(rooms.join))) this.room(id).apply(obj(r), initial);
    for (const [id, r] of Object.entries(obj(rooms.invite))) {
      const room = this.room(id);
      room.joined = false;
      room.inviter = '';
      for (const e of list(obj(obj(r).invite_state).events)) {
        if (typeof e?.state_key !== 'string') continue;
        room.setState(e);
        if (e.type === 'm.room.member' && e.state_key === this.me && obj(e.content).membership === 'invite')
          room.inviter = str(e.sender);
      }
    }
    for (const id of Object.keys(obj(rooms.leave))) this.rooms.delete(id);
  }

  get spaces() {
    return [...this.rooms.values()].filter((r) => r.joined && r.isSpace);
  }

  get invitations() {
    return [...this.rooms.values()].filter((r) => !r.joined && r.inviter !== null);
  }

  /** [{space, rooms}] and, last, the rooms of no Space (space null). */
  groups() {
    const placed = new Set();
    const out = [];
    for (const space of this.spaces) {
      const rooms = space.children().map((id) => this.rooms.get(id)).filter((r) => r?.joined && !r.isSpace && !placed.has(r.id));
      rooms.forEach((r) => placed.add(r.id));
      out.push({ space, rooms });
    }
    const rest = [...this.rooms.values()].filter((r) => r.joined && !r.isSpace && !placed.has(r.id));
    if (rest.length) out.push({ space: null, rooms: rest });
    return out;
  }

  /** Chats proper: rooms of a Space, the archived ones apart. */
  chats() {
    return this.groups().filter((g) => g.space).flatMap((g) => g.rooms).filter((r) => r.marker.state !== 'archived');
  }
}
