// The switch between light, dark, and what the system says.

import { byId } from './dom.js';
import { t } from './words.js';

const labels = { auto: 'Colours: as the system', light: 'Colours: light', dark: 'Colours: dark' };
const order = Object.keys(labels);

export function colourSwitch() {
  const button = byId('theme');
  const root = document.documentElement;
  const show = (theme) => {
    root.dataset.theme = theme;
    button.setAttribute('aria-label', t(labels[theme]));
    button.title = t(labels[theme]);
  };
  show(order.includes(root.dataset.theme) ? root.dataset.theme : 'auto');
  button.addEventListener('click', () => {
    const next = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    show(next);
    try {
      localStorage.setItem('pb.theme', next);
    } catch { /* then it lasts as long as the page */ }
  });
}
