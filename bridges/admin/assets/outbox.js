// What the person sends: texts, edits, files, reactions, deletions. Messages leave a room's queue in
// order; each keeps its transaction id, so that trying again never doubles it.

import { toast } from './dom.js';
import { fileContent, fileName } from './media.js';
import { obj, str } from './room.js';
import { t } from './words.js';

export class Outbox {
  /** changed(): something to show has changed. */
  constructor(client, changed) {
    this.client = client;
    this.changed = changed;
    this.queues = new Map(); // room → promise
  }

  /** mode: {} or {edits: event} or {reply: event} */
  text(room, text, mode = {}) {
    const content = { msgtype: 'm.text', body: text };
    if (mode.edits) {
      if (text === room.current(mode.edits).content.body) return;
      Object.assign(content, { body: `* ${text}`, 'm.new_content': { msgtype: 'm.text', body: text }, 'm.relates_to': { rel_type: 'm.replace', event_id: mode.edits.event_id } });
    } else {
      Object.assign(content, this.relation(room, mode.reply));
    }
    const p = { txn: this.client.txn(), content, label: text, edits: mode.edits?.event_id ?? null, failed: null };
    room.pending.push(p);
    this.deliver(room, [p]);
  }

  /** A reply stays in the thread of what it answers. */
  relation(room, reply) {
    if (!reply) return {};
    const answered = { 'm.in_reply_to': { event_id: reply.event_id } };
    const now = obj(obj(reply.content)['m.relates_to']);
    const thread = now.rel_type === 'm.thread' ? { rel_type: 'm.thread', event_id: str(now.event_id), is_falling_back: false } : {};
    return { 'm.relates_to': { ...thread, ...answered }, ...(reply.sender === room.me ? {} : { 'm.mentions': { user_ids: [reply.sender] } }) };
  }

  /** All are uploaded first and then sent one after the other; the last carries the caption. */
  files(room, files, caption, mode = {}) {
    const group = files.map((file, i) => ({
      txn: this.client.txn(), file, label: `📎 ${file.name}${caption && i === files.length - 1 ? `\n${caption}` : ''}`, edits: null, failed: null,
      caption: i === files.length - 1 ? caption : '', more: i === 0 ? this.relation(room, mode.reply) : {},
    }));
    room.pending.push(...group);
    this.deliver(room, group);
  }

  deliver(room, group) {
    const attempt = async (p, work) => {
      try {
        await work();
      } catch (e) {
        p.failed = e.status === 413 ? t('the file is too large for this homeserver.') : e.message;
      }
      this.changed(room);
    };
    const work = async () => {
      for (const p of group)
        if (p.file && !p.content) await attempt(p, async () => { p.content = { ...await fileContent(p.file, await this.client.upload(p.file), p.caption), ...p.more }; });
      for (const p of group.filter((x) => !x.failed))
        await attempt(p, async () => {
          p.eventId = await this.client.send(room.id, 'm.room.message', p.content, p.txn);
          if (room.byId.has(p.eventId)) room.pending = room.pending.filter((x) => x !== p);
        });
    };
    const queue = (this.queues.get(room.id) ?? Promise.resolve()).then(work);
    this.queues.set(room.id, queue);
    this.changed(room);
  }

  retry(room, p) {
    p.failed = null;
    this.deliver(room, [p]);
  }

  drop(room, p) {
    room.pending = room.pending.filter((x) => x !== p);
    this.changed(room);
  }

  async react(room, event, key) {
    room.reacting.set(event.event_id, key);
    this.changed(room);
    try {
      await this.client.send(room.id, 'm.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: event.event_id, key } }, this.client.txn());
    } catch (e) {
      // The same reaction twice: it is there already, and so it counts.
      if (e.code !== 'M_DUPLICATE_ANNOTATION') {
        room.reacting.delete(event.event_id);
        toast(t('That did not work: {0}', e.message), true);
      }
    }
    this.changed(room);
  }

  /** Adds the person's reaction, or takes it back. */
  toggle(room, event, key) {
    const own = room.reactions.get(event.event_id)?.get(key)?.get(room.me);
    return own ? this.remove(room, own) : this.react(room, event, key);
  }

  async remove(room, event) {
    try {
      await this.client.redact(room.id, event.event_id, this.client.txn());
    } catch (e) {
      toast(t('“{0}” could not be deleted: {1}', fileName(obj(event.content)).slice(0, 40), e.message), true);
      this.changed(room);
    }
  }
}
