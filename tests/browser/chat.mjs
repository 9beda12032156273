// A newcomer's first minutes with the console, in headless Chromium.
//   node chat.mjs LINK OUT_DIR [mock|real [PID]]
// With the PID of the program behind the link its end is tried too (SIGTERM).
// Prints one line for each step and exits 1 at the first that fails; screenshots go to OUT_DIR.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { friend } from './friend.mjs';
import { ok, png, run } from './harness.mjs';

const [link, out, world, pid] = process.argv.slice(2);

await run(out, async ({ page, at, shot, answers, own, mine, until, problems }) => {
  const base = link.split('#')[0];
  await page.goto(base);
  await at('token-form').waitFor();
  ok(true, 'without the link the page asks for the token');
  await at('token').fill('wrong-token-wrong-token');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByText('not accepted').waitFor();
  ok(true, 'a wrong token is refused in words');

  await page.goto('about:blank');
  await page.goto(link);
  await at('start-chat').waitFor();
  ok(!page.url().includes('token'), 'the token leaves the address bar');
  await shot('1-start');
  await at('start-chat').click();
  await page.locator('[data-testid=pane]').waitFor();
  await until('one click opens the first chat of the Space', async () => (await at('space').locator('[data-testid=room][aria-current=page]').count()) === 1);
  const firstRoom = await at('pane').getAttribute('data-room');

  const say = async (text) => {
    const before = await answers().count();
    await at('composer').fill(text);
    await at('composer').press('Enter');
    return before;
  };
  const answered = (before) => until('the agent answers', async () => (await answers().count()) > before && (await answers().last().getAttribute('data-kind')) !== 'draft');

  let before = await say('hello out there');
  await until('my message is in the room', async () => (await mine('hello out there').count()) === 1);
  await answered(before);
  ok(((await answers().last().getByTestId('message-body').innerText()).length) > 0, 'the answer has text');
  await until('nothing stays on its way', async () => (await at('pending').count()) === 0);
  await shot('2-answer');

  await mine('hello out there').hover();
  await mine('hello out there').getByTestId('edit').click();
  await at('composer').fill('hello again');
  await at('composer').press('Enter');
  await until('my edit is shown', async () => (await mine('hello again').getByTestId('edited').count()) === 1);
  ok((await mine('hello out there').count()) === 0, 'the old text is gone');

  await at('composer').fill('two');
  await at('composer').press('Shift+Enter');
  await page.keyboard.type('lines');
  ok((await at('composer').inputValue()) === 'two\nlines', 'Shift+Enter makes a new line');
  await at('composer').press('Enter');
  await until('both lines are sent as one message', async () => (await mine(/two\s+lines/).count()) === 1);

  before = await answers().count();
  await at('file-input').setInputFiles([{ name: 'picture.png', mimeType: 'image/png', buffer: png() }]);
  await at('staged').waitFor();
  await at('send').click();
  await until('a picture that I send is shown', async () => (await own().getByTestId('image').count()) === 1 && await own().getByTestId('image').evaluate((i) => i.naturalWidth === 240));
  await at('file-input').setInputFiles([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('three words here') }]);
  await at('staged').waitFor();
  await at('send').click();
  await until('a file that I send is shown', async () => (await own().getByTestId('file').filter({ hasText: 'notes.txt' }).count()) === 1);
  const [download] = await Promise.all([page.waitForEvent('download'), own().getByTestId('file').filter({ hasText: 'notes.txt' }).click()]);
  const saved = join(out, 'downloaded.txt');
  await download.saveAs(saved);
  ok(readFileSync(saved, 'utf8') === 'three words here' && download.suggestedFilename() === 'notes.txt', 'the file comes back byte for byte');
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped'], 'dropped.csv', { type: 'text/csv' }));
    return data;
  });
  for (const type of ['dragenter', 'dragover', 'drop']) await at('pane').dispatchEvent(type, { dataTransfer: dropped });
  await at('staged').filter({ hasText: 'dropped.csv' }).waitFor();
  await at('composer').press('Enter');
  await until('a file that I drop is sent', async () => (await own().getByTestId('file').filter({ hasText: 'dropped.csv' }).count()) === 1);
  await shot('3-files');

  await until('the agent has said what it has to say', async () => (await at('typing').innerText()) === '');
  await say('count to 200');
  await at('stop').waitFor();
  await at('stop').click();
  await until('an answer can be stopped', async () => (await mine('!stop').count()) === 1 && await at('stop').isHidden());
  await say('to be deleted');
  const regretted = page.locator(`[data-event-id="${await mine('to be deleted').getAttribute('data-event-id')}"]`);
  await regretted.focus();
  for (let i = 0; i < 2; ++i) await regretted.getByTestId('remove').press('Enter');
  await until('a message of mine can be deleted', async () => (await regretted.innerText()).includes('This message was deleted.'));

  await mine('hello again').hover();
  await mine('hello again').getByTestId('reply').click();
  await at('compose-mode').waitFor();
  await say('an answer to myself');
  await until('my reply shows what it answers', async () => (await mine('an answer to myself').getByTestId('quote').innerText()).includes('hello again'));

  await until('the status line is green', async () => (await at('status-line').getAttribute('data-state')) === 'ok');
  ok((await at('agent').count()) >= 1, 'the status line names the agent');
  await at('status-line').click();
  await page.locator('#details[open]').waitFor();
  ok((await page.locator('#details tbody tr').count()) >= 2, 'its details list actors and agents');
  await shot('4-status');
  await page.keyboard.press('Escape');

  await until('the agent has said everything', async () => (await at('typing').innerText()) === '');
  await at('new-chat').click();
  await until('a second chat opens', async () => (await at('pane').getAttribute('data-room')) !== firstRoom && (await at('space').getByTestId('room').count()) >= 2);
  before = await say('a question in the second chat');
  await answered(before);
  ok((await mine('hello again').count()) === 0, 'the chats are apart');

  await until('the agent has said everything here too', async () => (await at('typing').innerText()) === '');
  await say('slow 2');
  await mine('slow 2').waitFor();
  await page.locator(`[data-room="${firstRoom}"][data-testid=room]`).click();
  const second = at('space').getByTestId('room').filter({ has: at('unread') });
  await until('an answer in another chat is marked as unread', async () => (await second.count()) === 1);
  await second.click();
  await until('and looking at it takes the mark away', async () => (await second.count()) === 0 && (await mine('slow 2').count()) === 1);

  before = await answers().count();
  await at('help-hint').click();
  await at('composer').press('Enter');
  await answered(before);

  await page.reload();
  await until('after a reload the conversation is there', async () => (await mine('a question in the second chat').count()) === 1);
  await page.locator(`[data-room="${firstRoom}"][data-testid=room]`).click();
  await until('and so is the edited message', async () => (await mine('hello again').count()) === 1);

  if (world === 'real') await friend({ page, at, until, link });

  if (world === 'mock') {
    before = await say('evil');
    await answered(before);
    await page.waitForTimeout(300);
    ok((await page.evaluate(() => window.broken)) === undefined, 'nothing in a message runs');
    ok((await page.locator('.messages :is(script,style,svg[onload],[onclick],[onerror],a[href^="javascript"])').count()) === 0, 'nothing that could run is on the page');
    before = await say('rich');
    await answered(before);
    ok((await answers().last().locator('pre code').count()) === 1, 'rich text is shown');
    problems.splice(0, problems.length, ...problems.filter((p) => !p.startsWith('policy')));
  }

  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('5-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await shot('6-light');
  await page.setViewportSize({ width: 390, height: 780 });
  await shot('7-narrow');
  await page.locator('#menu').click();
  await at('space').waitFor({ state: 'visible' });
  await page.waitForTimeout(250);
  await shot('8-narrow-menu');
  ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'a narrow screen needs no sideways scrolling');

  const plain = await page.context().newPage();
  await plain.route('**/api/v1/console', (r) => r.fulfill({ json: { homeserver: null, bot: '@bot:example.org', accounts: [] } }));
  await plain.goto(link);
  await plain.getByTestId('status-page').locator('tbody tr').first().waitFor();
  ok((await plain.getByText('belongs to the embedded default').count()) === 1, 'without the embedded homeserver there is the status alone');
  await plain.screenshot({ path: join(out, '9-status-page.png') });
  await plain.close();

  if (pid) {
    await page.setViewportSize({ width: 1180, height: 760 });
    process.kill(Number(pid), 'SIGTERM');
    await until('when the router goes away the page says so', async () => (await at('banner').innerText()).includes('router is gone') && (await at('status-line').getAttribute('data-state')) === 'bad');
    await shot('10-gone');
  }
});
