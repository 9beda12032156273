// Commands by completion, keyboard, colours, languages, small screens, and what axe has to say.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ok } from './harness.mjs';

const assets = new URL('../../bridges/admin/assets/', import.meta.url);

/** No violations of WCAG 2.1 A and AA, nor of axe's good practice. */
async function accessible(page, what, without = []) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const found = await page.evaluate(async (off) => (await window.axe.run(document, { rules: Object.fromEntries(off.map((r) => [r, { enabled: false }])) })).violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ''}`).slice(0, 3).join(' ; ')}`), without);
  ok(found.length === 0, `axe finds nothing wrong: ${what} ${found.join(' | ')}`);
}

async function translated() {
  const { ru } = await import(new URL('words_ru.js', assets));
  const missing = new Set();
  for (const name of readdirSync(assets).filter((n) => n.endsWith('.js') && !n.startsWith('words'))) {
    const text = readFileSync(new URL(name, assets), 'utf8');
    const keys = [...text.matchAll(/\bt\('((?:[^'\\]|\\.)*)'/g), ...(name === 'hints.js' ? text.matchAll(/\['!\w+', '[^']*', '([^']*)'\]/g) : [])];
    for (const [, key] of keys) if (!(key in ru)) missing.add(key);
  }
  ok(missing.size === 0, `every word of the page has a translation ${[...missing].join(' | ')}`);
}

async function commands({ page, at, bot, room, until }) {
  const options = () => at('hints').getByRole('option').evaluateAll((all) => all.map((n) => n.querySelector('b').textContent).join(' '));
  await at('composer').fill('!');
  ok((await options()) === '!help !start !new !chats !rename !archive !restore !agent !clear !context !save !load !settings !set !allow !deny !yes !no !stop !retry', 'an exclamation mark opens the list of commands');
  // The list scrolls with the arrows while the focus stays in the field: axe does not know that of a textarea.
  await accessible(page, 'with the list of commands', ['scrollable-region-focusable']);
  await at('composer').fill('!re');
  ok((await options()) === '!rename !restore !retry', 'more letters make it shorter');
  await page.keyboard.press('ArrowDown');
  ok((await at('composer').getAttribute('aria-activedescendant')) === 'hint-1' && (await at('hints').locator('[aria-selected=true] b').innerText()) === '!restore', 'arrows choose');
  await page.keyboard.press('Enter');
  ok((await at('composer').inputValue()) === '!restore ' && await at('hints').isHidden(), 'Enter writes it down, with room for what follows');
  await at('composer').fill('!cha');
  await page.keyboard.press('Escape');
  ok(await at('hints').isHidden() && (await at('composer').inputValue()) === '!cha', 'Esc closes the list');
  await at('composer').fill('!chats');
  await page.keyboard.press('Enter');
  await until('a whole command is sent by Enter', async () => (await bot.events(room)).some((e) => e.content.body === '!chats'));
}

async function keyboard({ page, at }) {
  const focus = () => page.evaluate(() => { const a = document.activeElement; return a.dataset.testid ?? (a.id || a.className || a.tagName); });
  await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); });
  await page.keyboard.press('Tab');
  ok((await focus()) === 'skip', 'the first stop of Tab is the way past the list');
  await page.keyboard.press('Tab');
  ok((await focus()) === 'theme', 'then the colours');
  await at('attach').focus();
  await page.keyboard.press('Shift+Tab');
  for (let i = 0; i < 4 && (await focus()) !== 'message'; ++i) await page.keyboard.press('Shift+Tab');
  const message = () => page.evaluate(() => document.activeElement.dataset.eventId ?? '');
  const last = await message();
  ok(last !== '' && last === await page.locator('[data-testid=message]').last().getAttribute('data-event-id'), 'the messages are one stop, at the newest');
  await page.keyboard.press('ArrowUp');
  const above = await message();
  ok(above !== last && above === await page.locator('[data-testid=message]').nth(-2).getAttribute('data-event-id'), 'arrows go through them');
  ok(await page.evaluate(() => getComputedStyle(document.activeElement.querySelector('.bubble')).outlineStyle === 'solid'), 'the focus can be seen');
  await page.keyboard.press('End');
  ok((await message()) === last, 'End goes to the newest');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  ok(await at('compose-mode').isVisible() && (await focus()) === 'composer', 'Tab and Enter reply to it');
  await page.keyboard.press('Escape');
  ok(await at('compose-mode').isHidden(), 'Esc does not');
  await at('space').getByTestId('room').first().focus();
  await page.keyboard.press('ArrowDown');
  ok(await at('space').getByTestId('room').nth(1).evaluate((n) => n === document.activeElement), 'arrows go through the list of chats');
}

export async function surface(w) {
  const { page, at, link, open, until, shot } = w;
  await translated();
  await commands(w);
  await keyboard(w);

  // -- colours
  const look = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor].join(' '));
  const light = 'rgb(244, 245, 249)', dark = 'rgb(18, 20, 28)';
  await page.emulateMedia({ colorScheme: 'dark' });
  ok((await look()) === `auto ${dark}`, 'the page is dark where the system is');
  await accessible(page, 'in the dark');
  await at('theme').click();
  ok((await look()) === `light ${light}`, 'the switch makes it light');
  await accessible(page, 'in the light');
  await at('theme').click();
  await page.emulateMedia({ colorScheme: 'light' });
  await page.reload();
  await at('composer').waitFor();
  ok((await look()) === `dark ${dark}`, 'or dark, also after a reload');
  await at('theme').click();
  ok((await at('theme').getAttribute('aria-label')) === 'Colours: as the system' && (await look()) === `auto ${light}`, 'and back');

  // -- small screens
  await page.setViewportSize({ width: 320, height: 560 });
  await until('on 320 px nothing is wider than the screen', () => page.evaluate(() => document.documentElement.scrollWidth <= 320
    && [...document.querySelectorAll('.bubble, .composer, .room-head, .top > *, .status')].every((n) => n.getBoundingClientRect().right <= 321)));
  ok((await at('composer').boundingBox()).width > 120 && await at('send').isVisible(), 'there is room to write');
  await shot('320');
  await page.locator('#menu').click();
  await until('the list opens over it', async () => (await at('space').getByTestId('room').first().boundingBox()).x >= 0);
  ok(await page.evaluate(() => document.activeElement.dataset.testid === 'room'), 'with the focus in it');
  await accessible(page, 'on a small screen with the list');
  await shot('320-list');
  await page.keyboard.press('Escape');
  ok((await page.locator('#menu').getAttribute('aria-expanded')) === 'false' && await page.evaluate(() => document.activeElement.id === 'menu'), 'Esc closes it and gives the focus back');
  await page.setViewportSize({ width: 1180, height: 760 });

  // -- languages
  const russian = await open({ locale: 'ru-RU' });
  await russian.goto(link);
  await russian.getByTestId('composer').waitFor();
  ok((await russian.getByTestId('composer').getAttribute('placeholder')) === 'Напишите сообщение' && (await russian.locator('html').getAttribute('lang')) === 'ru', 'a Russian browser gets a Russian page');
  await until('also below', async () => (await russian.getByTestId('status-line').innerText()).includes('Маршрутизатор готов'));
  await russian.context().close();
}
