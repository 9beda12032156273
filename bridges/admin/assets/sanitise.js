// Turns HTML from messages into nodes: what is not on the lists does not exist. The result is built
// anew, element by element; no markup of a stranger ever enters the page.

const tags = new Set(['DEL', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'BLOCKQUOTE', 'P', 'A', 'UL', 'OL', 'SUP', 'SUB',
  'LI', 'B', 'I', 'U', 'STRONG', 'EM', 'S', 'STRIKE', 'CODE', 'HR', 'BR', 'DIV', 'TABLE', 'THEAD', 'TBODY', 'TR', 'TH',
  'TD', 'CAPTION', 'PRE', 'SPAN', 'DETAILS', 'SUMMARY']);
// Gone with everything inside; of any other unknown element the inside stays.
const silent = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'EMBED', 'NOSCRIPT', 'TEXTAREA', 'SELECT',
  'TITLE', 'SVG', 'MATH', 'MX-REPLY', 'HEAD', 'AUDIO', 'VIDEO', 'CANVAS']);
const depthLimit = 60;
const nodeLimit = 4000;

function safeLink(address) {
  try {
    const url = new URL(address);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function anchor(href) {
  const a = document.createElement('a');
  a.href = href;
  a.target = '_blank';
  a.rel = 'noopener noreferrer nofollow';
  return a;
}

/** Text with its web addresses made into links. */
export function linked(text) {
  const out = document.createDocumentFragment();
  const pattern = /https?:\/\/[^\s<>"'`]+/g;
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const address = match[0].replace(/[.,;:!?)\]}]+$/, '');
    const href = safeLink(address);
    if (!href) continue;
    out.append(text.slice(from, match.index));
    const a = anchor(href);
    a.textContent = address;
    out.append(a);
    from = match.index + address.length;
  }
  out.append(text.slice(from));
  return out;
}

export function sanitise(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const out = document.createDocumentFragment();
  let budget = nodeLimit;

  const walk = (source, target, depth) => {
    for (const node of source.childNodes) {
      if (--budget < 0) return;
      if (node.nodeType === Node.TEXT_NODE) {
        target.append(node.data);
        continue;
      }
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      const name = node.nodeName.toUpperCase();
      if (silent.has(name)) continue;
      if (name === 'IMG') {
        target.append(node.getAttribute('alt') || node.getAttribute('title') || '');
        continue;
      }
      let into = target;
      if (tags.has(name) && depth < depthLimit) {
        const href = name === 'A' ? safeLink(node.getAttribute('href') ?? '') : null;
        if (name === 'A' && !href) into = document.createElement('span');
        else if (name === 'A') into = anchor(href);
        else into = document.createElement(name);
        if (name === 'OL' && /^\d{1,6}$/.test(node.getAttribute('start') ?? '')) into.start = Number(node.getAttribute('start'));
        const language = /^language-([\w+#-]{1,30})$/.exec(node.getAttribute('class') ?? '');
        if (name === 'CODE' && language) into.dataset.language = language[1];
        target.append(into);
      }
      walk(node, into, depth + 1);
    }
  };
  walk(parsed.body, out, 0);
  return out;
}
