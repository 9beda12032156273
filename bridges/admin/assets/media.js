// Files in messages: pictures shown, everything else offered for download.

import { bytes, el, icon, toast } from './dom.js';

// Raster formats alone: a browser runs no script in them.
const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const inlineLimit = 20 * 1024 * 1024;
const cacheLimit = 60;
const cache = new Map(); // mxc → promise of an object URL

function picture(client, mxc, type) {
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

/** A file of a message, as nodes. */
export function attachment(client, content, grown) {
  const name = fileName(content);
  const info = content.info !== null && typeof content.info === 'object' ? content.info : {};
  const mxc = content.url;
  const busy = (button, work) => async () => {
    button.disabled = true;
    try {
      await work();
    } catch (e) {
      toast(`“${name}” could not be fetched: ${e.message}`, true);
    }
    button.disabled = false;
  };
  const button = el('button', { class: 'file', type: 'button', 'data-testid': 'file', 'aria-label': `Download ${name}`, title: `Download ${name}` },
    icon('file'), el('span', { class: 'file-text' }, el('b', {}, name), el('small', {}, bytes(info.size))), icon('down'));
  button.addEventListener('click', busy(button, () => save(client, mxc, name)));
  if (content.msgtype !== 'm.image' || !pictures.has(info.mimetype) || (info.size ?? 0) > inlineLimit) return button;

  const image = el('img', { alt: name, title: `${name}: click to download`, 'data-testid': 'image', class: 'picture', tabindex: '0', role: 'button' });
  const w = Number(info.w), h = Number(info.h);
  if (w > 0 && h > 0 && w < 20000 && h < 20000) {
    const scale = Math.min(1, 360 / w, 300 / h);
    image.width = Math.round(w * scale);
    image.height = Math.round(h * scale);
  }
  image.addEventListener('load', grown);
  image.addEventListener('error', () => image.replaceWith(button));
  image.addEventListener('click', () => button.click());
  image.addEventListener('keydown', (e) => e.key === 'Enter' && button.click());
  picture(client, mxc, info.mimetype).then((url) => { image.src = url; }, () => image.replaceWith(button));
  return image;
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
export async function fileContent(file, mxc) {
  const kind = ['image', 'audio', 'video'].find((k) => file.type.startsWith(`${k}/`) && file.type !== 'image/svg+xml') ?? 'file';
  return {
    msgtype: `m.${kind}`, body: file.name, filename: file.name, url: mxc,
    info: { mimetype: file.type || 'application/octet-stream', size: file.size, ...(await measure(file)) },
  };
}
