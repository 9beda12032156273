// The page's words in the language of the browser. The English text is the key; what has no
// translation stays English.

import { ru } from './words_ru.js';

export const language = (navigator.languages?.length ? navigator.languages : [navigator.language])
  .map((l) => String(l).slice(0, 2).toLowerCase()).find((l) => l === 'en' || l === 'ru') ?? 'en';

/** t('Reply to {0}', name) */
export function t(text, ...parts) {
  const words = language === 'ru' ? ru[text] ?? text : text;
  return words.replace(/\{(\d)\}/g, (_, n) => String(parts[n] ?? ''));
}

/** What stands in index.html: elements with data-words have their text and their label translated. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-words]')) {
    if (node.childElementCount === 0) node.textContent = t(node.textContent);
    const label = node.getAttribute('aria-label');
    if (label) node.setAttribute('aria-label', t(label));
  }
}
