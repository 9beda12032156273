// The list of commands that opens when a message begins with "!". The router has the last word on
// what there is; this list only helps to write it.

import { el } from './dom.js';
import { t } from './words.js';

const commands = [
  ['!help', '', 'lists the commands'],
  ['!start', '', 'shows where your Space is'],
  ['!new', '[NAME]', 'opens a new chat'],
  ['!chats', '', 'lists your chats'],
  ['!rename', 'NAME', 'gives this chat another name'],
  ['!archive', '', 'puts this chat away'],
  ['!restore', 'CHAT', 'brings a chat back'],
  ['!agent', '[N]', 'shows the agents, or chooses one for new chats'],
  ['!clear', '', 'gives this chat a fresh context'],
  ['!context', '', 'shows what the agent has in mind here'],
  ['!save', '[NAME]', 'has the conversation written down'],
  ['!load', '[NAME]', 'has a saved conversation read'],
  ['!settings', '', 'shows the settings'],
  ['!set', 'NAME VALUE', 'changes a setting'],
  ['!allow', 'USER', 'lets somebody speak to the agent here'],
  ['!deny', 'USER', 'takes that back'],
  ['!yes', '[ID]', 'answers a question with yes'],
  ['!no', '[ID]', 'answers a question with no'],
  ['!stop', '', 'ends the running answer'],
  ['!retry', '', 'sends the last interrupted message again'],
];

export class Hints {
  /** field: the textarea; chosen(text): puts the text into it. */
  constructor(field, chosen) {
    this.field = field;
    this.chosen = chosen;
    this.items = [];
    this.at = 0;
    this.dismissed = false;
    this.root = el('ul', { class: 'hints', id: 'hints', role: 'listbox', 'aria-label': t('Commands'), 'data-testid': 'hints', hidden: true });
    for (const [name, value] of Object.entries({ 'aria-autocomplete': 'list', 'aria-haspopup': 'listbox', 'aria-controls': 'hints' })) field.setAttribute(name, value);
    field.addEventListener('input', () => { this.dismissed = false; this.update(); });
    field.addEventListener('blur', () => this.hide());
  }

  get open() {
    return !this.root.hidden;
  }

  update() {
    const word = this.field.value;
    this.items = this.dismissed || !/^![a-z]*$/i.test(word) ? [] : commands.filter(([name]) => name.startsWith(word.toLowerCase()));
    this.at = Math.max(0, this.items.findIndex(([name]) => name === word.toLowerCase()));
    if (this.items.length === 0) return this.hide();
    this.root.replaceChildren(...this.items.map(([name, args, what], i) => {
      const item = el('li', { id: `hint-${i}`, role: 'option' }, el('b', {}, name), args ? el('code', {}, ` ${args}`) : null, el('small', {}, t(what)));
      // Not click: the field would lose the focus, and with it the list.
      item.addEventListener('pointerdown', (e) => { e.preventDefault(); this.at = i; this.take(); });
      return item;
    }));
    this.root.hidden = false;
    return this.mark();
  }

  mark() {
    [...this.root.children].forEach((node, i) => node.setAttribute('aria-selected', String(i === this.at)));
    this.root.children[this.at]?.scrollIntoView({ block: 'nearest' });
    this.field.setAttribute('aria-activedescendant', `hint-${this.at}`);
  }

  hide() {
    this.root.hidden = true;
    this.field.removeAttribute('aria-activedescendant');
  }

  take() {
    const [name, args] = this.items[this.at];
    this.dismissed = true;
    this.hide();
    this.chosen(args ? `${name} ` : name);
  }

  /** True when the key was for the list. */
  key(e) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      this.at = (this.at + step + this.items.length) % this.items.length;
      this.mark();
    } else if (e.key === 'Escape') {
      this.dismissed = true;
      this.hide();
    } else if (e.key === 'Tab' || (e.key === 'Enter' && this.field.value.toLowerCase() !== this.items[this.at][0])) {
      this.take();
    } else {
      return false;
    }
    e.preventDefault();
    return true;
  }
}
