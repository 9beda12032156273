// Files that wait beside the text until the person sends them.

import { bytes, el, icon, toast } from './dom.js';
import { pictures } from './media.js';
import { t } from './words.js';

const cap = 20; // files of one message

export class Tray {
  /** changed(); limit(): promise of the most bytes of one file. */
  constructor({ changed, limit }) {
    this.changed = changed;
    this.limit = limit;
    this.files = [];
    this.root = el('ul', { class: 'tray', 'aria-label': t('Files to send'), 'data-testid': 'tray', hidden: true });
  }

  async add(files) {
    const most = await this.limit();
    for (const file of files) {
      if (file.size > most) toast(t('“{0}” has {1}; this homeserver takes {2} at most.', file.name, bytes(file.size), bytes(most)), true);
      else if (this.files.length >= cap) toast(t('{0} files at once are enough.', cap), true);
      else this.put(file);
    }
    this.changed();
  }

  put(file) {
    const url = pictures.has(file.type) ? URL.createObjectURL(file) : null;
    const drop = () => {
      if (url) URL.revokeObjectURL(url);
      this.files = this.files.filter((x) => x !== entry);
      this.show();
      this.changed();
    };
    const node = el('li', { 'data-testid': 'staged' }, url ? el('img', { src: url, alt: '' }) : icon('file'),
      el('span', { class: 'file-text' }, el('b', {}, file.name), el('small', {}, bytes(file.size))),
      el('button', { class: 'icon', type: 'button', 'aria-label': t('Do not send {0}', file.name), title: t('Remove'), onclick: drop }, icon('close')));
    const entry = { file, url, node };
    this.files.push(entry);
    this.show();
  }

  show() {
    this.root.replaceChildren(...this.files.map((f) => f.node));
    this.root.hidden = this.files.length === 0;
  }

  /** The files, which leave the tray. */
  take() {
    const out = this.files.map((f) => f.file);
    for (const { url } of this.files) if (url) URL.revokeObjectURL(url);
    this.files = [];
    this.show();
    return out;
  }
}
