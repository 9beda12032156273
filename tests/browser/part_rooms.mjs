// The list: the Space's chats, other rooms, archived chats, invitations.
import { ok } from './harness.mjs';

export async function rooms({ page, at, until, bot, room, link, open }) {
  const names = (id) => at(id).getByTestId('room').evaluateAll((all) => all.map((n) => n.querySelector('.room-name').textContent).join());
  await bot.world('chat');
  await bot.world('chat');
  await until('new chats appear in the Space, invited and joined by themselves', async () => (await names('space')) === 'Chat 1,Chat 2,Chat 3');
  ok((await names('other-rooms')) === 'Lobby', 'the lobby stands apart');
  ok((await at('space').getByTestId('room').nth(1).innerText()).includes('Demonstration agent · C2'), 'each names its agent');

  // -- unread
  const other = await at('space').getByTestId('room').nth(1).getAttribute('data-room');
  const item = page.locator(`[data-testid=room][data-room="${other}"]`);
  await bot.answer(other, 'News while you were away');
  await until('what comes elsewhere is counted', async () => (await item.getByTestId('unread').innerText()) === '1' && (await page.title()).startsWith('(1)'));
  const grows = await bot.stream(other, '$none', 'It begins');
  await until('an answer that grows elsewhere is marked', async () => (await item.getByTestId('working').count()) === 1);
  await at('composer').fill('half a thought');
  await page.keyboard.press('Alt+ArrowDown');
  await until('Alt with the arrow opens the next chat', async () => (await at('pane').getAttribute('data-room')) === other);
  await until('and it counts as read', async () => (await item.getByTestId('unread').count()) === 0);
  await page.keyboard.press('Alt+ArrowUp');
  await until('back again', async () => (await at('pane').getAttribute('data-room')) === room);
  ok((await at('composer').inputValue()) === 'half a thought', 'unfinished text has waited');
  await at('composer').fill('');
  await grows.end('It begins and ends');
  await until('an answer that ended elsewhere is news once more', async () => (await item.getByTestId('unread').innerText()) === '1');
  await item.click();
  ok((await at('unread-line').count()) === 1, 'a line shows where the new begins');
  await until('until it is looked at', async () => (await item.getByTestId('unread').count()) === 0);
  const elsewhere = await open();
  await elsewhere.goto(link);
  await elsewhere.getByTestId('space').getByTestId('room').nth(2).waitFor();
  ok((await elsewhere.locator(`[data-room="${other}"] [data-testid=unread]`).count()) === 0, 'what was read here is read in another browser, too');
  await elsewhere.context().close();

  // -- archived
  const { space } = await bot.world('space');
  await bot.put(other, { owner: bot.me, chat: 'C2', platform_chat_id: 2, agent_id: 'demo', state: 'archived', epoch: 0 }, { type: 'io.patchbay.chat', state_key: '' });
  await bot.put(space, {}, { type: 'm.space.child', state_key: other });
  await until('an archived chat leaves the Space for the archive', async () => (await names('archived')) === 'Chat 2' && (await names('space')) === 'Chat 1,Chat 3');
  ok(await at('closed').isVisible() && await at('composer').isHidden(), 'nothing can be written there');
  await at('restore').click();
  await until('its button asks to bring it back', async () => (await bot.events(room)).some((e) => e.content.body === '!restore C2'));
  await bot.put(space, { via: ['localhost'], order: '0002' }, { type: 'm.space.child', state_key: other });
  await bot.put(other, { owner: bot.me, chat: 'C2', platform_chat_id: 2, agent_id: 'demo', state: 'active', epoch: 0 }, { type: 'io.patchbay.chat', state_key: '' });
  await until('and it comes back', async () => (await names('space')) === 'Chat 1,Chat 2,Chat 3' && await at('composer').isVisible());
  await bot.put(other, { owner: bot.me, chat: 'C2', state: 'archived', agent_id: 'evil' }, { type: 'io.patchbay.chat', state_key: '', sender: '@stranger:localhost' });
  await bot.answer(other, 'after the forgery');
  await until('a marker that the bot did not write counts for nothing', async () => (await page.getByText('after the forgery').count()) === 1 && (await at('archived').count()) === 0);

  await bot.put(other, { owner: bot.me, chat: 'C2', platform_chat_id: 2, agent_id: 'demo', state: 'active', epoch: 0 }, { type: 'io.patchbay.chat', state_key: '' });

  // -- invitations
  const { room_id: club } = await bot.world('make', { creator: '@friend:localhost', name: 'Book club', invite: [bot.me] });
  await at('invitation').filter({ hasText: 'Book club' }).waitFor();
  ok((await at('invitation').innerText()).includes('@friend:localhost'), 'an invitation says from whom it is');
  await at('accept').click();
  await until('one click accepts it and opens the room', async () => (await at('pane').getAttribute('data-room')) === club && (await at('invitation').count()) === 0);
  const { room_id: spam } = await bot.world('make', { creator: '@spam:localhost', name: 'Win money', invite: [bot.me] });
  await at('invitation').filter({ hasText: 'Win money' }).getByRole('button', { name: 'Decline' }).click();
  await until('or declines it', async () => (await bot.events(spam)).some((e) => e.type === 'm.room.member' && e.content.membership === 'leave'));
  await page.locator(`[data-testid=room][data-room="${room}"]`).click();
  await until('the first chat is open again', async () => (await at('pane').getAttribute('data-room')) === room);
}
