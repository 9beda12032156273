// The messages of one room. Nodes are kept by key and made anew only when what they show changes.

import { clock, day, el, icon } from './dom.js';
import { attachment } from './media.js';
import { linked, sanitise } from './sanitise.js';

const files = new Set(['m.file', 'm.image', 'm.audio', 'm.video']);
const htmlLimit = 300000;

const str = (x) => (typeof x === 'string' ? x : '');

/** The quoted original that older clients put before a reply's text. */
function withoutFallback(text, isReply) {
  if (!isReply || !text.startsWith('> ')) return text;
  const lines = text.split('\n');
  let i = 0;
  while (i < lines.length && lines[i].startsWith('>')) ++i;
  if (lines[i] === '') ++i;
  return lines.slice(i).join('\n');
}

export class Timeline {
  /** actions: {edit(event), reply(event), retry(pending), drop(pending), older()} */
  constructor(client, bot, actions) {
    this.client = client;
    this.bot = bot;
    this.actions = actions;
    this.nodes = new Map();
    this.list = el('ol', { class: 'messages', 'data-testid': 'messages' });
    const log = el('div', { role: 'log', 'aria-live': 'polite', 'aria-label': 'Messages' }, this.list);
    this.typing = el('div', { class: 'typing', 'data-testid': 'typing', 'aria-live': 'polite' });
    this.more = el('button', { class: 'more', type: 'button', 'data-testid': 'older', onclick: () => actions.older() }, 'Earlier messages');
    this.jump = el('button', { class: 'jump', type: 'button', hidden: true, onclick: () => this.toEnd() }, 'New messages ↓');
    this.scroller = el('div', { class: 'scroller', tabindex: '0', 'aria-label': 'Conversation' }, this.more, log, this.typing);
    this.root = el('div', { class: 'timeline' }, this.scroller, this.jump);
    this.stuck = true; // at the end, and to be kept there when sizes change
    new ResizeObserver(() => { if (this.stuck) this.toEnd(); }).observe(this.scroller);
    this.scroller.addEventListener('scroll', () => {
      this.stuck = this.atEnd();
      if (this.stuck) this.jump.hidden = true;
      if (this.scroller.scrollTop < 60 && !this.more.hidden) actions.older();
    });
  }

  atEnd() {
    const s = this.scroller;
    return s.scrollHeight - s.scrollTop - s.clientHeight < 80;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.jump.hidden = true;
  }

  render(room, { name, first = false } = {}) {
    const s = this.scroller;
    const stick = first || this.stuck;
    const fromBottom = s.scrollHeight - s.scrollTop;
    const hadFirst = this.firstKey;
    const hadLast = this.lastKey;
    const wanted = [];
    let last = null;
    for (const event of room.events) {
      const ts = event.origin_server_ts || 0;
      if (!last || day(ts) !== day(last.origin_server_ts || 0)) wanted.push(this.keep(`day ${day(ts)}`, day(ts), () => el('li', { class: 'day' }, el('span', {}, day(ts)))));
      const follows = last !== null && last.sender === event.sender && ts - (last.origin_server_ts || 0) < 300000 && day(ts) === day(last.origin_server_ts || 0);
      const now = room.current(event);
      const reply = this.quoted(room, event, name);
      const look = JSON.stringify([now, event.redacted, follows, reply, name(event.sender)]);
      wanted.push(this.keep(event.event_id, look, () => this.message(room, event, now, follows, reply, name)));
      last = event;
    }
    for (const p of room.pending.filter((x) => !x.edits || x.failed))
      wanted.push(this.keep(p.txn, JSON.stringify([p.failed, p.label]), () => this.echo(p)));
    const keys = new Set(wanted.map((n) => n.key));
    for (const [key, entry] of this.nodes) if (!keys.has(key)) { entry.node.remove(); this.nodes.delete(key); }
    let at = this.list.firstChild;
    for (const { node } of wanted) {
      if (node === at) at = at.nextSibling;
      else this.list.insertBefore(node, at);
    }
    this.more.hidden = room.atStart || room.prev === null;
    this.firstKey = room.events[0]?.event_id;
    this.lastKey = wanted.at(-1)?.key;
    this.showTyping(room, name);
    if (stick) this.toEnd();
    else if (hadFirst !== this.firstKey) s.scrollTop = s.scrollHeight - fromBottom;
    else if (hadLast !== this.lastKey) this.jump.hidden = false;
  }

  keep(key, look, make) {
    const old = this.nodes.get(key);
    if (old && old.look === look) return old;
    const node = make();
    if (old) old.node.replaceWith(node);
    const entry = { key, look, node };
    this.nodes.set(key, entry);
    return entry;
  }

