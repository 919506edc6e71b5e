// npm run drill -- <name>: starts a system of its own, breaks a part of it, and shows the effect on the rest.
import { rmSync } from 'node:fs';
import { drills } from './drill/drills.mjs';
import { Load } from './drill/load.mjs';
import { showLayout, showPhase, showVerdict } from './drill/show.mjs';
import { startSystem } from './drill/system.mjs';
import { misused, readWords } from './operator.mjs';
import { build, install } from './setup.mjs';

const lines = Object.entries(drills).map(([name, { about }]) => `  ${name.padEnd(14)} ${about}`);
const help = `Usage: npm run drill -- <name> [--seconds 4] [--json]

${lines.join('\n')}

  --seconds  how long each phase lasts, 1 to 60 (4)
  --json     the result as one JSON object

Starts a system of its own in a temporary folder, on free ports, and sends it orders, posts and sign-ups all the time. It breaks the part,
shows how the requests end in each phase, and then stops the system and removes the folder.
Exits with 0 when the system behaved as expected, otherwise with 1.`;

const { values, positionals } = readWords('drill', help, { seconds: { type: 'string', default: '4' } });
const [name, ...more] = positionals;
if (!Object.hasOwn(drills, name ?? '')) misused('drill', `name one drill: ${Object.keys(drills).join(', ')}`);
if (more.length > 0) misused('drill', `unknown word "${more[0]}"`);
const seconds = Number(values.seconds);
if (!(seconds >= 1 && seconds <= 60)) misused('drill', '--seconds must be a number from 1 to 60');

install();
build();
const verdict = { drill: name, layouts: [] };
for (const layout of drills[name].layouts) {
  const seen = await run(layout);
  verdict.layouts.push(seen);
  if (!values.json) showVerdict(seen);
}
if (values.json) console.log(JSON.stringify(verdict));
process.exit(verdict.layouts.some(({ broken }) => broken.length > 0) ? 1 : 0);

/** Runs one layout. Returns the results that users saw in each phase, and the violated expectations. */
async function run({ name: layout, placements, phases, mayDie = false }) {
  const system = await startSystem(placements);
  if (!values.json) showLayout(layout, placements);
  try {
    const load = await Load.begin(system);
    const seen = [];
    const broken = [];
    for (const phase of phases) {
      const end = await phase.begin(system);
      const met = await load.watch(seconds * 1_000);
      await end?.();
      seen.push({ name: phase.name, about: phase.about, ...met });
      broken.push(...phase.holds.flatMap(([what, holds]) => (holds(met) ? [] : [`${phase.name}: ${what}`])));
      if (!values.json) showPhase(seen.at(-1));
    }
    const lives = system.lives;
    const settled = mayDie ? {} : await load.settle(20_000);
    if (settled.unsettled > 0) broken.push(`${settled.unsettled} orders were still pending in the end`);
    if (!mayDie && !lives) broken.push('the home process died');
    return { layout, phases: seen, lives, ...settled, broken };
  } finally {
    await system.stop();
    rmSync(system.dataDir, { recursive: true, force: true });
  }
}
