// Questions of an agent: which are open, and what was answered. No DOM but in confirmButtons.

import { clock, el, icon } from './dom.js';
import { delivery, obj, str } from './room.js';
import { t } from './words.js';

const keys = { yes: '✅', no: '❌' };
const plainKey = (key) => key.replace(/\ufe0f/g, '');

const answered = (event) => str(obj(obj(obj(event.content)['m.relates_to'])['m.in_reply_to']).event_id);

/**
 * Map of event id → {id, expires, state, asker}; state: open, yes, no, ended (by !stop and its like) or
 * expired. Answers count from the person of this page, the chat's owner and who wrote the message that
 * the question is about; the router counts operators, too, who are not known here.
 */
export function confirmations(room, now) {
  const out = new Map();
  const counts = (c, sender) => [room.me, room.marker.owner, c.asker].includes(sender);
  const alive = (c, ts) => c.state === 'open' && !(ts > c.expires);
  for (const event of room.events) {
    const ts = event.origin_server_ts || 0;
    const asked = obj(delivery(room.current(event).content).confirmation);
    if (event.sender === room.bot && str(asked.id)) {
      const c = { id: asked.id, expires: Number(asked.expires_at) || Infinity, state: 'open', asker: room.byId.get(answered(event))?.sender };
      out.set(event.event_id, c);
      const given = reaction(room, event.event_id, (sender) => counts(c, sender));
      if (given && alive(c, given.ts)) c.state = given.decision;
      continue;
    }
    const said = out.size ? /^!(yes|no|stop|cancel|clear|reset|archive)(?:\s+(\S+))?\s*$/i.exec(str(obj(event.content).body).trim()) : null;
    if (!said) continue;
    const word = said[1].toLowerCase();
    const waiting = [...out.values()].filter((c) => alive(c, ts));
    if (word !== 'yes' && word !== 'no') {
      waiting.filter((c) => counts(c, event.sender)).forEach((c) => { c.state = 'ended'; });
      continue;
    }
    // As the router decides: what is replied to, else the number, else the only one.
    const meant = out.get(answered(event)) ?? (said[2] ? waiting.find((c) => c.id === said[2]) : waiting.length === 1 ? waiting[0] : null);
    if (meant && alive(meant, ts) && counts(meant, event.sender)) meant.state = word;
  }
  for (const c of out.values()) if (c.state === 'open' && now > c.expires) c.state = 'expired';
  return out;
}

function reaction(room, id, counts) {
  const on = room.reacting.get(id);
  if (on === keys.yes || on === keys.no) return { decision: on === keys.yes ? 'yes' : 'no', ts: 0 };
  let first = null;
  for (const [key, senders] of room.reactions.get(id) ?? [])
    for (const [decision, mark] of Object.entries(keys)) {
      if (plainKey(key) !== mark) continue;
      for (const [sender, event] of senders)
        if (counts(sender) && (!first || (event.origin_server_ts || 0) < first.ts)) first = { decision, ts: event.origin_server_ts || 0 };
    }
  return first;
}

/** answer(key): sends the reaction. */
export function confirmButtons(c, answer) {
  const words = { open: c.expires < Infinity ? t('Answer until {0}.', clock(c.expires)) : '', yes: t('You said yes.'), no: t('You said no.'),
    ended: t('No longer asked.'), expired: t('Too late: this was taken as a no.') };
  const button = (decision, text) => el('button', { type: 'button', class: `decide ${decision}`, disabled: c.state !== 'open',
    'aria-pressed': c.state === decision ? 'true' : null, 'data-testid': `confirm-${decision}`, onclick: () => answer(keys[decision]) }, icon(decision), text);
  return [button('yes', t('Yes')), button('no', t('No')), el('span', { class: 'mark', 'data-testid': 'confirm-state', role: 'status' }, words[c.state])];
}
