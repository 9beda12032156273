// The text of a message as nodes: rich or plain, and the lines about tools that an answer carries
// while it grows.

import { str } from './room.js';
import { linked, sanitise } from './sanitise.js';
import { t } from './words.js';

const htmlLimit = 300000;
const toolMark = '⚙';

/** The quoted original that older clients put before a reply's text. */
export function withoutFallback(text, isReply) {
  if (!isReply || !text.startsWith('> ')) return text;
  const lines = text.split('\n');
  let i = 0;
  while (i < lines.length && lines[i].startsWith('>')) ++i;
  if (lines[i] === '') ++i;
  return lines.slice(i).join('\n');
}

/** [text, [{name, state}]]: the tool lines at the end of a draft, and what stands before them. */
export function splitTools(body) {
  const lines = body.split('\n');
  const tools = [];
  while (lines.length && (lines.at(-1).trim() === '' || lines.at(-1).startsWith(`${toolMark} `))) {
    const line = lines.pop().trim();
    if (!line) continue;
    const end = /\s*([…✓✗✕❌]|\.\.\.)$/.exec(line)?.[1];
    const state = end === '✓' ? 'done' : !end || end === '…' || end === '...' ? 'running' : 'failed';
    tools.unshift({ name: line.slice(toolMark.length).replace(/\s*([…✓✗✕❌]|\.\.\.)$/, '').trim(), state });
  }
  return [lines.join('\n'), tools];
}

/**
 * Takes `count` tool lines from the end of rich text: whole blocks, what follows a line break, or, in a
 * code block that is still open, the last lines of it.
 */
function cutTools(box, count) {
  let left = count;
  while (left > 0 && box.lastChild) {
    const last = box.lastChild;
    const breaks = last.nodeType === Node.ELEMENT_NODE ? last.querySelectorAll(':scope > br') : [];
    const tail = document.createRange();
    if (breaks.length) {
      tail.setStartBefore(breaks[breaks.length - 1]);
      tail.setEndAfter(last.lastChild);
    } else {
      tail.selectNode(last);
    }
    const text = tail.toString();
    if (!text.trim() || text.trim().startsWith(toolMark)) {
      left -= text.split(toolMark).length - 1;
      tail.deleteContents();
      continue;
    }
    let leaf = last;
    while (leaf.lastChild) leaf = leaf.lastChild;
    const [before, tools] = leaf.nodeType === Node.TEXT_NODE ? splitTools(leaf.data) : ['', []];
    if (tools.length) leaf.data = before;
    return;
  }
}

/** {rich, nodes, tools}; the tools are taken out of a draft alone. */
export function textParts(content, { isReply, draft }) {
  const [plain, tools] = draft ? splitTools(str(content.body)) : [str(content.body), []];
  const html = content.format === 'org.matrix.custom.html' ? str(content.formatted_body) : '';
  if (html && html.length <= htmlLimit) {
    const nodes = sanitise(html);
    cutTools(nodes, tools.length);
    return { rich: true, nodes, tools };
  }
  return { rich: false, nodes: linked(withoutFallback(plain, isReply) || (draft ? '' : t('(an empty message)'))), tools };
}

/**
 * Makes `have` show what `want` holds and touches nothing that is equal already: a growing answer
 * does not flicker, and what a person has selected in it stays selected. For nodes without listeners.
 */
export function morph(have, want) {
  let at = have.firstChild;
  for (const node of [...want.childNodes]) {
    if (!at) {
      have.append(node);
      continue;
    }
    const next = at.nextSibling;
    if (at.nodeType === Node.TEXT_NODE && node.nodeType === Node.TEXT_NODE) {
      if (node.data === at.data) { /* as it is */ }
      else if (node.data.startsWith(at.data)) at.appendData(node.data.slice(at.data.length));
      else at.data = node.data;
    } else if (at.nodeName === node.nodeName && at.attributes.length === node.attributes.length
      && [...node.attributes].every((a) => at.getAttribute(a.name) === a.value)) {
      morph(at, node);
    } else {
      at.replaceWith(node);
    }
    at = next;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}
