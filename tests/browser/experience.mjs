// The whole chat experience on the page, against mock_world.mjs with the bot played from here.
//   node experience.mjs LINK OUT_DIR
// Prints one line for each step and exits 1 at the first that fails; screenshots go to OUT_DIR.
import { playBot } from './bot.mjs';
import { ok, run } from './harness.mjs';
import { answers } from './part_answers.mjs';
import { files } from './part_files.mjs';
import { people } from './part_people.mjs';
import { rooms } from './part_rooms.mjs';
import { surface } from './part_surface.mjs';
import { pictures } from './pictures.mjs';

const [link, out] = process.argv.slice(2);

await run(out, async (tools) => {
  const { page, at, until } = tools;
  const bot = await playBot(link);
  await page.goto(link);
  await at('start-chat').click();
  await at('pane').waitFor();
  await until('the first chat is open', async () => (await at('space').locator('[aria-current=page]').count()) === 1);
  await bot.quiet();
  const room = await at('pane').getAttribute('data-room');
  const say = async (text) => {
    await at('composer').fill(text);
    await at('composer').press('Enter');
    await until(`“${text.slice(0, 30)}” is sent`, async () => (await bot.events(room)).some((e) => e.content.body === text));
    return (await bot.events(room)).findLast((e) => e.content.body === text).event_id;
  };
  const message = (id) => page.locator(`[data-event-id="${id}"]`);
  const world = { ...tools, bot, room, link, say, message };
  for (const part of [answers, people, files, rooms, surface, pictures]) {
    console.log(`       ${part.name}`);
    await part(world);
  }
  ok(true, 'everything was tried');
});
