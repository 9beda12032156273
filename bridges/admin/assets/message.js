// One message on the page. It is made once and brought up to date part by part, so that what a
// person reads, selects or has in focus stays where it is while the rest changes.

import { morph, textParts, withoutFallback } from './body.js';
import { confirmButtons } from './confirm.js';
import { clock, el, icon } from './dom.js';
import { attachment } from './media.js';
import { delivery, obj, str } from './room.js';
import { t } from './words.js';

const files = new Set(['m.file', 'm.image', 'm.audio', 'm.video']);

/** What a message answers or belongs to: {id, who, text, thread}, or null. */
function relation(room, content, name) {
  const r = obj(content['m.relates_to']);
  const thread = r.rel_type === 'm.thread';
  const answered = thread && r.is_falling_back !== false ? '' : str(obj(r['m.in_reply_to']).event_id);
  const id = answered || (thread ? str(r.event_id) : '');
  if (!id) return null;
  const target = room.byId.get(id);
  if (!target) return { id, thread, who: '', text: t('an earlier message') };
  const { content: now } = room.current(target);
  return { id, thread, who: target.sender === room.me ? t('You') : name(target, now), text: withoutFallback(str(now.body), true).replace(/\s+/g, ' ').slice(0, 120) || t('a deleted message') };
}

/** Everything that a message shows, as plain data. */
export function describe(room, event, { name, confirm, read }) {
  const { content, edited } = room.current(event);
  const told = event.sender === room.bot ? delivery(content) : {};
  const original = obj(event.content);
  return {
    event, content, edited, read, confirm: event.redacted ? null : confirm,
    own: event.sender === room.me, bot: event.sender === room.bot, who: name(event, content), me: room.me,
    kind: str(told.kind), draft: told.kind === 'draft', redacted: event.redacted === true,
    notice: content.msgtype === 'm.notice' && told.kind !== 'draft' && !confirm,
    relation: relation(room, original, name),
    reactions: [...(room.reactions.get(event.event_id) ?? [])].map(([key, senders]) => [key, [...senders.keys()]]),
  };
}

export class Message {
  /** deps: {client, actions, grown(), jump(id)}; the actions are those of the timeline. */
  constructor(event, deps) {
    this.deps = deps;
    this.looks = {};
    this.slots = {
      meta: el('div', { class: 'meta' }), relation: el('div'), body: el('div', { class: 'body', 'data-testid': 'message-body', dir: 'auto' }),
      work: el('ul', { class: 'work', 'data-testid': 'work', 'aria-label': t('What the agent does') }), confirm: el('div', { class: 'confirm', 'data-testid': 'confirm', role: 'group', 'aria-label': t('Your decision') }),
      mark: el('div', { class: 'marks' }), reactions: el('div', { class: 'reactions' }), tools: el('div', { class: 'tools' }),
    };
    const { tools, ...inside } = this.slots;
    this.avatar = el('span', { class: 'avatar', 'aria-hidden': 'true' });
    this.node = el('article', { tabindex: '-1', 'data-testid': 'message', 'data-event-id': event.event_id },
      this.avatar, el('div', { class: 'bubble' }, ...Object.values(inside)), tools);
  }

  /** Fills a slot if what it shows has changed; the focus does not fall out of the message. */
  fill(slot, look, make) {
    const now = JSON.stringify(look ?? null);
    if (this.looks[slot] === now) return;
    this.looks[slot] = now;
    const box = this.slots[slot];
    const focused = box.contains(document.activeElement);
    const children = look ? [make()].flat().filter(Boolean) : [];
    box.replaceChildren(...children);
    box.hidden = children.length === 0;
    if (focused) this.node.focus();
  }

