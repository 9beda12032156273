// What the scripts of this folder share: Chromium, assertions, and ways to look at the page.
import { chromium } from 'playwright-core';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

export const patience = 20000;

export function ok(condition, what) {
  console.log(`${condition ? 'ok    ' : 'FAILED'} ${what}`);
  if (!condition) throw new Error(what);
}

/** A picture made here; colour(x, y) → [r, g, b], by default two colours. */
export function png(w = 240, h = 120, colour = (x, y) => (x + y < 0.75 * w ? [61, 90, 254] : [0, 163, 163])) {
  const crcTable = Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; ++k) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c >>> 0; });
  const crc = (b) => { let c = 0xffffffff; for (const x of b) c = crcTable[(c ^ x) & 255] ^ (c >>> 8); return (c ^ 0xffffffff) >>> 0; };
  const chunk = (type, data) => {
    const head = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4), sum = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(head));
    return Buffer.concat([length, head, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(w, 0);
  header.writeUInt32BE(h, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: h }, (_, y) => Buffer.concat([Buffer.from([0]), ...Array.from({ length: w }, (_x, x) => Buffer.from(colour(x, y)))])));
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** A second of silence as WAV. */
export function wav() {
  const samples = 8000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + samples, 4); head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24); head.writeUInt32LE(8000, 28); head.writeUInt16LE(1, 32); head.writeUInt16LE(8, 34);
  head.write('data', 36); head.writeUInt32LE(samples, 40);
  return Buffer.concat([head, Buffer.alloc(samples, 128)]);
}

/** Runs script(tools) with a page; exits 77 without Chromium, 1 when an assertion failed. */
export async function run(out, script) {
  mkdirSync(out, { recursive: true });
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && existsSync(p));
  if (!executablePath) {
    console.log('skipped: there is no Chromium on this machine');
    process.exit(77);
  }
  const browser = await chromium.launch({ executablePath, headless: true, timeout: 60000,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const problems = [];
  const foreign = new Set();
  let page;
  const open = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, acceptDownloads: true, ...options });
    context.setDefaultTimeout(patience);
    const fresh = await context.newPage();
    fresh.on('pageerror', (e) => problems.push(`page error: ${e.message}`));
    fresh.on('console', (m) => { if (m.type() === 'error' && /Content Security Policy|Refused to/.test(m.text())) problems.push(`policy: ${m.text()}`); });
    fresh.on('request', (r) => { const host = new URL(r.url()).hostname; if (host && !['127.0.0.1', 'localhost', '[::1]', '::1'].includes(host)) foreign.add(r.url()); });
    return fresh;
  };
  try {
    page = await open();
    const at = (id) => page.getByTestId(id);
    const own = () => page.locator('[data-testid=message][data-own=true]');
    const until = async (what, test) => {
      for (const end = Date.now() + patience; Date.now() < end;) {
        if (await test()) return ok(true, what);
        await page.waitForTimeout(50);
      }
      return ok(false, what);
    };
    await script({
      page, open, at, own, until, problems,
      shot: (name) => page.screenshot({ path: join(out, `${name}.png`) }),
      answers: () => page.locator('[data-testid=message][data-own=false]'),
      mine: (text) => own().filter({ has: page.getByTestId('message-body').filter({ hasText: text }) }),
    });
    ok(foreign.size === 0, `nothing was fetched from elsewhere ${[...foreign].join(' ')}`);
    ok(problems.length === 0, `no script errors ${problems.join(' | ')}`);
    console.log('all done');
  } catch (e) {
    console.log(`FAILED ${e.message}`);
    for (const p of problems) console.log(`       ${p}`);
    await page?.screenshot({ path: join(out, 'failed.png') }).catch(() => {});
    const html = await page?.content().catch(() => '');
    if (html) writeFileSync(join(out, 'failed.html'), html);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
