// The list of chats: Spaces with their rooms, other rooms, archived chats, invitations.

import { byId, el, icon } from './dom.js';
import { t } from './words.js';

export class Sidebar {
  /** actions: {open(id), create(), accept(room), decline(room)} */
  constructor(actions) {
    this.actions = actions;
    this.root = byId('side');
    this.look = '';
    this.showArchived = false;
    byId('menu').addEventListener('click', () => this.toggle());
    document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && this.menuOpen) this.toggle(false); });
    document.addEventListener('pointerdown', (e) => {
      if (this.menuOpen && !this.root.contains(e.target) && !byId('menu').contains(e.target)) this.toggle(false);
    });
    this.root.addEventListener('keydown', (e) => this.key(e));
  }

  get menuOpen() {
    return document.body.classList.contains('menu-open');
  }

  toggle(open = !this.menuOpen) {
    const within = this.root.contains(document.activeElement);
    document.body.classList.toggle('menu-open', open);
    byId('menu').setAttribute('aria-expanded', String(open));
    if (open) (this.root.querySelector('[aria-current]') ?? this.root.querySelector('button'))?.focus();
    else if (within) byId('menu').focus();
  }

  key(e) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step || e.altKey) return;
    const all = [...this.root.querySelectorAll('button, summary')].filter((n) => n.checkVisibility());
    const next = all[all.indexOf(document.activeElement) + step];
    if (next) { e.preventDefault(); next.focus(); }
  }

  render(store, current, subtitle, canCreate) {
    const groups = store.groups();
    const archived = store.archived();
    const invitations = store.invitations.filter((r) => r.inviter !== store.bot);
    const empty = groups.length + archived.length + invitations.length === 0;
    this.root.hidden = empty;
    byId('menu').hidden = empty;
    const row = (r) => [r.id, r.name, r.id === current ? 0 : r.unread(), subtitle(r), r.busy];
    const look = JSON.stringify([current, canCreate, invitations.map((r) => r.id), archived.map(row),
      groups.map((g) => [g.space?.id, g.space?.name, g.rooms.map(row)])]);
    if (look === this.look) return;
    this.look = look;
    const focused = document.activeElement?.dataset?.room;
    const items = (rooms) => el('ul', {}, rooms.map((r) => el('li', {}, this.item(r, current, subtitle(r)))));
    const parts = [];
    if (invitations.length) parts.push(el('section', { 'data-testid': 'invitations' }, el('h2', {}, t('Invitations')), el('ul', {}, invitations.map((r) => this.invitation(r)))));
    for (const { space, rooms } of groups) {
      const title = space ? space.name : t('Other rooms');
      parts.push(el('section', { 'data-testid': space ? 'space' : 'other-rooms' }, el('h2', { title }, title),
        rooms.length ? items(rooms) : el('p', { class: 'faint' }, t('No chat here yet.'))));
    }
    if (archived.length) {
      const box = el('details', { 'data-testid': 'archived', open: this.showArchived || archived.some((r) => r.id === current) },
        el('summary', {}, t('Archived ({0})', archived.length)), items(archived));
      box.addEventListener('toggle', () => { this.showArchived = box.open; });
      parts.push(box);
    }
    if (canCreate)
      parts.push(el('button', { class: 'new', type: 'button', 'data-testid': 'new-chat', onclick: () => { this.toggle(false); this.actions.create(); } }, icon('plus'), t('New chat')));
    this.root.replaceChildren(...parts);
    if (focused) this.root.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  }

  invitation(r) {
    return el('li', { class: 'invitation', 'data-testid': 'invitation' },
      el('b', {}, r.name), el('small', {}, t('from {0}', r.inviter || t('somebody'))),
      el('span', { class: 'row' }, el('button', { type: 'button', 'data-testid': 'accept', onclick: () => this.actions.accept(r) }, r.isSpace ? t('Join the Space') : t('Join')),
        el('button', { type: 'button', onclick: () => this.actions.decline(r) }, t('Decline'))));
  }

  item(room, current, subtitle) {
    const unread = room.id === current ? 0 : room.unread();
    return el('button', {
      type: 'button', class: `room${room.archived ? ' archived' : ''}${unread ? ' unread' : ''}`, 'data-testid': 'room', 'data-room': room.id,
      'aria-current': room.id === current ? 'page' : null, onclick: () => { this.toggle(false); this.actions.open(room.id); },
    },
    el('span', { class: 'room-text' }, el('span', { class: 'room-name' }, room.name), subtitle ? el('small', {}, subtitle) : null),
    room.busy ? el('span', { class: 'dots', 'data-testid': 'working', role: 'img', 'aria-label': t('An answer is on its way') }, el('i'), el('i'), el('i')) : null,
    unread ? el('span', { class: 'badge', 'data-testid': 'unread', role: 'img', 'aria-label': t('{0} unread', unread) }, unread > 99 ? '99+' : String(unread)) : null);
  }
}
