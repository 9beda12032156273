// The chat page: joins the list of rooms, the messages of one, and the composer.

import { startCard, lateCard, waitingCard } from './welcome.js';
import { Composer } from './composer.js';
import { byId, el, pause, toast } from './dom.js';
import { MatrixClient } from './matrix.js';
import { Outbox } from './outbox.js';
import { delivery, obj, str } from './room.js';
import { Session } from './session.js';
import { Sidebar } from './sidebar.js';
import { Store } from './store.js';
import { Timeline } from './timeline.js';
import { t } from './words.js';

const patience = 20000; // until we say that the bot takes long
const screenful = 20; // messages

export class Chat {
  constructor(setup, account, status) {
    this.account = account;
    this.bot = setup.bot;
    this.status = status;
    this.client = new MatrixClient(setup.homeserver);
    this.session = new Session(this.client, account);
    this.store = new Store(account.user_id, setup.bot);
    this.outbox = new Outbox(this.client, () => this.refresh());
    this.sidebar = new Sidebar({
      open: (id) => this.open(id, true), create: () => this.newChat(), accept: (r) => this.join(r).then(() => { this.wanted = r.isSpace ? null : r.id; this.refresh(); }),
      decline: (r) => this.client.leave(r.id).catch((e) => toast(t('That did not work: {0}', e.message), true)),
    });
    this.current = null;
    this.chosen = false; // the person picked the room that is open
    this.wanted = null; // a room that opens as soon as it is there
    this.waitingSince = 0;
    this.fresh = null; // ids known when a new chat was asked for
    this.joining = new Set();
    this.view = null;
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.refresh(); });
    document.addEventListener('keydown', (e) => this.key(e));
    setInterval(() => { if (this.asks) this.refresh(); }, 5000); // questions expire
  }

  run() {
    return this.session.follow((data, initial) => {
      this.store.apply(data, initial);
      // Only the bot's own invitations are taken without asking.
      for (const room of this.store.invitations) if (this.bot && room.inviter === this.bot) this.join(room);
      this.refresh();
    });
  }

  /** Alt with the arrows goes through the rooms, wherever the focus is. */
  key(e) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!e.altKey || !step || e.ctrlKey || e.metaKey) return;
    const rooms = this.store.inOrder();
    const next = rooms[rooms.findIndex((r) => r.id === this.current) + step];
    e.preventDefault();
    if (next) this.open(next.id, true);
  }

  async join(room) {
    if (this.joining.has(room.id)) return;
    this.joining.add(room.id);
    for (let attempt = 1; attempt <= 5; ++attempt) {
      try {
        await this.client.join(room.id);
        break;
      } catch (e) {
        if (attempt === 5) toast(t('“{0}” could not be joined: {1}', room.name, e.message), true);
        else await pause(1000 * attempt);
      }
    }
    this.joining.delete(room.id);
  }

  /** Whose name stands over a message: the agent's over its answers, the bot's over its own words. */
  name(room, event, content) {
    const agent = str(room.marker.agent_id);
    const told = delivery(content);
    const ownWords = (told.kind === 'notice' || told.kind === 'reply') && !told.confirmation;
    if (event.sender === this.bot && agent && !ownWords) return String(this.status.agentLabel(agent));
    return room.person(event.sender);
  }

  subtitle(room) {
    const { agent_id: agent, chat } = room.marker;
    if (typeof agent !== 'string') return '';
    return [this.status.agentLabel(agent), str(chat)].filter(Boolean).join(' · ');
  }

  /** Brings everything on the page up to date with the store. */
  refresh() {
    const chats = this.store.chats();
    const born = this.fresh ? chats.find((r) => !this.fresh.has(r.id)) : this.store.joined((r) => r.id === this.wanted)[0];
    if (born) {
      this.fresh = this.wanted = null;
      this.open(born.id, true);
      return;
    }
    if (this.current && !this.store.rooms.get(this.current)?.joined) this.current = null;
    if (!this.current || (!this.chosen && chats.length && !chats.some((r) => r.id === this.current))) {
      const last = localStorage.getItem(`pb.room.${this.account.user_id}`);
      const next = chats.find((r) => r.id === last) ?? chats[0];
      if (next) {
        this.open(next.id, false);
        return;
      }
    }
    const all = this.store.inOrder();
    if (!this.current) {
      const invited = this.store.invitations.some((r) => r.inviter === this.bot);
      if (all.length || this.store.spaces.length || invited || this.waitingSince) this.showWaiting();
      else this.showStart();
    }
    this.showRoom();
    this.sidebar.render(this.store, this.current, (r) => this.subtitle(r), chats.length > 0);
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
    const lobby = this.store.inOrder()[0];
    lateCard(() => {
      this.waitingSince = Date.now();
      if (lobby) this.outbox.text(lobby, '!start');
      else this.client.createDirect(this.bot).catch((e) => toast(e.message, true));
      this.refresh();
    }, lobby ? () => this.open(lobby.id, true) : null);
  }

  open(id, chosen) {
    const before = this.store.rooms.get(this.current);
    if (before && this.composer) before.unsent = this.composer.mode?.edits ? '' : this.composer.field.value;
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
    if (first) this.makePane(room);
    if (room.hole) {
      room.hole = false;
      this.older(room);
    }
    this.title.textContent = room.name;
    const context = room.marker.platform_chat_id;
    this.about.textContent = [this.subtitle(room), Number.isInteger(context) ? t('context {0}', context) : ''].filter(Boolean).join(' · ');
    this.closed.hidden = !room.archived;
    this.composer.setClosed(room.archived);
    this.composer.setBusy(room.busy);
    this.asks = room.events.some((e) => obj(delivery(obj(e.content)).confirmation).id);
    this.timeline.render(room, { name: (event, content) => this.name(room, event, content), since: this.since, first });
    if (first) this.composer.grow();
    if (document.hidden) return;
    const last = room.markSeen();
    if (last) this.client.read(room.id, last.event_id);
  }

  makePane(room) {
    this.view = room.id;
    this.since = room.seen;
    this.timeline = new Timeline(this.client, {
      edit: (event) => this.composer.edit(event, str(room.current(event).content.body)),
      reply: (event) => {
        const { content } = room.current(event);
        this.composer.reply(event, event.sender === room.me ? t('yourself') : this.name(room, event, content), content.body);
      },
      remove: (event) => this.outbox.remove(room, event),
      react: (event, key) => this.outbox.react(room, event, key),
      toggle: (event, key) => this.outbox.toggle(room, event, key),
      retry: (p) => this.outbox.retry(room, p),
      drop: (p) => this.outbox.drop(room, p),
      older: () => this.older(room),
    });
    const sent = (work) => (...args) => { work(...args); this.timeline.toEnd(); };
    this.composer = new Composer({
      text: sent((text, mode) => this.outbox.text(room, text, mode)),
      files: sent((files, caption, mode) => this.outbox.files(room, files, caption, mode)),
      stop: () => this.outbox.text(room, '!stop'),
      limit: () => (this.mediaLimit ??= this.client.uploadLimit()),
      lastOwn: () => {
        // A command has been carried out: to edit it changes nothing.
        const event = room.events.findLast((e) => e.sender === room.me && !e.redacted && e.content?.msgtype === 'm.text' && !str(e.content.body).startsWith('!'));
        return event ? { event, text: str(room.current(event).content.body) } : null;
      },
    }, room.unsent);
    this.title = el('h1', { 'data-testid': 'room-title' });
    this.about = el('p', { class: 'faint', 'data-testid': 'room-about' });
    this.closed = el('div', { class: 'closed', 'data-testid': 'closed', hidden: true }, el('span', {}, t('This chat is archived.')),
      el('button', { type: 'button', 'data-testid': 'restore', onclick: () => this.restore(room) }, t('Bring it back')));
    const pane = el('section', { class: 'pane', 'data-room': room.id, 'data-testid': 'pane', 'aria-label': t('Conversation') },
      el('header', { class: 'room-head' }, this.title, this.about), this.timeline.root, this.closed, this.composer.root);
    this.composer.acceptDrops(pane);
    byId('main').replaceChildren(pane);
    room.hole = room.events.length < screenful;
  }

  async older(room) {
    if (room.paging || room.atStart || room.prev === null) return;
    room.paging = true;
    const before = room.events.length;
    try {
      // Answers that grew by edits fill pages without one message more to show.
      for (let pages = 0; pages < 10 && !room.atStart && room.events.length < before + screenful; ++pages)
        room.applyOlder(await this.client.messages(room.id, room.prev));
    } catch (e) {
      toast(t('Earlier messages could not be fetched: {0}', e.message), true);
    }
    room.paging = false;
    if (this.current === room.id) this.showRoom();
  }

  /** Commands about other rooms are said where the bot listens: in a chat, or in the lobby. */
  listeningRoom() {
    const chats = this.store.chats();
    return chats.find((r) => r.id === this.current) ?? chats[0] ?? this.store.groups().flatMap((g) => g.rooms)[0];
  }

  newChat() {
    const room = this.listeningRoom();
    if (!room) return;
    this.fresh = new Set(this.store.chats().map((r) => r.id));
    setTimeout(() => { this.fresh = null; }, patience);
    this.outbox.text(room, '!new');
    toast(t('Asked for a new chat: it opens in a moment.'));
  }

  restore(archived) {
    const room = this.listeningRoom();
    if (!room || typeof archived.marker.chat !== 'string') return;
    this.outbox.text(room, `!restore ${archived.marker.chat}`);
    toast(t('Asked to bring {0} back.', archived.name));
  }
}
