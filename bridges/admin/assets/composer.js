// Where a person writes: text, commands, edits, replies and files.

import { el, icon } from './dom.js';
import { Hints } from './hints.js';
import { str } from './room.js';
import { Tray } from './tray.js';
import { t } from './words.js';

export class Composer {
  /** actions: {text(text, mode), files(list, caption, mode), lastOwn(), stop(), limit()}; mode: {edits: event} or {reply: event} */
  constructor(actions, text = '') {
    this.actions = actions;
    this.mode = null;
    this.field = el('textarea', { rows: '1', 'data-testid': 'composer', 'aria-label': t('Message'), placeholder: t('Write a message'), dir: 'auto', maxlength: '60000' });
    this.hints = new Hints(this.field, (words) => this.put(words));
    this.tray = new Tray({ changed: () => this.field.focus(), limit: actions.limit });
    this.picker = el('input', { type: 'file', multiple: true, hidden: true, 'data-testid': 'file-input' });
    this.bar = el('div', { class: 'mode', hidden: true, 'data-testid': 'compose-mode' });
    this.stop = el('button', { class: 'stop', type: 'button', hidden: true, 'aria-label': t('Stop the answer'), title: t('Stop the answer'), 'data-testid': 'stop', onclick: () => this.askStop() }, icon('stop'), el('span', { class: 'hide-narrow' }, t('Stop')));
    const send = el('button', { class: 'send', type: 'submit', 'aria-label': t('Send'), title: t('Send (Enter)'), 'data-testid': 'send' }, icon('send'));
    const clip = el('button', { class: 'icon', type: 'button', 'aria-label': t('Attach files'), title: t('Attach files'), 'data-testid': 'attach', onclick: () => this.picker.click() }, icon('clip'));
    this.root = el('form', { class: 'composer', 'aria-label': t('Write') }, this.hints.root, this.bar, this.tray.root,
      el('div', { class: 'row' }, clip, this.picker, this.field, this.stop, send),
      el('p', { class: 'hint' }, [['Enter', t('sends')], ['Shift + Enter', t('new line')], ['↑', t('edits the last message')], ['Alt + ↑ ↓', t('another chat')]].map(([keys, what]) => el('span', {}, el('kbd', {}, keys), ` ${what}`)),
        el('span', {}, el('button', { type: 'button', class: 'linklike', 'data-testid': 'help-hint', onclick: () => this.put('!help') }, '!help'), ` ${t('commands')}`)));
    this.root.addEventListener('submit', (e) => { e.preventDefault(); this.submit(); });
    this.field.addEventListener('input', () => this.grow());
    this.field.addEventListener('keydown', (e) => this.key(e));
    this.field.addEventListener('paste', (e) => {
      if (!e.clipboardData?.files?.length) return;
      e.preventDefault();
      this.attach(e.clipboardData.files);
    });
    this.picker.addEventListener('change', () => {
      this.attach(this.picker.files);
      this.picker.value = '';
    });
    this.field.value = text;
  }

  attach(files) {
    if (this.mode?.edits) this.leaveMode();
    return this.tray.add([...files]);
  }

  /** Files may be dropped anywhere on `zone`. */
  acceptDrops(zone) {
    let depth = 0;
    const carries = (e) => [...(e.dataTransfer?.types ?? [])].includes('Files');
    zone.dataset.drop = t('Drop to attach');
    zone.addEventListener('dragenter', (e) => { if (carries(e)) { e.preventDefault(); ++depth; zone.classList.add('dropping'); } });
    zone.addEventListener('dragover', (e) => { if (carries(e)) e.preventDefault(); });
    zone.addEventListener('dragleave', () => { if (depth > 0 && --depth === 0) zone.classList.remove('dropping'); });
    zone.addEventListener('drop', (e) => {
      if (!carries(e)) return;
      e.preventDefault();
      depth = 0;
      zone.classList.remove('dropping');
      this.attach(e.dataTransfer.files);
    });
  }

  key(e) {
    if (e.isComposing || e.altKey || this.hints.key(e)) return;
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
    const files = this.tray.take();
    if (!text && files.length === 0) return;
    const mode = this.mode ?? {};
    this.leaveMode();
    this.put('');
    if (files.length) this.actions.files(files, text, mode);
    else this.actions.text(text, mode);
  }

  put(text) {
    this.field.value = text;
    this.grow();
    this.field.focus();
    this.hints.update();
  }

  grow() {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, 220)}px`;
  }

  edit(event, text) {
    this.enter({ edits: event }, t('Editing your message'));
    this.put(text);
  }

  reply(event, who, text) {
    this.enter({ reply: event }, t('Reply to {0}: {1}', who, str(text).replace(/\s+/g, ' ').slice(0, 90)));
    this.field.focus();
  }

  enter(mode, words) {
    this.mode = mode;
    this.bar.replaceChildren(el('span', {}, words),
      el('button', { class: 'icon', type: 'button', 'aria-label': t('Never mind'), title: t('Never mind (Esc)'), onclick: () => this.leaveMode() }, icon('close')));
    this.bar.hidden = false;
  }

  leaveMode() {
    if (this.mode?.edits) this.put('');
    this.mode = null;
    this.bar.hidden = true;
    this.field.focus();
  }

  askStop() {
    this.stop.disabled = true;
    this.field.focus();
    this.actions.stop();
  }

  /** An answer is on its way: it can be stopped, once. */
  setBusy(busy) {
    if (this.stop.hidden !== busy) return;
    this.stop.hidden = !busy;
    this.stop.disabled = false;
  }

  /** An archived chat takes no messages. */
  setClosed(closed) {
    this.root.hidden = closed;
  }
}
