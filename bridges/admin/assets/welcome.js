// The cards of the first minute: nothing yet, on its way, and late.

import { byId, el } from './dom.js';
import { t } from './words.js';

const card = (id, ...children) => byId('main').replaceChildren(el('div', { class: 'center card', 'data-testid': id }, ...children));

/** begin(): a promise that fails with an error for the person. */
export function startCard(user, begin) {
  const why = el('p', { class: 'bad', role: 'alert' });
  const button = el('button', { class: 'big', type: 'button', 'data-testid': 'start-chat' }, t('Start a chat'));
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = t('One moment…');
    why.textContent = '';
    try {
      await begin();
    } catch (e) {
      button.disabled = false;
      button.textContent = t('Start a chat');
      why.textContent = t('The room could not be made: {0}', e.message);
    }
  });
  card('start-card', el('img', { src: '/favicon.svg', alt: '', width: '64', height: '64' }), el('h1', {}, t('Talk to an agent')),
    el('p', {}, t('Patchbay makes a Space for you and opens the first chat in it. Each chat is a room with its own memory, and you can have as many as you like.')),
    button, why, el('p', { class: 'faint' }, t('You are {0} on the development homeserver of this machine.', user)));
  button.focus();
}

export function waitingCard() {
  card('waiting', el('div', { class: 'spinner', 'aria-hidden': 'true' }), el('h1', {}, t('Setting up your Space')),
    el('p', {}, t('The bot takes the invitation, makes your Space and opens the first chat. This takes a second or two.')));
}

/** openLobby: null when there is no room at all. */
export function lateCard(askAgain, openLobby) {
  card('waiting-late', el('h1', {}, t('No chat yet')),
    el('p', {}, t('The bot has not opened a chat. Look at the status line below: is the router ready? You can also ask again.')),
    el('button', { class: 'big', type: 'button', onclick: askAgain }, t('Ask again')),
    openLobby ? el('button', { type: 'button', onclick: openLobby }, t('Open the first room')) : null);
}
