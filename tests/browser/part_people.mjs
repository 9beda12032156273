// Questions with buttons, reactions, replies, threads, edits, deletions, and who has read what.
import { ok } from './harness.mjs';

async function questions({ page, at, until, shot, bot, room, message }) {
  const state = (id) => message(id).getByTestId('confirm').getAttribute('data-state');
  const becomes = (id, wanted, what) => until(what, async () => (await state(id)) === wanted);
  const three = await bot.ask(room, '3', 'May I delete the three old drafts?');
  await becomes(three, 'open', 'a question has buttons');
  ok((await message(three).getByTestId('message-body').innerText()).includes('May I delete'), 'and its words');
  ok((await message(three).getByTestId('confirm-state').innerText()).startsWith('Answer until'), 'and a last hour');
  await shot('confirmation');
  await message(three).getByTestId('confirm-yes').click();
  await becomes(three, 'yes', 'pressing Yes answers it');
  const answers = (await bot.events(room)).filter((e) => e.type === 'm.reaction' && e.content['m.relates_to'].event_id === three);
  await until('by one exact reaction', async () => (await bot.events(room)).filter((e) => e.type === 'm.reaction' && e.content['m.relates_to'].event_id === three && e.content['m.relates_to'].key === '✅').length === 1);
  ok(answers.length <= 1 && await message(three).getByTestId('confirm-no').isDisabled() && (await message(three).getByTestId('confirm-yes').getAttribute('aria-pressed')) === 'true', 'the choice is shown and cannot be made twice');
  await until('the reaction is shown and cannot be taken back', async () => (await message(three).getByTestId('reaction').count()) === 1 && await message(three).getByTestId('reaction').isDisabled());

  const four = await bot.ask(room, '4', 'May I write to the file?');
  const five = await bot.ask(room, '5', 'May I send the letter?');
  await becomes(five, 'open', 'two questions can be open');
  await bot.put(room, { msgtype: 'm.text', body: '!no 4' }, { sender: bot.me });
  await becomes(four, 'no', '!no with its number, written elsewhere, closes the one');
  ok((await state(five)) === 'open', 'and not the other');
  await bot.react(room, five, '❌', '@stranger:localhost');
  await bot.react(room, five, '👍', bot.me);
  await until('reactions that are no answers are shown', async () => (await message(five).getByTestId('reaction').count()) === 2);
  ok((await state(five)) === 'open', 'and answer nothing');
  await bot.react(room, five, '❌\ufe0f', bot.me);
  await becomes(five, 'no', 'a reaction from another client closes it');
  const asked = await bot.put(room, { msgtype: 'm.text', body: 'Please write it down' }, { sender: '@friend:localhost' });
  const theirs = await bot.ask(room, '61', 'Friend, may I?', undefined, undefined, asked);
  await bot.react(room, theirs, '✅', '@friend:localhost');
  await becomes(theirs, 'yes', 'who asked may answer');
  const six = await bot.ask(room, '6', 'May I go on?');
  await bot.put(room, { msgtype: 'm.text', body: '!yes', 'm.relates_to': { 'm.in_reply_to': { event_id: six } } }, { sender: bot.me });
  await becomes(six, 'yes', 'a reply with !yes closes it');
  const seven = await bot.ask(room, '7', 'Too late?', Date.now() - 1000);
  await becomes(seven, 'expired', 'a question expires');
  ok(await message(seven).getByTestId('confirm-yes').isDisabled(), 'then it has no buttons to press');
  const eight = await bot.ask(room, '8', 'Still there?');
  await becomes(eight, 'open', 'another question');
  await bot.put(room, { msgtype: 'm.text', body: '!stop' }, { sender: bot.me });
  await becomes(eight, 'ended', '!stop ends the question');
  const nine = await bot.ask(room, '9', 'Your password?', Date.now() + 60000, '@stranger:localhost');
  await message(nine).waitFor();
  ok(await message(nine).getByTestId('confirm').isHidden(), 'nobody but the bot can ask with buttons');
  const ten = await bot.ask(room, '10', 'By keyboard?');
  await message(ten).getByTestId('confirm-no').focus();
  await page.keyboard.press('Enter');
  await becomes(ten, 'no', 'the keyboard answers, too');
  ok(await page.evaluate((id) => document.activeElement?.dataset.eventId === id, ten), 'and the focus stays at the message');
  await page.reload();
  await becomes(three, 'yes', 'after a reload the answer is still there');
  await at('composer').waitFor();
}

