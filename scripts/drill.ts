// kerf drill <name>: starts a separate system, breaks a part of it, and shows the effect on the rest.
import { type Define, misuse } from './cli/command.ts';
import { drills } from './drill/drills.ts';
import { type LayoutSeen, runLayout } from './drill/run.ts';
import { showVerdict } from './drill/show.ts';
import type { ResultOptions } from './operator.ts';
import { build } from './setup.mjs';

const lines = Object.entries(drills).map(([name, { about }]) => `  ${name.padEnd(14)} ${about}`);

export const define: Define = (command) =>
  command
    .description(`Starts a system of its own in a temporary folder, on free ports, and sends it orders, posts and sign-ups all the time. It
breaks the part, shows how the requests end in each phase, and then stops the system and removes the folder. Exits with 0 when the system
behaved as expected, otherwise with 1.`)
    .addArgument(command.createArgument('<name>', 'the drill').choices(Object.keys(drills)))
    .option('--seconds <seconds>', 'how long each phase lasts, 1 to 60', '4')
    .json()
    .note(lines.join('\n'))
    .action(play);

async function play(name: keyof typeof drills, options: ResultOptions & { readonly seconds: string }): Promise<void> {
  const seconds = Number(options.seconds);
  if (!(seconds >= 1 && seconds <= 60)) misuse('--seconds must be a number from 1 to 60');
  build();
  const layouts: LayoutSeen[] = [];
  for (const layout of drills[name]?.layouts ?? []) {
    const seen = await runLayout(layout, seconds * 1_000, !options.json);
    layouts.push(seen);
    if (!options.json) showVerdict(seen);
  }
  if (options.json) console.log(JSON.stringify({ drill: name, layouts }));
  process.exit(layouts.some(({ broken }) => broken.length > 0) ? 1 : 0);
}
