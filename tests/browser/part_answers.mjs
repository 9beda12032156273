// Answers that grow, tools, stopping, scrolling, and questions of the agent.
import { ok } from './harness.mjs';

export async function answers({ page, at, until, shot, bot, room, say, message }) {
  // -- an answer that grows in place
  const asked = await say('Why are there two tides a day?');
  await bot.world('typing', { room, users: [bot.bot] });
  await until('the page says that the agent writes', async () => (await at('typing').innerText()).includes('Demonstration agent is writing'));
  const one = await bot.stream(room, asked, 'The Moon pulls\n\n⚙ search_web …', '<p>The Moon pulls</p><p>⚙ search_web …</p>');
  const grown = message(one.id);
  await until('the beginning of the answer is shown as a draft', async () => (await grown.getAttribute('data-kind')) === 'draft');
  ok((await grown.getAttribute('aria-busy')) === 'true', 'a screen reader waits until it is whole');
  ok((await grown.getByTestId('quote').innerText()).includes('two tides'), 'it shows what it answers');
  ok((await grown.getByTestId('work').locator('[data-state=running]').innerText()).includes('search_web'), 'a running tool is a line of its own');
  ok(!(await grown.getByTestId('message-body').innerText()).includes('⚙'), 'and not a part of the text');
  ok(await at('stop').isVisible(), 'there is a button to stop it');
  await grown.evaluate((node) => {
    node.kept = true;
    const p = node.querySelector('.text p');
    p.kept = true;
    getSelection().selectAllChildren(p);
  });
  await one.grow('The Moon pulls at the water on its side\n\nand at the Earth itself.\n\n⚙ search_web ✓\n⚙ read_page ✗\n⚙ calculate …', '<p>The Moon pulls at the water on its side</p><p>and at the Earth itself.</p><p>⚙ search_web ✓<br>⚙ read_page ✗<br>⚙ calculate …</p>');
  await until('more text comes into the same message', async () => (await grown.getByTestId('message-body').innerText()).includes('Earth itself'));
  ok(await grown.evaluate((node) => node.kept && node.querySelector('.text p').kept && node.querySelectorAll('.text p').length === 2), 'nothing was drawn anew: message and paragraph are the same nodes');
  ok((await page.evaluate(() => getSelection().toString())).startsWith('The Moon pulls'), 'what was selected stays selected');
  ok((await grown.getByTestId('work').locator('li').evaluateAll((all) => all.map((n) => n.dataset.state).join())) === 'done,failed,running', 'tool lines tell done, failed and running');
  await shot('streaming');
  await one.grow('The Moon pulls at the water on its side\n\nand at the Earth itself.\n⚙ search_web ✓', '<p>The Moon pulls at the water on its side</p><p>⚙ is a sign, too<br>and at the Earth itself.<br>⚙ search_web ✓</p>');
  await until('a tool line behind a line break is found, too, and nothing but it', async () => (await grown.getByTestId('work').locator('li').count()) === 1 && /⚙ is a sign, too\nand at the Earth itself\.$/.test((await grown.getByTestId('message-body').innerText()).trim()));
  await one.grow('The Moon pulls at the water on its side\n\n```\nforce = mass\n\n⚙ search_web ✓\n⚙ calculate …', '<p>The Moon pulls at the water on its side</p><pre><code>force = mass\n\n⚙ search_web ✓\n⚙ calculate …\n</code></pre>');
  await until('and one that has got into an open code block', async () => (await grown.getByTestId('work').locator('li').count()) === 2 && (await grown.locator('pre').innerText()).trim() === 'force = mass');
  await bot.world('typing', { room, users: [] });
  await one.end('The Moon pulls at the water on its side and at the Earth itself: **two** tides.', '<p>The Moon pulls at the water on its side and at the Earth itself: <strong>two</strong> tides.</p>');
  await until('the final answer takes its place', async () => (await grown.getAttribute('data-kind')) === 'final' && (await grown.locator('strong').innerText()) === 'two');
  ok(await grown.getByTestId('work').isHidden() && await at('stop').isHidden() && (await grown.getAttribute('aria-busy')) === null, 'tools, button and patience are gone');
  ok((await grown.getByTestId('edited').count()) === 0, 'it does not count as edited by hand');
  ok(await grown.evaluate((node) => node.kept), 'and is still the same node');

  // -- stopping
  const second = await say('Tell me a long story');
  const two = await bot.stream(room, second, 'Once upon a time');
  await at('stop').waitFor();
  await at('stop').click();
  await until('the button sends !stop', async () => (await bot.events(room)).some((e) => e.content.body === '!stop'));
  ok(await at('stop').isDisabled(), 'once');
  await two.end('Once upon a time\n\nStopped here. !retry sends your message again.');
  await until('what was said before the end is kept', async () => /Once upon a time[^]*Stopped here/.test(await message(two.id).innerText()));
  const note = await bot.notice(room, 'Stopped.');
  await message(note).waitFor();
  const size = (id) => message(id).getByTestId('message-body').evaluate((n) => parseFloat(getComputedStyle(n).fontSize));
  ok((await size(note)) < (await size(two.id)), 'a notice is smaller than an answer');
  ok((await message(note).locator('.meta b').innerText()) === 'Patchbay', 'and is said by the bot, not by the agent');

  // -- reading while more comes
  for (let i = 1; i <= 25; ++i) await bot.answer(room, `Line ${i} of a long conversation, so that there is something to scroll.`);
  const gap = () => at('scroller').evaluate((s) => s.scrollHeight - s.scrollTop - s.clientHeight);
  await until('the page follows the end', async () => (await page.getByText('Line 25 of').count()) === 1 && (await gap()) < 2);
  ok(await at('jump').isHidden(), 'with no hint');
  const reading = page.locator('[data-testid=message]', { hasText: 'Line 9 of' });
  await reading.evaluate((n) => n.scrollIntoView({ block: 'start' }));
  await at('jump').waitFor();
  const place = () => reading.evaluate((n) => Math.round(n.getBoundingClientRect().top));
  const before = await place();
  const three = await bot.stream(room, second, 'A new answer');
  await three.grow('A new answer\n\nthat grows\n\nand grows.');
  await until('what comes below is announced', async () => (await at('jump').innerText()).startsWith('New messages'));
  await one.grow('Taller\n\nthan\n\nit\n\nwas\n\nabove.');
  await until('something above changes its height', async () => (await message(one.id).innerText()).includes('above.'));
  ok(Math.abs((await place()) - before) <= 2, 'what the person reads does not move');
  await at('jump').click();
  await until('the hint leads to the end', async () => (await gap()) < 2 && await at('jump').isHidden());
  await three.end(Array.from({ length: 12 }, (_, i) => `Paragraph ${i}`).join('\n\n'));
  await until('and from there on the end is followed', async () => (await message(three.id).innerText()).includes('Paragraph 11') && (await gap()) < 2);
}
