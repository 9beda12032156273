// The list of chats: Spaces with their rooms, other rooms, invitations.

import { byId, el, icon } from './dom.js';

export class Sidebar {
  /** actions: {open(id), create(), accept(room), decline(room)} */
  constructor(actions) {
    this.actions = actions;
    this.root = byId('side');
    this.look = '';
    byId('menu').addEventListener('click', () => this.toggle());
    document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && document.body.classList.contains('menu-open')) this.toggle(false); });
  }

  toggle(open = !document.body.classList.contains('menu-open')) {
    document.body.classList.toggle('menu-open', open);
    byId('menu').setAttribute('aria-expanded', String(open));
  }

  render(store, current, subtitle, canCreate) {
    const groups = store.groups();
    const invitations = store.invitations.filter((r) => r.inviter !== store.bot);
    const empty = groups.length === 0 && invitations.length === 0;
    this.root.hidden = empty;
    byId('menu').hidden = empty;
    const look = JSON.stringify([current, canCreate, invitations.map((r) => r.id),
      groups.map((g) => [g.space?.id, g.space?.name, g.rooms.map((r) => [r.id, r.name, r.unread(), subtitle(r), r.marker.state])])]);
    if (look === this.look) return;
    this.look = look;
    const focused = document.activeElement?.dataset?.room;
    const parts = [];
    for (const { space, rooms } of groups) {
      const title = space ? space.name : 'Other rooms';
      parts.push(el('section', { 'data-testid': space ? 'space' : 'other-rooms' },
        el('h2', { title }, title),
        el('ul', {}, rooms.map((r) => el('li', {}, this.item(r, current, subtitle(r))))),
        space && rooms.length === 0 ? el('p', { class: 'faint' }, 'No chat here yet.') : null));
    }
    if (invitations.length)
      parts.push(el('section', {}, el('h2', {}, 'Invitations'), el('ul', {}, invitations.map((r) => el('li', { class: 'invitation' },
        el('b', {}, r.name), el('small', {}, `from ${r.inviter || 'somebody'}`),
        el('span', {}, el('button', { type: 'button', onclick: () => this.actions.accept(r) }, 'Join'), ' ', el('button', { type: 'button', onclick: () => this.actions.decline(r) }, 'Decline')))))));
    if (canCreate)
      parts.push(el('button', { class: 'new', type: 'button', 'data-testid': 'new-chat', onclick: () => this.actions.create() }, icon('plus'), 'New chat'));
    this.root.replaceChildren(...parts);
    if (focused) this.root.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  }

  item(room, current, subtitle) {
    const unread = room.id === current ? 0 : room.unread();
    const archived = room.marker.state === 'archived';
    return el('button', {
      type: 'button', class: `room${archived ? ' archived' : ''}${unread ? ' unread' : ''}`, 'data-testid': 'room', 'data-room': room.id,
      'aria-current': room.id === current ? 'page' : null, onclick: () => { this.toggle(false); this.actions.open(room.id); },
    },
    el('span', { class: 'room-text' }, el('span', { class: 'room-name' }, room.name), subtitle ? el('small', {}, subtitle) : null),
    unread ? el('span', { class: 'badge', 'data-testid': 'unread', 'aria-label': `${unread} unread` }, unread > 99 ? '99+' : String(unread)) : null);
  }
}