  update(m, follows) {
    const { event, content } = m;
    const { actions, jump } = this.deps;
    const flags = { own: m.own, bot: m.bot, other: !m.own && !m.bot, follows, notice: m.notice, draft: m.draft, asks: m.confirm?.state === 'open' };
    this.node.className = ['message', ...Object.keys(flags).filter((k) => flags[k])].join(' ');
    this.node.dataset.own = String(m.own);
    this.node.dataset.kind = m.kind;
    // A screen reader waits until an answer is whole.
    if (m.draft) this.node.setAttribute('aria-busy', 'true');
    else this.node.removeAttribute('aria-busy');
    const ts = event.origin_server_ts || 0;
    this.node.setAttribute('aria-label', `${m.own ? t('You') : m.who}, ${clock(ts)}`);
    this.avatar.textContent = (Array.from(m.who)[0] ?? '?').toUpperCase();
    this.fill('meta', [m.who, ts], () => [el('b', {}, m.own ? t('You') : m.who), el('time', { datetime: new Date(ts).toISOString() }, clock(ts))]);
    this.fill('relation', m.relation, () => el('button', { class: m.relation.thread ? 'quote thread' : 'quote', type: 'button', 'data-testid': 'quote', title: t('Show the message that this answers'), onclick: () => jump(m.relation.id) },
      m.relation.thread ? el('i', {}, `${t('In a thread')} · `) : null, m.relation.who ? el('b', {}, m.relation.who) : null, ` ${m.relation.text}`));
    this.updateBody(m);
    this.fill('confirm', m.confirm, () => confirmButtons(m.confirm, (key) => actions.react(event, key)));
    this.slots.confirm.dataset.state = m.confirm?.state ?? '';
    const marks = [m.edited && !m.redacted ? 'edited' : '', m.read ? 'read' : ''].filter(Boolean);
    this.fill('mark', marks.length ? marks : null, () => marks.map((x) => el('span', { class: 'mark', 'data-testid': x }, x === 'edited' ? t('edited') : t('✓ read'))));
    this.fill('reactions', m.reactions.length ? m.reactions : null, () => m.reactions.map(([key, who]) => this.reaction(m, key, who)));
    const can = { reply: !m.redacted && event.type !== 'm.room.encrypted', edit: m.own && !m.redacted && content.msgtype === 'm.text', remove: m.own && !m.redacted };
    this.fill('tools', can.reply || can.remove ? can : null, () => this.buttons(event, can));
  }

  reaction(m, key, who) {
    const own = who.includes(m.me);
    return el('button', { type: 'button', class: 'reaction', 'data-testid': 'reaction', 'aria-pressed': String(own), 'aria-label': t('{0}, {1} times', key, who.length), title: who.join(', ').slice(0, 300),
      disabled: m.confirm !== null, // an answer cannot be taken back
      onclick: () => this.deps.actions.toggle(m.event, key) }, key, ` ${who.length}`);
  }

  buttons(event, can) {
    const { actions } = this.deps;
    const button = (name, label, onclick) => el('button', { class: 'icon', type: 'button', 'aria-label': label, title: label, 'data-testid': name, onclick }, icon(name));
    let sure = null;
    const remove = (e) => {
      const b = e.currentTarget;
      if (sure) {
        clearTimeout(sure);
        b.disabled = true;
        actions.remove(event);
        return;
      }
      // The second press deletes: nothing to undo, nothing in the way.
      const calm = () => { sure = null; b.replaceChildren(icon('remove')); b.setAttribute('aria-label', t('Delete')); };
      b.replaceChildren(t('Delete?'));
      b.setAttribute('aria-label', t('Press again to delete'));
      sure = setTimeout(calm, 4000);
    };
    return [can.reply ? button('reply', t('Reply'), () => actions.reply(event)) : null,
      can.edit ? button('edit', t('Edit'), () => actions.edit(event)) : null,
      can.remove ? button('remove', t('Delete'), remove) : null];
  }

  updateBody(m) {
    const { content, event } = m;
    const box = this.slots.body;
    const isFile = (files.has(content.msgtype) || event.type === 'm.sticker') && str(content.url);
    if (m.redacted || event.type === 'm.room.encrypted' || isFile) {
      this.fill('body', [m.redacted, content], () => (m.redacted ? el('em', { class: 'faint' }, t('This message was deleted.'))
        : isFile ? this.file(m) : el('em', { class: 'faint' }, t('An encrypted message. The console cannot read it.'))));
      this.fill('work', null);
      return;
    }
    const look = JSON.stringify([content.body, content.formatted_body, content.format, m.draft]);
    if (this.looks.body === look) return;
    this.looks.body = look;
    const { rich, nodes, tools } = textParts(content, { isReply: m.relation !== null, draft: m.draft });
    let text = box.firstChild?.classList?.contains('text') ? box.firstChild : null;
    if (!text) {
      text = el('div');
      box.replaceChildren(text);
    }
    text.className = rich ? 'text rich' : 'text';
    if (content.msgtype === 'm.emote') nodes.prepend(`* ${m.who} `);
    morph(text, nodes);
    this.fill('work', tools.length ? tools : null, () => tools.map((x) => el('li', { 'data-state': x.state },
      el('span', { class: 'sign', 'aria-hidden': 'true' }, { running: '', done: '✓', failed: '✕' }[x.state]), el('code', {}, x.name), el('span', { class: 'hidden' }, { running: t('runs'), done: t('done'), failed: t('failed') }[x.state]))));
  }

  file({ content }) {
    const caption = str(content.filename) && str(content.body) && content.filename !== content.body ? el('div', { class: 'text', 'data-testid': 'caption' }, str(content.body)) : null;
    return [attachment(this.deps.client, content, this.deps.grown), caption];
  }
}
