// Where a person writes: text, edits, replies and files.

import { el, icon } from './dom.js';

const str = (x) => (typeof x === 'string' ? x : '');

export class Composer {
  /** actions: {text(text, {edits, reply}), files(list), lastOwn()} */
  constructor(actions) {
    this.actions = actions;
    this.mode = null; // {edits: event} or {reply: event}
    this.field = el('textarea', { rows: '1', 'data-testid': 'composer', 'aria-label': 'Message', placeholder: 'Write a message', dir: 'auto', maxlength: '60000' });
    this.picker = el('input', { type: 'file', multiple: true, hidden: true, 'data-testid': 'file-input', 'aria-hidden': 'true', tabindex: '-1' });
    this.bar = el('div', { class: 'mode', hidden: true, 'data-testid': 'compose-mode' });
    this.sendButton = el('button', { class: 'send', type: 'submit', 'aria-label': 'Send', title: 'Send (Enter)', 'data-testid': 'send' }, icon('send'));
    const clip = el('button', { class: 'icon', type: 'button', 'aria-label': 'Attach files', title: 'Attach files', 'data-testid': 'attach', onclick: () => this.picker.click() }, icon('clip'));
    this.root = el('form', { class: 'composer' }, this.bar,
      el('div', { class: 'row' }, clip, this.picker, this.field, this.sendButton),
      el('p', { class: 'hint' }, el('kbd', {}, 'Enter'), ' sends, ', el('kbd', {}, 'Shift + Enter'), ' makes a new line, ', el('kbd', {}, '↑'), ' edits your last message. ',
        el('button', { type: 'button', class: 'linklike', 'data-testid': 'help-hint', onclick: () => this.put('!help') }, '!help'), ' lists the commands.'));
    this.root.addEventListener('submit', (e) => { e.preventDefault(); this.submit(); });
    this.field.addEventListener('input', () => this.grow());
    this.field.addEventListener('keydown', (e) => this.key(e));
    this.field.addEventListener('paste', (e) => {
      if (e.clipboardData?.files?.length) {
        e.preventDefault();
        actions.files([...e.clipboardData.files]);
      }
    });
    this.picker.addEventListener('change', () => {
      actions.files([...this.picker.files]);
      this.picker.value = '';
    });
  }

  /** Files may be dropped anywhere on `zone`. */
  acceptDrops(zone) {
    let depth = 0;
    const carries = (e) => [...(e.dataTransfer?.types ?? [])].includes('Files');
    zone.addEventListener('dragenter', (e) => { if (carries(e)) { e.preventDefault(); ++depth; zone.classList.add('dropping'); } });
    zone.addEventListener('dragover', (e) => { if (carries(e)) e.preventDefault(); });
    zone.addEventListener('dragleave', () => { if (depth > 0 && --depth === 0) zone.classList.remove('dropping'); });
    zone.addEventListener('drop', (e) => {
      if (!carries(e)) return;
      e.preventDefault();
      depth = 0;
      zone.classList.remove('dropping');
      this.actions.files([...e.dataTransfer.files]);
    });
  }

  key(e) {
    if (e.isComposing) return;
    if (e.key === 'Enter' && !e.shiftKey) {
      e.preventDefault();
      this.submit();
    } else if (e.key === 'Escape' && this.mode) {
      e.preventDefault();
      this.leaveMode();
    } else if (e.key === 'ArrowUp' && this.field.value === '' && !this.mode) {
      const last = this.actions.lastOwn();
      if (last) {
        e.preventDefault();
        this.edit(last.event, last.text);
      }
    }
  }

  submit() {
    const text = this.field.value.trim();
    if (!text) return;
    const mode = this.mode;
    this.leaveMode();
    this.field.value = '';
    this.grow();
    this.actions.text(text, mode ?? {});
  }

  put(text) {
    this.field.value = text;
    this.grow();
    this.field.focus();
  }

  grow() {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, 220)}px`;
  }

  edit(event, text) {
    this.enter({ edits: event }, 'Editing your message');
    this.put(text);
  }

  reply(event, who, text) {
    this.enter({ reply: event }, `Reply to ${who}: ${str(text).replace(/\s+/g, ' ').slice(0, 90)}`);
    this.field.focus();
  }

  enter(mode, words) {
    this.mode = mode;
    this.bar.replaceChildren(el('span', {}, words),
      el('button', { class: 'icon', type: 'button', 'aria-label': 'Never mind', title: 'Never mind (Esc)', onclick: () => this.leaveMode() }, icon('close')));
    this.bar.hidden = false;
  }

  leaveMode() {
    if (this.mode?.edits) this.put('');
    this.mode = null;
    this.bar.hidden = true;
  }
}