  showTyping(room, name) {
    const who = room.typing.map((u) => name(u));
    this.typing.replaceChildren();
    if (who.length === 0) return;
    this.typing.append(el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')), `${who.slice(0, 3).join(', ')} ${who.length > 1 ? 'are' : 'is'} writing…`);
  }

  quoted(room, event, name) {
    const id = str(event.content?.['m.relates_to']?.['m.in_reply_to']?.event_id);
    if (!id) return null;
    const target = room.byId.get(id);
    if (!target) return { id, who: '', text: 'an earlier message' };
    const { content } = room.current(target);
    return { id, who: name(target.sender), text: withoutFallback(str(content.body), true).replace(/\s+/g, ' ').slice(0, 120) || 'a deleted message' };
  }

  body(event, content, isReply) {
    if (event.redacted) return el('em', { class: 'faint' }, 'This message was deleted.');
    if (event.type === 'm.room.encrypted') return el('em', { class: 'faint' }, 'An encrypted message. The console cannot read it.');
    if (files.has(content.msgtype) && str(content.url)) {
      const caption = str(content.filename) && str(content.body) && content.filename !== content.body ? el('p', {}, content.body) : null;
      return el('div', {}, attachment(this.client, content, () => { if (this.stuck) this.toEnd(); }), caption);
    }
    const html = content.format === 'org.matrix.custom.html' ? str(content.formatted_body) : '';
    const box = el('div', { class: 'text' });
    if (html && html.length <= htmlLimit) {
      box.classList.add('rich');
      box.append(sanitise(html));
    } else {
      box.append(linked(withoutFallback(str(content.body) || '(an empty message)', isReply)));
    }
    return box;
  }

  message(room, event, now, follows, reply, name) {
    const own = event.sender === room.me;
    const kind = str(event.content?.['io.patchbay.delivery']?.kind);
    const notice = now.content.msgtype === 'm.notice' && kind !== 'draft';
    const who = name(event.sender);
    const classes = ['message', own ? 'own' : event.sender === this.bot ? 'bot' : 'other'];
    if (follows) classes.push('follows');
    if (notice) classes.push('notice');
    if (kind === 'draft') classes.push('draft');
    const jump = () => {
      const target = this.nodes.get(reply.id)?.node;
      if (!target) return;
      target.scrollIntoView({ block: 'center' });
      target.classList.add('flash');
      setTimeout(() => target.classList.remove('flash'), 1500);
    };
    const canEdit = own && !event.redacted && now.content.msgtype === 'm.text';
    return el('li', { class: classes.join(' '), 'data-testid': 'message', 'data-own': String(own), 'data-event-id': event.event_id, 'data-kind': kind || null },
      own ? null : el('span', { class: 'avatar', 'aria-hidden': 'true' }, (Array.from(who)[0] ?? '?').toUpperCase()),
      el('div', { class: 'bubble' },
        el('div', { class: 'meta' }, el('b', {}, own ? 'You' : who), el('time', { datetime: new Date(event.origin_server_ts || 0).toISOString() }, clock(event.origin_server_ts || 0))),
        reply ? el('button', { class: 'quote', type: 'button', onclick: jump, 'data-testid': 'quote', title: 'Show the message that this answers' }, reply.who ? el('b', {}, reply.who) : null, ` ${reply.text}`) : null,
        el('div', { class: 'body', 'data-testid': 'message-body', dir: 'auto' }, this.body(event, now.content, reply !== null)),
        now.edited && !event.redacted ? el('span', { class: 'mark', 'data-testid': 'edited' }, 'edited') : null),
      event.redacted || event.type === 'm.room.encrypted' ? null : el('div', { class: 'tools' },
        el('button', { class: 'icon', type: 'button', 'aria-label': 'Reply', title: 'Reply', 'data-testid': 'reply', onclick: () => this.actions.reply(event) }, icon('reply')),
        canEdit ? el('button', { class: 'icon', type: 'button', 'aria-label': 'Edit', title: 'Edit', 'data-testid': 'edit', onclick: () => this.actions.edit(event) }, icon('edit')) : null));
  }

  echo(p) {
    const state = p.failed
      ? el('div', { class: 'failed' }, `Not sent: ${p.failed} `,
        el('button', { type: 'button', onclick: () => this.actions.retry(p) }, 'Try again'), ' ',
        el('button', { type: 'button', onclick: () => this.actions.drop(p) }, 'Discard'))
      : el('span', { class: 'mark' }, 'sending…');
    return el('li', { class: 'message own pending', 'data-testid': 'pending' },
      el('div', { class: 'bubble' }, el('div', { class: 'body', dir: 'auto' }, el('div', { class: 'text' }, p.label)), state));
  }
}
