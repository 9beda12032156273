// Small tools for the page. Text only ever enters as text nodes, never as markup.

import { language, t } from './words.js';

/** el('p', {class: 'x', onclick: f, 'data-testid': 'y'}, 'text', node, null) */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, '');
    else node.setAttribute(key, String(value));
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const paths = {
  clip: 'M8 12.5l6-6a3 3 0 0 1 4.3 4.2l-8 8a5 5 0 0 1-7-7l7.5-7.6',
  send: 'M4 12l16-8-5 16-3.5-6.5z',
  edit: 'M5 19l1-4L16 5l3 3L9 18z',
  reply: 'M10 7l-5 5 5 5M5 12h9a5 5 0 0 1 5 5v1',
  close: 'M6 6l12 12M18 6L6 18',
  file: 'M7 3h7l4 4v14H7zM14 3v5h4',
  down: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  plus: 'M12 5v14M5 12h14',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  stop: 'M8 8h8v8H8z',
  yes: 'M5 12.5l4.5 4.5L19 7',
  no: 'M7 7l10 10M17 7L7 17',
  play: 'M8 5l11 7-11 7z',
  eye: 'M3 12c3-5 6-7 9-7s6 2 9 7c-3 5-6 7-9 7s-6-2-9-7zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5',
};

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** A short message that goes away by itself; errors stay longer. */
export function toast(text, bad = false) {
  const box = byId('toasts');
  const node = el('div', { class: bad ? 'toast bad' : 'toast', 'data-testid': 'toast' }, text);
  box.append(node);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => node.remove(), bad ? 9000 : 4000);
}

/** The line under the header for what stays wrong; null takes it away. One owner, one text. */
const banners = new Map();
export function banner(owner, text) {
  if (text) banners.set(owner, text);
  else banners.delete(owner);
  const node = byId('banner');
  // When the router is gone, everything else is its consequence.
  node.textContent = banners.get('router') ?? [...banners.values()].join(' ');
  node.hidden = banners.size === 0;
}

export function bytes(n) {
  if (typeof n !== 'number' || !isFinite(n) || n < 0) return '';
  const units = [t('bytes'), t('KB'), t('MB'), t('GB')];
  let i = 0;
  for (; n >= 1000 && i < 3; ++i) n /= 1024;
  return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`;
}

// The browser's own form where it speaks the page's language: 24 hours, or a.m. and p.m.
const locale = navigator.language?.startsWith(language) ? navigator.language : language;

export const clock = (ms) =>
  new Date(ms).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });

export function day(ms) {
  const date = new Date(ms);
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return t('Today');
  today.setDate(today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return t('Yesterday');
  return date.toLocaleDateString(locale, { weekday: 'long', day: 'numeric', month: 'long' });
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
