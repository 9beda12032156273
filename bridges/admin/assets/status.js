// The status line: the router's actors and agents, every two seconds.

import { byId, el } from './dom.js';
import { t } from './words.js';

const good = new Set(['ready', 'ok', 'up', 'idle', 'busy', 'running', 'connected', 'closed', 'plain', 'healthy', 'working', 'serving', 'started', 'live', 'syncing', 'enabled', 'available']);
const bad = new Set(['down', 'dead', 'failed', 'unreachable', 'broken', 'open', 'stopped', 'refused', 'error', 'lost']);

const list = (x) => (Array.isArray(x) ? x.filter((e) => e !== null && typeof e === 'object') : []);

export const mood = (state) => {
  const s = String(state ?? 'ok').toLowerCase();
  return good.has(s) ? 'ok' : bad.has(s) ? 'bad' : 'warn';
};

const cell = (value) => (value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, 200);

function table(caption, rows, firstColumns) {
  const columns = [...new Set([...firstColumns.filter((c) => rows.some((r) => c in r)), ...rows.flatMap((r) => Object.keys(r))])].slice(0, 9);
  const head = el('tr', {}, columns.map((c) => el('th', { scope: 'col' }, c.replaceAll('_', ' '))));
  const body = rows.map((r) => el('tr', { 'data-state': 'state' in r ? mood(r.state) : null }, columns.map((c) => el('td', {}, c === 'state' ? el('span', { class: 'dot', 'aria-hidden': 'true' }) : null, cell(r[c])))));
  return el('section', {}, el('h3', {}, `${caption} (${rows.length})`), rows.length ? el('div', { class: 'table' }, el('table', {}, el('thead', {}, head), el('tbody', {}, body))) : el('p', { class: 'faint' }, t('None.')));
}

export class Status {
  constructor(api, lost) {
    this.api = api;
    this.lost = lost; // called with words when the router is gone, with null when it is back
    this.data = null;
    this.failures = 0;
    this.place = null; // the whole-page view, when there is no chat
    this.inside = el('div');
    byId('details').append(
      el('div', { class: 'dialog-head' }, el('h2', {}, t('Router')), el('button', { type: 'button', onclick: () => byId('details').close() }, t('Close'))),
      this.inside);
    byId('status').addEventListener('click', () => this.open());
    byId('details').addEventListener('click', (e) => { if (e.target === byId('details')) byId('details').close(); });
  }

  start() {
    const round = async () => {
      await this.poll();
      setTimeout(round, document.hidden ? 10000 : 2000);
    };
    round();
  }

  agentLabel(id) {
    return list(this.data?.agents).find((a) => a.id === id)?.label ?? id;
  }

  async poll() {
    try {
      const [status, ready] = await Promise.all([this.api('/api/v1/status'), this.api('/readyz', true)]);
      this.data = status;
      this.ready = ready;
      this.failures = 0;
      this.lost(null);
    } catch (e) {
      if (e.status === 401) {
        this.lost(t('The router has a new token: open the link that its last start printed.'));
        return;
      }
      ++this.failures;
      if (e.status) this.trouble = e.message;
      else this.trouble = t('Nobody answers at this address.');
      if (this.failures > 1) this.lost(e.status ? t('The router is in trouble: {0}', e.message) : t('The router is gone. Start it again with ./scripts/start; this page goes on when it is back.'));
    }
    this.show();
  }

  show() {
    const line = byId('status');
    const agentsBox = byId('status-agents');
    if (this.failures > 1 || (this.failures && !this.data)) {
      line.dataset.state = 'bad';
      byId('status-text').textContent = this.trouble;
      agentsBox.replaceChildren();
      return;
    }
    if (!this.data) return;
    const agents = list(this.data.agents);
    const actors = list(this.data.actors);
    const moods = [...agents, ...actors].map((x) => mood(x.state));
    const ready = this.ready?.ready !== false;
    line.dataset.state = !ready || moods.includes('bad') ? (ready ? 'warn' : 'bad') : moods.includes('warn') ? 'warn' : 'ok';
    const rooms = Array.isArray(this.data.rooms) ? this.data.rooms.length : this.data.rooms;
    const parts = [ready ? t('Router ready') : [t('Router not ready'), this.ready?.detail].filter(Boolean).join(': '), t('Actors: {0}', actors.length)];
    if (typeof rooms === 'number') parts.push(t('rooms: {0}', rooms));
    const text = parts.join(' · ');
    // Only a change is written, so that a screen reader does not repeat the line every two seconds.
    if (byId('status-text').textContent !== text) byId('status-text').textContent = text;
    agentsBox.replaceChildren(...agents.slice(0, 6).map((a) => el('span', { class: 'agent', 'data-state': mood(a.state), 'data-testid': 'agent', title: `${a.label ?? a.id}: ${a.state ?? 'ok'}` },
      el('span', { class: 'dot', 'aria-hidden': 'true' }), String(a.label ?? a.id).slice(0, 40), mood(a.state) === 'ok' ? null : ` (${String(a.state).slice(0, 30)})`)),
      agents.length > 6 ? t('and {0} more', agents.length - 6) : '');
    if (byId('details').open) this.fill();
    if (this.place) this.place.replaceChildren(...this.report());
  }

  report() {
    if (!this.data) return [el('p', {}, this.trouble ?? t('Nothing is known yet.'))];
    const ready = this.ready ?? {};
    const facts = [];
    if (ready.since) facts.push(t('since {0}', new Date(ready.since).toLocaleString()));
    if (typeof ready.last_sync_age_ms === 'number') facts.push(t('last sync {0} s ago', (ready.last_sync_age_ms / 1000).toFixed(1)));
    if ('database_writable' in ready) facts.push(ready.database_writable ? t('database writable') : t('database NOT writable'));
    return [
      el('p', {}, el('b', {}, ready.ready === false ? t('Not ready') : t('Ready')), facts.length ? `: ${facts.join(', ')}.` : '.', ready.detail ? ` ${ready.detail}` : ''),
      table(t('Agents'), list(this.data.agents), ['label', 'id', 'state', 'turns']),
      table(t('Actors'), list(this.data.actors), ['name', 'state']),
    ];
  }

  fill() {
    // The head stays, so that the focus on its button does.
    this.inside.replaceChildren(...this.report());
  }

  open() {
    this.fill();
    if (!byId('details').open) byId('details').showModal();
  }

  /** The status as a page of its own, for a router without the chat page. */
  takePage(node) {
    this.place = node;
    this.show();
  }
}
