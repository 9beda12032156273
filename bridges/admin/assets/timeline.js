// The messages of one room: their order, days, scrolling, and moving among them by keyboard.

import { confirmations } from './confirm.js';
import { day, el } from './dom.js';
import { describe, Message } from './message.js';
import { t } from './words.js';

const groupWithin = 300000; // ms between two messages that stand under one name

export class Timeline {
  /** actions: {edit, reply, remove (event), react(event, key), toggle(event, key), retry, drop (pending), older()} */
  constructor(client, actions) {
    this.deps = { client, actions, grown: () => { if (this.stuck) this.toEnd(); }, jump: (id) => this.show(id) };
    this.actions = actions;
    this.messages = new Map(); // event id → Message
    this.others = new Map(); // days, divider, echoes: key → {look, node}
    this.list = el('div', { class: 'messages', role: 'log', 'aria-live': 'polite', 'aria-label': t('Messages'), 'data-testid': 'messages' });
    this.typing = el('div', { class: 'typing', 'data-testid': 'typing', role: 'status' });
    this.more = el('button', { class: 'more', type: 'button', 'data-testid': 'older', onclick: () => actions.older() }, t('Earlier messages'));
    this.jump = el('button', { class: 'jump', type: 'button', hidden: true, 'data-testid': 'jump', onclick: () => { this.toEnd(); this.focusLast(); } });
    this.scroller = el('div', { class: 'scroller', 'data-testid': 'scroller' }, this.more, this.list, this.typing);
    this.root = el('div', { class: 'timeline' }, this.scroller, this.jump);
    this.stuck = true; // at the end, and to be kept there when sizes change
    this.news = 0;
    const keep = new ResizeObserver(() => { if (this.stuck) this.toEnd(); });
    keep.observe(this.scroller);
    keep.observe(this.list);
    this.scroller.addEventListener('scroll', () => {
      this.stuck = this.atEnd();
      if (this.stuck) this.news = 0;
      this.showJump();
      if (this.scroller.scrollTop < 60 && !this.more.hidden) actions.older();
    });
    this.list.addEventListener('keydown', (e) => this.key(e));
    this.list.addEventListener('focusin', (e) => this.rove(e.target.closest('.message')));
  }

  atEnd() {
    const s = this.scroller;
    return s.scrollHeight - s.scrollTop - s.clientHeight < 60;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.stuck = true;
    this.news = 0;
    this.showJump();
  }

  showJump() {
    this.jump.hidden = this.stuck;
    const words = this.news ? t('New messages ↓') : t('To the end ↓');
    if (this.jump.textContent !== words) this.jump.textContent = words;
    this.jump.classList.toggle('news', this.news > 0);
  }

  /** One message is a stop of the Tab key; the arrows go to its neighbours. */
  key(e) {
    if (e.altKey || e.ctrlKey || e.metaKey || !e.target.classList.contains('message')) return;
    const all = [...this.list.querySelectorAll('.message')];
    const at = all.indexOf(e.target);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[e.key];
    if (to === undefined || !all[to]) return;
    e.preventDefault();
    all[to].focus();
    all[to].scrollIntoView({ block: 'nearest' });
  }

  rove(node) {
    if (!node || node === this.stop) return;
    if (this.stop) this.stop.tabIndex = -1;
    this.stop = node;
    node.tabIndex = 0;
  }

  focusLast() {
    this.list.querySelector('.message:last-child')?.focus({ preventScroll: true });
  }

  show(id) {
    const node = this.messages.get(id)?.node;
    if (!node) return;
    node.scrollIntoView({ block: 'center' });
    node.focus({ preventScroll: true });
    node.classList.add('flash');
    setTimeout(() => node.classList.remove('flash'), 1500);
  }

