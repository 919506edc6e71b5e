// npm run drill -- <name>: starts a separate system, breaks a part of it, and shows the effect on the rest.
import { drills } from './drill/drills.ts';
import { type LayoutSeen, runLayout } from './drill/run.ts';
import { showVerdict } from './drill/show.ts';
import { build } from './setup.mjs';
import { asJson, misused, readWords } from './words.ts';

const lines = Object.entries(drills).map(([name, { about }]) => `  ${name.padEnd(14)} ${about}`);
const help = `Usage: npm run drill -- <name> [--seconds 4] [--json]

${lines.join('\n')}

  --seconds  how long each phase lasts, 1 to 60 (4)
  --json     the result as one JSON object

Starts a system of its own in a temporary folder, on free ports, and sends it orders, posts and sign-ups all the time. It breaks the part,
shows how the requests end in each phase, and then stops the system and removes the folder.
Exits with 0 when the system behaved as expected, otherwise with 1.`;

const options = { ...asJson, seconds: { type: 'string', default: '4' } } as const;
const { values, positionals } = readWords('drill', help, options, 1);
const [name = ''] = positionals;
const drill =
  (Object.hasOwn(drills, name) && drills[name]) ||
  misused('drill', `name one drill: ${Object.keys(drills).join(', ')}`);
const seconds = Number(values.seconds);
if (!(seconds >= 1 && seconds <= 60)) misused('drill', '--seconds must be a number from 1 to 60');

build();
const layouts: LayoutSeen[] = [];
for (const layout of drill.layouts) {
  const seen = await runLayout(layout, seconds * 1_000, !values.json);
  layouts.push(seen);
  if (!values.json) showVerdict(seen);
}
if (values.json) console.log(JSON.stringify({ drill: name, layouts }));
process.exit(layouts.some(({ broken }) => broken.length > 0) ? 1 : 0);
