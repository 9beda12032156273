// All rooms that the page knows, and how they hang together. No DOM here.

import { list, obj, Room, str } from './room.js';

export class Store {
  constructor(me, bot) {
    this.me = me;
    this.bot = bot;
    this.rooms = new Map();
  }

  room(id) {
    if (!this.rooms.has(id)) this.rooms.set(id, new Room(id, this.me, this.bot));
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

  joined(test) {
    return [...this.rooms.values()].filter((r) => r.joined && test(r));
  }

  /** The bot's own Spaces first. */
  get spaces() {
    const own = (r) => (Object.keys(r.marked('io.patchbay.space')).length ? 0 : 1);
    return this.joined((r) => r.isSpace).sort((a, b) => own(a) - own(b));
  }

  get invitations() {
    return [...this.rooms.values()].filter((r) => !r.joined && r.inviter !== null);
  }

  /** [{space, rooms}] and, last, the rooms of no Space (space null). Archived chats are not among them. */
  groups() {
    const placed = new Set();
    const out = [];
    for (const space of this.spaces) {
      const rooms = space.children().map((id) => this.rooms.get(id))
        .filter((r) => r?.joined && !r.isSpace && !r.archived && !placed.has(r.id));
      rooms.forEach((r) => placed.add(r.id));
      out.push({ space, rooms });
    }
    const rest = this.joined((r) => !r.isSpace && !r.archived && !placed.has(r.id));
    if (rest.length) out.push({ space: null, rooms: rest });
    return out;
  }

  archived() {
    return this.joined((r) => !r.isSpace && r.archived);
  }

  /** All rooms in the order in which the list shows them. */
  inOrder() {
    return [...this.groups().flatMap((g) => g.rooms), ...this.archived()];
  }

  /** Chats proper: rooms of a Space. */
  chats() {
    return this.groups().filter((g) => g.space).flatMap((g) => g.rooms);
  }
}
