// What the page knows about one room, folded from sync answers. No DOM here. Every field that a
// server or another client may have filled is checked before use.

const timelineCap = 2000;

export const str = (x) => (typeof x === 'string' ? x : '');
export const obj = (x) => (x !== null && typeof x === 'object' && !Array.isArray(x) ? x : {});
export const list = (x) => (Array.isArray(x) ? x : []);

const shown = new Set(['m.room.message', 'm.room.encrypted', 'm.sticker']);

/** What the router says about a message of its own: {turn?, kind, part, confirmation?}. */
export const delivery = (content) => obj(content['io.patchbay.delivery']);

export class Room {
  constructor(id, me, bot) {
    this.id = id;
    this.me = me;
    this.bot = bot;
    this.joined = false;
    this.inviter = null; // set: we are invited
    this.state = new Map(); // "type|key" → event
    this.events = []; // messages, oldest first
    this.byId = new Map();
    this.edits = new Map(); // "event id|sender" → newest replacement; only the author's own counts
    this.reactions = new Map(); // event id → key → sender → reaction event
    this.readers = new Map(); // other people → the event they have read up to
    this.pending = []; // what we send right now
    this.reacting = new Map(); // event id → key of a reaction that is on its way
    this.typing = [];
    this.unsent = ''; // text in the composer while another room is open
    this.prev = null; // token for older messages
    this.atStart = false;
    this.hole = false; // what stood before was lost, and earlier messages are wanted
    this.seen = Number(localStorage.getItem(`pb.seen.${id}`)) || 0;
  }

  content(type, key = '') {
    return obj(this.state.get(`${type}|${key}`)?.content);
  }

  get isSpace() {
    return this.content('m.room.create').type === 'm.space';
  }

  /** Markers count only when the bot wrote them. */
  marked(type) {
    const event = this.state.get(`${type}|`);
    return event && (!this.bot || event.sender === this.bot) ? obj(event.content) : {};
  }

  get marker() {
    return this.marked('io.patchbay.chat');
  }

  get archived() {
    return this.marker.state === 'archived';
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
      if (event.type === 'm.room.member' && obj(event.content).membership === 'join') out.push(event.state_key);
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
    const relation = obj(content['m.relates_to']);
    const target = str(relation.event_id);
    if (event.type === 'm.room.redaction') return this.redact(str(event.redacts) || str(content.redacts));
    if (event.type === 'm.reaction') return this.react(target, str(relation.key).slice(0, 40), event);
    if (!shown.has(event.type)) return;
    if (relation.rel_type === 'm.replace' && target) return this.replace(target, event);
    this.byId.set(id, event);
    if (obj(event.unsigned).redacted_because) event.redacted = true;
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

  react(target, key, event) {
    if (!target || !key) return;
    if (!this.reactions.has(target)) this.reactions.set(target, new Map());
    const keys = this.reactions.get(target);
    if (!keys.has(key)) keys.set(key, new Map());
    keys.get(key).set(event.sender, event);
    if (event.sender === this.me) this.reacting.delete(target);
  }

  redact(target) {
    const event = this.byId.get(target);
    if (event) Object.assign(event, { redacted: true, content: {} });
    for (const [key, edit] of this.edits)
      if (edit.event_id === target || key.startsWith(`${target}|`)) this.edits.delete(key);
    for (const keys of this.reactions.values())
      for (const [key, senders] of keys) {
        for (const [sender, reaction] of senders) if (reaction.event_id === target) senders.delete(sender);
        if (senders.size === 0) keys.delete(key);
      }
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
      for (const map of [this.byId, this.edits, this.reactions]) map.clear();
      this.atStart = false;
      this.prev = null;
      this.hole = true;
    }
    if (this.prev === null && str(timeline.prev_batch)) this.prev = timeline.prev_batch;
    for (const e of list(obj(data.state).events)) if (typeof e?.state_key === 'string') this.setState(e);
    for (const e of list(timeline.events)) if (e && typeof e === 'object') this.take(e, false);
    if (this.events.length > timelineCap) this.forget(this.events.length - timelineCap);
    for (const e of list(obj(data.ephemeral).events)) {
      if (e?.type === 'm.typing')
        this.typing = list(obj(e.content).user_ids).filter((u) => typeof u === 'string' && u !== this.me);
      else if (e?.type === 'm.receipt') this.takeReceipts(obj(e.content));
    }
  }

  /** The oldest messages go with all that belongs to them; a reload brings them back. */
  forget(count) {
    for (const gone of this.events.splice(0, count)) {
      this.byId.delete(gone.event_id);
      this.edits.delete(`${gone.event_id}|${gone.sender}`);
      this.reactions.delete(gone.event_id);
    }
    this.atStart = true;
  }

  takeReceipts(content) {
    for (const [event, kinds] of Object.entries(content))
      for (const kind of ['m.read', 'm.read.private'])
        for (const [user, receipt] of Object.entries(obj(obj(kinds)[kind]))) {
          if (user !== this.me) this.readers.set(user, event);
          else this.seenUpTo(this.readTs(this.byId.get(event), Number(obj(receipt).ts) || 0));
        }
  }

  /** Up to when a receipt of `at` says that its event has been read: with its final edit or without. */
  readTs(event, at) {
    if (!event) return at;
    const news = this.newsTs(event);
    return news <= at ? news : event.origin_server_ts || 0;
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
    if (edit && !event.redacted) {
      const outer = obj(edit.content);
      const fresh = obj(outer['m.new_content']);
      if (str(fresh.body)) {
        const told = fresh['io.patchbay.delivery'] ?? outer['io.patchbay.delivery'];
        return { content: told ? { ...fresh, 'io.patchbay.delivery': told } : fresh, edited: !told };
      }
    }
    return { content: obj(event.content), edited: false };
  }

  /** When it became what a person wants to know about: for an answer that grew, its final edit. */
  newsTs(event) {
    const sent = event.origin_server_ts || 0;
    const edit = event.sender === this.bot ? this.edits.get(`${event.event_id}|${event.sender}`) : null;
    if (!edit || delivery(this.current(event).content).kind === 'draft') return sent;
    return Math.max(sent, edit.origin_server_ts || 0);
  }

  isNews(event, since) {
    return event.sender !== this.me && !event.redacted && this.newsTs(event) > since;
  }

  unread() {
    return this.events.filter((e) => this.isNews(e, this.seen)).length;
  }

  /** True when that is later than what was known. */
  seenUpTo(ts) {
    if (!(ts > this.seen)) return false;
    this.seen = ts;
    try {
      localStorage.setItem(`pb.seen.${this.id}`, String(ts));
    } catch { /* storage may be full or forbidden */ }
    return true;
  }

  /** Everything here has been looked at; answers the newest event if that is news. */
  markSeen() {
    const ts = Math.max(0, ...this.events.slice(-50).map((e) => this.newsTs(e)));
    return this.seenUpTo(ts) ? this.events.at(-1) : null;
  }

  /** An answer of the bot is on its way here: it types, or its newest message still grows. */
  get busy() {
    if (this.archived) return false;
    const last = this.events.findLast((e) => e.sender === this.bot && !e.redacted);
    return this.typing.includes(this.bot) || (last !== undefined && delivery(this.current(last).content).kind === 'draft');
  }
}
