// The pictures of the guide (docs/images): a conversation as a person would have it.
import { png } from './harness.mjs';

/** Water over two days. */
const tides = (w, h) => png(w, h, (x, y) => {
  const level = h * (0.5 - 0.33 * Math.cos((x / w) * 4 * 2 * Math.PI) * (1 - 0.25 * (x / w)));
  return Math.abs(x - w / 2) < 1 ? [190, 196, 220] : y > level ? [61, 120 + Math.round(80 * (y / h)), 224] : [232, 240, 255];
});
const plan = '<p>Here is a plan for <strong>Saturday</strong>, with the tide in mind:</p><ol><li>Start at <code>07:20</code>, two hours before low water</li><li>Walk out to the island, about 4 km</li><li>Be back by <code>11:00</code></li></ol>';

export async function pictures({ page, at, until, shot, bot }) {
  await bot.world('chat');
  await until('a chat for the pictures', async () => (await at('space').getByTestId('room').count()) === 4);
  for (const [i, name] of ['Notes on a book', 'Garden', 'Travel costs'].entries())
    await bot.put(await at('space').getByTestId('room').nth(i).getAttribute('data-room'), { name }, { type: 'm.room.name', state_key: '' });
  const item = at('space').getByTestId('room').nth(3);
  const room = await item.getAttribute('data-room');
  await bot.put(room, { name: 'Walk to the island' }, { type: 'm.room.name', state_key: '' });
  await item.click();
  await until('it is open', async () => (await at('room-title').innerText()) === 'Walk to the island');
  const say = async (text) => {
    await at('composer').fill(text);
    await at('composer').press('Enter');
    await until(`“${text.slice(0, 20)}” is there`, async () => (await bot.events(room)).some((e) => e.content.body === text));
    return (await bot.events(room)).findLast((e) => e.content.body === text).event_id;
  };
  const settle = async () => {
    await page.evaluate(() => document.querySelectorAll('.toast').forEach((n) => n.remove()));
    await until('nothing is on its way', async () => (await at('pending').count()) === 0);
    await page.mouse.move(5, 5);
  };
  await page.setViewportSize({ width: 1080, height: 640 });
  const first = await say('When can we walk to the island on Saturday?');
  const one = await bot.stream(room, first, 'Looking', '<p>Looking</p>');
  await one.end('Here is a plan', plan);
  const second = await say('What if it rains?');
  await bot.world('typing', { room, users: [bot.bot] });
  const two = await bot.stream(room, second, 'Then', '<p>Then I would move it to Sunday: the forecast says dry from <strong>08:00</strong>, and low water is at 10:05, so there is</p><p>⚙ tide_table ✓<br>⚙ weather_forecast …</p>');
  await two.grow('Then\n⚙ tide_table ✓\n⚙ weather_forecast …', '<p>Then I would move it to Sunday: the forecast says dry from <strong>08:00</strong>, and low water is at 10:05, so there is</p><p>⚙ tide_table ✓<br>⚙ weather_forecast …</p>');
  await until('the tools are shown', async () => (await page.locator('[data-state=running]').count()) >= 1);
  await settle();
  await shot('chat-streaming');
  await bot.world('typing', { room, users: [] });
  await two.end('Then', '<p>Then I would move it to Sunday: dry from <strong>08:00</strong>, low water at 10:05.</p>');
  await bot.file(room, 'm.image', 'tides.png', 'image/png', tides(360, 110), { info: { w: 360, h: 110 }, content: { body: 'Water over the weekend' } });
  await bot.ask(room, '12', 'May I write to the ferry office and move our booking to Sunday?');
  await until('the question is there', async () => (await at('confirm-yes').last().isEnabled()));
  await at('file-input').setInputFiles([{ name: 'packing list.txt', mimeType: 'text/plain', buffer: Buffer.from('boots\n') }]);
  await at('staged').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await settle();
  await shot('chat-question-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 320, height: 600 });
  await at('scroller').evaluate((s) => { s.scrollTop = s.scrollHeight; });
  await settle();
  await shot('chat-small');
  await page.setViewportSize({ width: 1080, height: 680 });
}
