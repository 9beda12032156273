// Files both ways.
import { ok, png, wav } from './harness.mjs';

export async function files({ page, at, own, until, shot, bot, room, message }) {
  // -- from the agent; the mock gives them only to who shows the token
  const picture = await bot.file(room, 'm.image', 'tides.png', 'image/png', png(480, 200), { info: { w: 480, h: 200 }, content: { body: 'High water in May' } });
  await until('a picture is shown', () => message(picture).getByTestId('image').evaluate((i) => i.naturalWidth === 480).catch(() => false));
  ok((await message(picture).getByTestId('caption').innerText()) === 'High water in May', 'with its caption');
  await message(picture).getByTestId('image').click();
  await page.locator('#lightbox[open] img').waitFor();
  ok(await page.locator('#lightbox img').evaluate((i) => i.naturalWidth === 480), 'a click enlarges it');
  await page.keyboard.press('Escape');
  await until('and Esc closes it', async () => (await page.locator('#lightbox[open]').count()) === 0);
  const sound = await bot.file(room, 'm.audio', 'note.wav', 'audio/wav', wav());
  await message(sound).getByTestId('preview').click();
  await until('sound can be played', () => message(sound).getByTestId('audio').evaluate((a) => a.readyState >= 1 && a.duration === 1));
  const film = await bot.file(room, 'm.video', 'clip.mp4', 'video/mp4', Buffer.from('not really'));
  ok((await message(film).getByTestId('preview').innerText()) === 'Watch', 'a film can be asked for');
  const table = await bot.file(room, 'm.file', 'tides.csv', 'text/csv', Buffer.from('hour,height\n03:10,4.1\n'));
  await message(table).getByTestId('preview').click();
  await until('a text is shown', async () => (await message(table).getByTestId('text-preview').innerText()).includes('03:10,4.1'));
  const [download] = await Promise.all([page.waitForEvent('download'), message(table).getByTestId('file').click()]);
  ok(download.suggestedFilename() === 'tides.csv', 'and downloaded');
  const page2 = await bot.file(room, 'm.image', 'evil.svg', 'image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'));
  await message(page2).getByTestId('file').waitFor();
  ok((await message(page2).locator('img').count()) === 0, 'a picture that could run scripts is only offered for download');
  const evil = await bot.answer(room, 'x', '<p>See <img src="https://example.org/spy.png" alt="a chart"> and <a href="https://example.org/">this</a></p>');
  await message(evil).waitFor();
  ok((await message(evil).locator('img').count()) === 0 && (await message(evil).innerText()).includes('a chart'), 'a picture from elsewhere is never fetched');
  ok(/noopener/.test(await message(evil).locator('a').getAttribute('rel')), 'a link tells its target nothing about us');

  // -- from the person
  await at('file-input').setInputFiles(Array.from({ length: 21 }, (_, i) => ({ name: `${i}.txt`, mimeType: 'text/plain', buffer: Buffer.from('x') })));
  await at('toast').filter({ hasText: '20 files at once' }).waitFor();
  ok((await at('staged').count()) === 20, 'twenty files wait, a twenty-first is refused in words');
  for (let i = 0; i < 20; ++i) await at('staged').first().getByRole('button').click();
  await at('file-input').setInputFiles([{ name: 'a.png', mimeType: 'image/png', buffer: png(60, 40) }, { name: 'wrong.txt', mimeType: 'text/plain', buffer: Buffer.from('no') }, { name: 'b.txt', mimeType: 'text/plain', buffer: Buffer.from('yes') }]);
  await until('chosen files wait beside the text', async () => (await at('staged').count()) === 3 && (await at('staged').first().locator('img').count()) === 1);
  await at('staged').filter({ hasText: 'wrong.txt' }).getByRole('button').click();
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }));
    document.querySelector('[data-testid=composer]').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await until('one can be removed and another pasted', async () => (await at('staged').allInnerTexts()).map((x) => x.split('\n')[0]).join() === 'a.png,b.txt,pasted.txt');
  await at('file-input').setInputFiles([{ name: 'huge.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1000001) }]);
  await at('toast').filter({ hasText: 'huge.bin' }).waitFor();
  ok((await at('staged').count()) === 3, 'what the homeserver would refuse is not taken');
  await at('composer').fill('Please compare these');
  await shot('files');
  await at('composer').press('Enter');
  const sent = async () => (await bot.events(room)).filter((e) => e.sender === bot.me && e.content.url).slice(-3).map((e) => `${e.content.msgtype} ${e.content.filename} ${e.content.body}`);
  await until('they are sent in order, the last with the caption', async () => (await sent()).join('|') === 'm.image a.png a.png|m.file b.txt b.txt|m.file pasted.txt Please compare these');
  await until('and shown', async () => (await own().getByTestId('caption').innerText()) === 'Please compare these' && (await at('pending').count()) === 0);
}
