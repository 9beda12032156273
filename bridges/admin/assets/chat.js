// The chat page: signs in, follows the sync, and joins list, messages and composer.

import { banner, byId, el, pause, toast } from './dom.js';
import { lateCard, startCard, waitingCard } from './welcome.js';
import { MatrixClient } from './matrix.js';
import { fileContent } from './media.js';
import { Composer } from './composer.js';
import { Sidebar } from './sidebar.js';
import { Store } from './store.js';
import { Timeline } from './timeline.js';

const patience = 20000; // until we say that the bot takes long

export class Chat {
  constructor(setup, account, status) {
    this.account = account;
    this.bot = setup.bot;
    this.status = status;
    this.client = new MatrixClient(setup.homeserver);
    this.store = new Store(account.user_id, setup.bot);
    this.sidebar = new Sidebar({
      open: (id) => this.open(id, true), create: () => this.newChat(),
      accept: (r) => this.join(r), decline: (r) => this.client.leave(r.id).catch((e) => toast(`That did not work: ${e.message}`, true)),
    });
    this.current = null;
    this.chosen = false; // the person picked the room that is open
    this.waitingSince = 0;
    this.fresh = null; // ids known when a new chat was asked for
    this.joining = new Set();
    this.queues = new Map(); // room → promise: messages leave in order
    this.view = null;
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.refresh(); });
    document.addEventListener('keydown', (e) => {
      if (!e.altKey || (e.key !== 'ArrowUp' && e.key !== 'ArrowDown')) return;
      const rooms = this.store.groups().flatMap((g) => g.rooms);
      const at = rooms.findIndex((r) => r.id === this.current);
      const next = rooms[at + (e.key === 'ArrowUp' ? -1 : 1)];
      if (next) { e.preventDefault(); this.open(next.id, true); }
    });
  }

  get storageKey() {
    return `pb.matrix.${this.client.base}.${this.account.user_id}`;
  }

  async signIn(again = false) {
    let known = {};
    try {
      known = JSON.parse(sessionStorage.getItem(this.storageKey)) ?? {};
    } catch { /* then we sign in */ }
    if (known.token && !again) {
      Object.assign(this.client, { token: known.token, user: known.user, device: known.device });
      return;
    }
    await this.client.login(this.account.user_id, this.account.password, known.device);
    sessionStorage.setItem(this.storageKey, JSON.stringify({ token: this.client.token, user: this.client.user, device: this.client.device }));
  }

  /** Runs as long as the page is open. */
  async run() {
    let since = null;
    let failures = 0;
    let signedIn = false;
    for (;;) {
      try {
        if (!signedIn) {
          await this.signIn();
          signedIn = true;
        }
        const data = await this.client.sync(since, since && failures === 0 ? 30000 : 0);
        this.store.apply(data, since === null);
        since = data.next_batch;
        failures = 0;
        banner('homeserver', null);
        this.acceptInvitations();
        this.refresh();
      } catch (e) {
        ++failures;
        if (!signedIn) {
          this.trouble(e);
        } else if (e.status === 401) {
          await this.signIn(true).then(() => { signedIn = true; since = null; }, (f) => this.trouble(f));
        } else if (e.status === 400 && since !== null) {
          since = null; // the server does not know this position any more
        } else {
          this.trouble(e);
        }
        await pause(Math.min(10000, 500 * 2 ** Math.min(failures, 5)));
      }
    }
  }

  trouble(e) {
    if (e.status === 403 || e.status === 401) banner('homeserver', `The homeserver does not accept the account ${this.account.user_id}: ${e.message} If the data folder was moved or changed, start Patchbay again and open its new link.`);
    else if (e.status !== undefined) banner('homeserver', `${e.message} Trying again…`);
    else {
      console.error(e);
      banner('homeserver', 'The console met something that it does not understand. Reload the page.');
    }
  }

  // Only the bot's own invitations are taken without asking.
  acceptInvitations() {
    for (const room of this.store.invitations) if (this.bot && room.inviter === this.bot) this.join(room);
  }

  async join(room) {
    if (this.joining.has(room.id)) return;
    this.joining.add(room.id);
    for (let attempt = 1; attempt <= 5; ++attempt) {
      try {
        await this.client.join(room.id);
        break;
      } catch (e) {
        if (attempt === 5) toast(`“${room.name}” could not be joined: ${e.message}`, true);
        else await pause(1000 * attempt);
      }
    }
    this.joining.delete(room.id);
  }

  name(room, user) {
    if (user === this.bot) {
      const agent = room.marker.agent_id;
      if (typeof agent === 'string') return String(this.status.agentLabel(agent));
    }
    return room.person(user);
  }

  subtitle(room) {
    if (typeof room.marker.agent_id !== 'string') return '';
    const parts = [this.status.agentLabel(room.marker.agent_id)];
    if (typeof room.marker.chat === 'string') parts.push(room.marker.chat);
    if (room.marker.state === 'archived') parts.push('archived');
    return parts.join(' · ');
  }

  /** Brings everything on the page up to date with the store. */
  refresh() {
    const chats = this.store.chats();
    if (this.fresh) {
      const born = chats.find((r) => !this.fresh.has(r.id));
      if (born) { this.fresh = null; this.open(born.id, true); }
    }
    if (this.current && !this.store.rooms.get(this.current)?.joined) this.current = null;
    if (!this.current || (!this.chosen && !chats.some((r) => r.id === this.current) && chats.length)) {
      const last = localStorage.getItem(`pb.room.${this.account.user_id}`);
      const next = chats.find((r) => r.id === last) ?? chats[0];
      if (next) this.open(next.id, false);
    }
    const all = this.store.groups().flatMap((g) => g.rooms);
    if (!this.current) {
      const invited = this.store.invitations.some((r) => r.inviter === this.bot);
      if (all.length || this.store.spaces.length || invited || this.waitingSince) this.showWaiting();
      else this.showStart();
    }
    this.sidebar.render(this.store, this.current, (r) => this.subtitle(r), chats.length > 0);
    this.showRoom();
    const unread = all.reduce((n, r) => n + (r.id === this.current && !document.hidden ? 0 : r.unread()), 0);
    document.title = unread ? `(${unread}) Patchbay` : 'Patchbay';
  }

  showStart() {
    if (this.view === 'start') return;
    this.view = 'start';
    startCard(this.account.user_id, async () => {
      await this.client.createDirect(this.bot);
      this.waitingSince = Date.now();
      this.refresh();
    });
  }

  showWaiting() {
    if (!this.waitingSince) this.waitingSince = Date.now();
    const late = Date.now() - this.waitingSince > patience;
    const view = late ? 'late' : 'waiting';
    if (this.view === view) return;
    this.view = view;
    if (!late) {
      waitingCard();
      setTimeout(() => this.refresh(), patience + 500);
      return;
    }
    const lobby = this.store.groups().flatMap((g) => g.rooms)[0];
    lateCard(() => {
      this.waitingSince = Date.now();
      if (lobby) this.send(lobby, '!start', {});
      else this.client.createDirect(this.bot).catch((e) => toast(e.message, true));
      this.refresh();
    }, lobby ? () => this.open(lobby.id, true) : null);
  }

  open(id, chosen) {
    this.current = id;
    this.chosen = chosen;
    if (chosen) localStorage.setItem(`pb.room.${this.account.user_id}`, id);
    this.view = null;
    this.refresh();
    if (matchMedia('(min-width: 45rem)').matches) this.composer?.field.focus();
  }

  showRoom() {
    const room = this.store.rooms.get(this.current);
    if (!room) return;
    const first = this.view !== room.id;
    if (first) {
      this.view = room.id;
      this.timeline = new Timeline(this.client, this.bot, {
        edit: (event) => this.composer.edit(event, String(room.current(event).content.body ?? '')),
        reply: (event) => this.composer.reply(event, event.sender === room.me ? 'yourself' : this.name(room, event.sender), room.current(event).content.body),
        retry: (p) => { p.failed = null; this.deliver(room, p); },
        drop: (p) => { room.pending = room.pending.filter((x) => x !== p); this.refresh(); },
        older: () => this.older(room),
      });
      this.composer = new Composer({
        text: (text, mode) => this.send(room, text, mode),
        files: (files) => files.forEach((f) => this.sendFile(room, f)),
        lastOwn: () => {
          const event = room.events.findLast((e) => e.sender === room.me && !e.redacted && e.content?.msgtype === 'm.text');
          return event ? { event, text: String(room.current(event).content.body ?? '') } : null;
        },
      });
      this.title = el('h1', { 'data-testid': 'room-title' });
      this.about = el('p', { class: 'faint', 'data-testid': 'room-about' });
      const pane = el('section', { class: 'pane', 'data-room': room.id, 'data-testid': 'pane' }, el('header', { class: 'room-head' }, this.title, this.about), this.timeline.root, this.composer.root);
      this.composer.acceptDrops(pane);
      byId('main').replaceChildren(pane);
      if (room.events.length < 20) this.older(room);
    }
    this.title.textContent = room.name;
    const chat = room.marker.platform_chat_id;
    this.about.textContent = [this.subtitle(room), Number.isInteger(chat) ? `context ${chat}` : ''].filter(Boolean).join(' · ');
    this.timeline.render(room, { name: (user) => this.name(room, user), first });
    if (!document.hidden) {
      const last = room.markSeen();
      if (last && last.sender !== room.me) this.client.read(room.id, last.event_id);
    }
  }

  async older(room) {
    if (room.paging || room.atStart || room.prev === null) return;
    room.paging = true;
    try {
      room.applyOlder(await this.client.messages(room.id, room.prev));
    } catch (e) {
      toast(`Earlier messages could not be fetched: ${e.message}`, true);
    }
    room.paging = false;
    if (this.current === room.id) this.showRoom();
  }

  send(room, text, { edits, reply }) {
    const content = { msgtype: 'm.text', body: text };
    if (edits) {
      if (text === room.current(edits).content.body) return;
      Object.assign(content, { body: `* ${text}`, 'm.new_content': { msgtype: 'm.text', body: text }, 'm.relates_to': { rel_type: 'm.replace', event_id: edits.event_id } });
    } else if (reply) {
      content['m.relates_to'] = { 'm.in_reply_to': { event_id: reply.event_id } };
    }
    const p = { txn: this.client.txn(), content, label: text, edits: edits?.event_id ?? null, failed: null };
    room.pending.push(p);
    this.deliver(room, p);
    if (this.current === room.id) this.timeline?.toEnd();
  }

  async sendFile(room, file) {
    const p = { txn: this.client.txn(), file, label: `⬆ ${file.name}`, edits: null, failed: null };
    room.pending.push(p);
    this.deliver(room, p);
  }

  /** Sends what is pending, after what was sent before it in this room. */
  deliver(room, p) {
    const work = async () => {
      try {
        if (p.file && !p.content) p.content = await fileContent(p.file, await this.client.upload(p.file));
        p.eventId = await this.client.send(room.id, p.content, p.txn);
        if (room.byId.has(p.eventId)) room.pending = room.pending.filter((x) => x !== p);
      } catch (e) {
        p.failed = e.status === 413 ? 'the file is too large for this homeserver.' : e.message;
      }
      this.refresh();
    };
    const queue = (this.queues.get(room.id) ?? Promise.resolve()).then(work);
    this.queues.set(room.id, queue);
    this.refresh();
  }

  newChat() {
    const chats = this.store.chats();
    const room = chats.find((r) => r.id === this.current) ?? chats[0];
    if (!room) return;
    this.fresh = new Set(chats.map((r) => r.id));
    setTimeout(() => { this.fresh = null; }, patience);
    this.send(room, '!new', {});
    toast('Asked for a new chat: it opens in a moment.');
  }
}
