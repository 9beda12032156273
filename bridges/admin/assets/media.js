// Files in messages: pictures, sound, films and short texts are shown, everything can be downloaded.
// The homeserver gives files only to who is signed in, so all of them come by fetch and as blobs.

import { bytes, byId, el, icon, toast } from './dom.js';
import { t } from './words.js';

// Raster formats alone: a browser runs no script in them.
export const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const inlineLimit = 20 * 1024 * 1024;
const textLimit = 256 * 1024;
const textShown = 4000; // characters of a preview
const cacheLimit = 60;
const cache = new Map(); // mxc → promise of an object URL

function objectUrl(client, mxc, type) {
  if (cache.has(mxc)) return cache.get(mxc);
  const promise = client.download(mxc).then((blob) => URL.createObjectURL(new Blob([blob], { type })));
  cache.set(mxc, promise);
  promise.catch(() => cache.delete(mxc));
  if (cache.size > cacheLimit) {
    const [oldest, url] = cache.entries().next().value;
    cache.delete(oldest);
    url.then((u) => URL.revokeObjectURL(u), () => {});
  }
  return promise;
}

async function save(client, mxc, name) {
  const blob = await client.download(mxc);
  const url = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  const a = el('a', { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

export function fileName(content) {
  const name = typeof content.filename === 'string' && content.filename ? content.filename : content.body;
  return String(name ?? 'file').split(/[/\\]/).pop().slice(0, 200) || 'file';
}

/** The picture in full, over the page; Esc closes it. */
function lightbox(url, name, download) {
  const box = byId('lightbox');
  box.setAttribute('aria-label', name);
  box.replaceChildren(
    el('div', { class: 'dialog-head' }, el('b', {}, name), el('span', { class: 'spacer' }),
      el('button', { class: 'icon', type: 'button', 'aria-label': t('Download {0}', name), title: t('Download'), onclick: download }, icon('down')),
      el('button', { class: 'icon', type: 'button', 'aria-label': t('Close'), title: t('Close (Esc)'), onclick: () => box.close() }, icon('close'))),
    el('img', { src: url, alt: name }));
  box.showModal();
}

/** A file of a message, as nodes; grown() when it has taken its size. */
export function attachment(client, content, grown) {
  const name = fileName(content);
  const info = content.info !== null && typeof content.info === 'object' ? content.info : {};
  const type = typeof info.mimetype === 'string' ? info.mimetype.split(';')[0] : '';
  const size = Number(info.size) || 0;
  const mxc = content.url;
  const attempt = async (button, work) => {
    button.disabled = true;
    try {
      await work();
      grown();
    } catch (e) {
      toast(t('“{0}” could not be fetched: {1}', name, e.message), true);
    }
    button.disabled = false;
  };
  const button = el('button', { class: 'file', type: 'button', 'data-testid': 'file', 'aria-label': t('Download {0}', name), title: t('Download {0}', name) },
    icon('file'), el('span', { class: 'file-text' }, el('b', {}, name), el('small', {}, bytes(info.size))), icon('down'));
  const download = () => attempt(button, () => save(client, mxc, name));
  button.addEventListener('click', download);
  const box = el('div', { class: 'attachment' }, button);
  /** A button that gives way to what it fetches. */
  const offer = (label, sign, make) => {
    const show = el('button', { class: 'show', type: 'button', 'data-testid': 'preview', 'aria-label': `${label}: ${name}` }, icon(sign), label);
    show.addEventListener('click', () => attempt(show, async () => {
      const node = await make();
      show.replaceWith(node);
      node.focus();
    }));
    box.append(show);
    return box;
  };
  const played = (tag) => async () => el(tag, { controls: true, tabindex: '0', src: await objectUrl(client, mxc, type), 'aria-label': name, 'data-testid': tag });
  if (content.msgtype === 'm.audio' && type.startsWith('audio/')) return offer(t('Listen'), 'play', played('audio'));
  if (content.msgtype === 'm.video' && type.startsWith('video/')) return offer(t('Watch'), 'play', played('video'));
  if ((type.startsWith('text/') || type === 'application/json') && size > 0 && size <= textLimit)
    return offer(t('Show'), 'eye', async () => {
      const text = await (await client.download(mxc)).text();
      return el('pre', { class: 'preview', tabindex: '0', 'aria-label': name, 'data-testid': 'text-preview' }, text.length > textShown ? `${text.slice(0, textShown)}\n…` : text);
    });
  if ((content.msgtype !== 'm.image' && content.msgtype !== undefined) || !pictures.has(type) || size > inlineLimit) return box;

  const image = el('img', { alt: name, 'data-testid': 'image' });
  const frame = el('button', { class: 'picture', type: 'button', title: t('{0}: press to enlarge', name) }, image);
  const w = Number(info.w), h = Number(info.h);
  if (w > 0 && h > 0 && w < 20000 && h < 20000) {
    const scale = Math.min(1, 360 / w, 300 / h);
    image.width = Math.round(w * scale);
    image.height = Math.round(h * scale);
  }
  image.addEventListener('load', grown);
  image.addEventListener('error', () => frame.replaceWith(box));
  frame.addEventListener('click', () => image.src && lightbox(image.src, name, download));
  objectUrl(client, mxc, type).then((url) => { image.src = url; }, () => frame.replaceWith(box));
  return frame;
}

/** Width and height of a picture that is about to be sent; nothing for other files. */
async function measure(file) {
  if (!pictures.has(file.type)) return {};
  try {
    const bitmap = await createImageBitmap(file);
    const size = { w: bitmap.width, h: bitmap.height };
    bitmap.close();
    return size;
  } catch {
    return {};
  }
}

/** The message for a file that has been uploaded. */
export async function fileContent(file, mxc, caption = '') {
  const kind = ['image', 'audio', 'video'].find((k) => file.type.startsWith(`${k}/`) && file.type !== 'image/svg+xml') ?? 'file';
  return {
    msgtype: `m.${kind}`, body: caption || file.name, filename: file.name, url: mxc,
    info: { mimetype: file.type || 'application/octet-stream', size: file.size, ...(await measure(file)) },
  };
}
