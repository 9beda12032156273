// Another account on the development homeserver: what it does must come to the page as that server words it.
import { ok } from './harness.mjs';

export async function friend({ page, at, until, link }) {
  const [base, token] = link.split('#token=');
  const setup = await (await fetch(`${base}api/v1/console`, { headers: { Authorization: `Bearer ${token}` } })).json();
  const me = await page.locator('#account').inputValue();
  let session = null;
  let count = 0;
  const call = async (method, path, body) => {
    const answer = await fetch(`${setup.homeserver}/_matrix/client/v3${path}`, { method, body: JSON.stringify(body), headers: session ? { Authorization: `Bearer ${session.access_token}` } : {} });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  session = await call('POST', '/register', { auth: { type: 'm.login.dummy' }, username: 'friend', password: 'a friend of the tests' });
  const { room_id: room } = await call('POST', '/createRoom', { name: 'Two of us', invite: [me], preset: 'private_chat' });
  const send = async (type, content) => (await call('PUT', `/rooms/${encodeURIComponent(room)}/send/${type}/t${++count}`, content)).event_id;
  const message = (id) => page.locator(`[data-event-id="${id}"]`);

  await at('invitation').filter({ hasText: 'Two of us' }).getByTestId('accept').click();
  await until('an invitation of somebody else is accepted by one click', async () => (await at('pane').getAttribute('data-room')) === room);
  const first = await send('m.room.message', { msgtype: 'm.text', body: 'version one' });
  await message(first).waitFor();
  for (let i = 2; i <= 40; ++i)
    await send('m.room.message', { msgtype: 'm.text', body: `* version ${i}`, 'm.new_content': { msgtype: 'm.text', body: `version ${i}` }, 'm.relates_to': { rel_type: 'm.replace', event_id: first } });
  await until('forty edits are one message in its last version', async () => (await message(first).getByTestId('message-body').innerText()) === 'version 40' && (await page.getByTestId('message').count()) === 1);
  const reaction = await send('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: first, key: '👍' } });
  await until('a reaction comes', async () => (await message(first).getByTestId('reaction').innerText()) === '👍 1');
  await message(first).getByTestId('reaction').click();
  await until('mine is added', async () => (await message(first).getByTestId('reaction').innerText()) === '👍 2');
  await call('PUT', `/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(reaction)}/r1`, {});
  await until('and the other is taken back', async () => (await message(first).getByTestId('reaction').innerText()) === '👍 1');
  const inside = await send('m.room.message', { msgtype: 'm.text', body: 'in a thread', 'm.relates_to': { rel_type: 'm.thread', event_id: first, is_falling_back: true, 'm.in_reply_to': { event_id: first } } });
  await until('a thread is named', async () => (await message(inside).getByTestId('quote').innerText()).startsWith('In a thread'));
  await call('PUT', `/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(inside)}/r2`, {});
  await until('a deletion comes', async () => (await message(inside).innerText()).includes('This message was deleted.'));
  await at('composer').fill('have you read it?');
  await at('composer').press('Enter');
  const mine = page.locator('[data-testid=message][data-own=true]');
  await mine.waitFor();
  await call('POST', `/rooms/${encodeURIComponent(room)}/receipt/m.read/${encodeURIComponent(await mine.getAttribute('data-event-id'))}`, {});
  await until('that it was read is shown', async () => (await mine.getByTestId('read').count()) === 1);
  await page.reload();
  await until('after a reload all of it is the same', async () => (await at('pane').getAttribute('data-room')) !== null && (await page.locator(`[data-testid=room][data-room="${room}"]`).count()) === 1);
  await page.locator(`[data-testid=room][data-room="${room}"]`).click();
  await until('with the last version', async () => (await message(first).getByTestId('message-body').innerText()) === 'version 40');
  ok((await message(first).getByTestId('reaction').innerText()) === '👍 1' && (await message(inside).innerText()).includes('This message was deleted.'), 'the reaction and the deletion');
}
