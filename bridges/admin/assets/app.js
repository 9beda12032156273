// The console starts here: the token, then the chat page or the status alone.

import { Chat } from './chat.js';
import { colourSwitch } from './colours.js';
import { banner, byId, el } from './dom.js';
import { Status } from './status.js';
import { t, translatePage } from './words.js';

const tokenKey = 'pb.token';

// The token comes in the fragment, which no server sees; it leaves the address bar at once.
const given = /^#token=([^&]+)/.exec(location.hash);
if (given) {
  sessionStorage.setItem(tokenKey, decodeURIComponent(given[1]));
  history.replaceState(null, '', location.pathname);
}

async function api(path, anyStatus = false) {
  const abort = AbortSignal.timeout(6000);
  let answer;
  try {
    answer = await fetch(path, { headers: { Authorization: `Bearer ${sessionStorage.getItem(tokenKey) ?? ''}` }, signal: abort, cache: 'no-store' });
  } catch {
    throw Object.assign(new Error(t('The router does not answer.')), { status: 0 });
  }
  const data = await answer.json().catch(() => ({}));
  if (answer.ok || anyStatus) return data;
  throw Object.assign(new Error(`${data.message ?? t('The router answered {0}.', answer.status)} ${data.hint ?? ''}`), { status: answer.status });
}

function askForToken(why) {
  const field = el('input', { type: 'password', autocomplete: 'off', 'aria-label': t('Token'), 'data-testid': 'token', required: true, placeholder: t('Token') });
  const form = el('form', { class: 'center card', 'data-testid': 'token-form' },
    el('img', { src: '/favicon.svg', alt: '', width: '64', height: '64' }), el('h1', {}, t('Who is there?')),
    el('p', {}, t('Open the link that '), el('code', {}, 'patchbay run'), t(' prints: it holds the token. Or paste the token here; without a configured one it lies in the data folder.')),
    why ? el('p', { class: 'bad', role: 'alert' }, why) : null,
    el('div', { class: 'row' }, field, el('button', { class: 'big', type: 'submit' }, t('Open'))));
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    sessionStorage.setItem(tokenKey, field.value.trim());
    begin();
  });
  byId('main').replaceChildren(form);
  byId('status-text').textContent = t('The status needs the token.');
  field.focus();
}

function statusPage(status) {
  const place = el('div', { 'data-testid': 'status-page' });
  byId('main').replaceChildren(el('div', { class: 'page' }, el('h1', {}, t('Router')),
    el('p', { class: 'faint' }, t('The chat page belongs to the embedded default. This router serves another homeserver: use any Matrix client to talk to its agents.')), place));
  status.takePage(place);
}

function chooseAccount(accounts) {
  const wanted = sessionStorage.getItem('pb.account');
  const account = accounts.find((a) => a.user_id === wanted) ?? accounts[0];
  const select = byId('account');
  select.replaceChildren(...accounts.map((a) => el('option', { value: a.user_id, selected: a === account }, a.user_id)));
  select.addEventListener('change', () => {
    sessionStorage.setItem('pb.account', select.value);
    location.reload();
  });
  byId('account-box').hidden = false;
  return account;
}

async function begin() {
  if (!sessionStorage.getItem(tokenKey)) return askForToken('');
  let setup;
  try {
    setup = await api('/api/v1/console');
    banner('router', null);
  } catch (e) {
    if (e.status === 401) {
      sessionStorage.removeItem(tokenKey);
      return askForToken(t('This token is not accepted. Each start of the router may have made a new one.'));
    }
    banner('router', `${e.message} ${t('Trying again…')}`);
    setTimeout(begin, 2000);
    return undefined;
  }
  const status = new Status(api, (why) => banner('router', why));
  status.start();
  const accounts = Array.isArray(setup.accounts) ? setup.accounts.filter((a) => typeof a?.user_id === 'string') : [];
  if (typeof setup.homeserver !== 'string' || accounts.length === 0) return statusPage(status);
  return new Chat(setup, chooseAccount(accounts), status).run();
}

translatePage();
colourSwitch();
begin();