  /** What stands at the top of the view, to be put back there afterwards. */
  anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    for (const node of this.list.children) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { node, at: box.top };
    }
    return null;
  }

  /** name(event, content) → words; since: what came later was new when the room was opened. */
  render(room, { name, since, first = false }) {
    const stick = first || this.stuck;
    const anchor = stick ? null : this.anchor();
    const lastBefore = this.lastId;
    const wanted = this.wanted(room, name, since);
    const keys = new Set(wanted.map(([key]) => key));
    for (const map of [this.messages, this.others])
      for (const [key, entry] of map) if (!keys.has(key)) { entry.node.remove(); map.delete(key); }
    let at = this.list.firstChild;
    for (const [, node] of wanted) {
      if (node === at) at = at.nextSibling;
      else this.list.insertBefore(node, at);
    }
    if (!this.stop?.isConnected || !this.list.contains(document.activeElement)) this.rove(this.list.querySelector('.message:last-child'));
    this.more.hidden = room.atStart || room.prev === null;
    this.lastId = room.events.at(-1)?.event_id;
    this.showTyping(room, name);
    if (stick) this.toEnd();
    else {
      if (anchor?.node.isConnected) this.scroller.scrollTop += anchor.node.getBoundingClientRect().top - anchor.at;
      if (lastBefore !== this.lastId) ++this.news;
      this.showJump();
    }
  }

  /** [key, node] in the order of the page. */
  wanted(room, name, since) {
    const out = [];
    const asked = confirmations(room, Date.now());
    const readTo = Math.max(-1, ...[...room.readers.values()].map((id) => room.events.findIndex((e) => e.event_id === id)));
    const lastRead = room.events.findLastIndex((e, i) => i <= readTo && e.sender === room.me);
    let last = null;
    let divided = since === 0;
    for (const [i, event] of room.events.entries()) {
      const ts = event.origin_server_ts || 0;
      const today = day(ts);
      const m = describe(room, event, { name, confirm: asked.get(event.event_id) ?? null, read: i === lastRead });
      let apart = !last || today !== last.today;
      if (apart) out.push(this.keep(`day ${today}`, today, () => el('p', { class: 'day' }, el('span', {}, today))));
      if (!divided && room.isNews(event, since)) {
        divided = true;
        apart = true;
        out.push(this.keep('news', '', () => el('p', { class: 'day unread-line', 'data-testid': 'unread-line' }, el('span', {}, t('New')))));
      }
      const follows = !apart && last.who === m.who && last.own === m.own && ts - last.ts < groupWithin;
      let message = this.messages.get(event.event_id);
      if (!message) this.messages.set(event.event_id, message = new Message(event, this.deps));
      message.update(m, follows);
      out.push([event.event_id, message.node]);
      last = { who: m.who, own: m.own, ts, today };
    }
    for (const p of room.pending.filter((x) => !x.edits || x.failed))
      out.push(this.keep(p.txn, JSON.stringify([p.failed, p.label]), () => this.echo(p)));
    return out;
  }

  keep(key, look, make) {
    let entry = this.others.get(key);
    if (!entry || entry.look !== look) {
      const node = make();
      entry?.node.replaceWith(node);
      this.others.set(key, entry = { look, node });
    }
    return [key, entry.node];
  }

  showTyping(room, name) {
    const who = room.typing.map((u) => name({ sender: u }, {})).slice(0, 3).join(', ');
    if (this.typing.dataset.who === who) return;
    this.typing.dataset.who = who;
    this.typing.replaceChildren();
    if (who) this.typing.append(el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')), room.typing.length > 1 ? t('{0} are writing…', who) : t('{0} is writing…', who));
  }

  echo(p) {
    const state = p.failed
      ? el('div', { class: 'failed', role: 'alert' }, `${t('Not sent:')} ${p.failed} `,
        el('button', { type: 'button', onclick: () => this.actions.retry(p) }, t('Try again')), ' ',
        el('button', { type: 'button', onclick: () => this.actions.drop(p) }, t('Discard')))
      : el('span', { class: 'mark' }, p.file && !p.content ? t('uploading…') : t('sending…'));
    return el('article', { class: 'message own pending', tabindex: '-1', 'data-testid': 'pending' },
      el('div', { class: 'bubble' }, el('div', { class: 'body', dir: 'auto' }, el('div', { class: 'text' }, p.label)), state));
  }
}