export async function people(w) {
  const { page, at, until, bot, room, say, message, mine } = w;
  await questions(w);

  // -- reactions
  const first = await say('I like this');
  await bot.react(room, first, '🎉', '@friend:localhost');
  await until('a reaction is shown', async () => (await message(first).getByTestId('reaction').innerText()) === '🎉 1');
  await message(first).getByTestId('reaction').click();
  await until('I can join in', async () => (await message(first).getByTestId('reaction').innerText()) === '🎉 2' && (await message(first).getByTestId('reaction').getAttribute('aria-pressed')) === 'true');
  await message(first).getByTestId('reaction').click();
  await until('and take it back', async () => (await message(first).getByTestId('reaction').innerText()) === '🎉 1');

  // -- who has read it
  await bot.world('receipt', { room, event: first });
  await until('a message that was read says so', async () => (await message(first).getByTestId('read').count()) === 1);

  // -- edits and deletions of my own
  await say('!context');
  await at('composer').press('ArrowUp');
  ok((await at('composer').inputValue()) === 'I like this', 'the arrow up takes my last message, commands apart');
  await page.keyboard.press('Escape');
  ok((await at('composer').inputValue()) === '' && await at('compose-mode').isHidden(), 'Esc leaves it as it was');
  await at('composer').press('ArrowUp');
  await at('composer').fill('I love this');
  await page.keyboard.press('Enter');
  await until('the edit is shown in place', async () => (await message(first).getByTestId('message-body').innerText()) === 'I love this' && (await message(first).getByTestId('edited').count()) === 1);
  const gone = await say('Something to regret');
  await message(gone).hover();
  await message(gone).getByTestId('remove').click();
  ok((await message(gone).getByTestId('remove').innerText()) === 'Delete?' && (await mine('Something to regret').count()) === 1, 'deleting asks once more');
  await message(gone).getByTestId('remove').click();
  await until('then the message is deleted', async () => (await message(gone).innerText()).includes('This message was deleted.') && (await message(gone).getByTestId('remove').count()) === 0);
  ok((await bot.events(room)).some((e) => e.type === 'm.room.redaction' && e.redacts === gone), 'for everybody');
  await page.reload();
  await until('and still is after a reload', async () => (await message(gone).innerText()).includes('This message was deleted.'));

  // -- replies and threads
  const root = await bot.answer(room, 'A plan in three steps');
  const inside = await bot.put(room, { msgtype: 'm.text', body: 'Step one in detail', 'm.relates_to': { rel_type: 'm.thread', event_id: root, is_falling_back: true, 'm.in_reply_to': { event_id: root } } }, { sender: '@friend:localhost' });
  await until('a message of a thread says so', async () => /In a thread[^]*A plan in three steps/.test(await message(inside).getByTestId('quote').innerText()));
  await message(inside).hover();
  await message(inside).getByTestId('reply').click();
  const reply = await say('Thank you');
  const relation = (await bot.events(room)).find((e) => e.event_id === reply).content['m.relates_to'];
  ok(relation.rel_type === 'm.thread' && relation.event_id === root && relation['m.in_reply_to'].event_id === inside && relation.is_falling_back === false, 'a reply to it stays in the thread');
  await until('and quotes what it answers', async () => (await message(reply).getByTestId('quote').innerText()).includes('Step one in detail'));
  await message(reply).getByTestId('quote').click();
  ok(await page.evaluate((id) => document.activeElement?.dataset.eventId === id, inside), 'the quote leads there');
}
