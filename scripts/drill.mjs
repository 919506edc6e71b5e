// npm run drill -- <name>: starts a system of its own, breaks a part of it, and shows what the rest makes of that.
import { rmSync } from 'node:fs';
import { drills } from './drill/drills.mjs';
import { Load } from './drill/load.mjs';
import { showPhase, showVerdict } from './drill/show.mjs';
import { startSystem } from './drill/system.mjs';
import { misused, readWords } from './operator.mjs';
import { build, install } from './setup.mjs';

const lines = Object.entries(drills).map(([name, { about }]) => `  ${name.padEnd(14)} ${about}`);
const help = `Usage: npm run drill -- <name> [--seconds 4] [--json]

${lines.join('\n')}

  --seconds  how long each phase lasts

Starts a system in a folder of its own, on free ports, under a steady load of orders, posts and sign-ups; stops and removes it.
Exits with 1 when something went otherwise than it should.`;

const { values, positionals } = readWords('drill', help, { seconds: { type: 'string', default: '4' } });
const [name, ...more] = positionals;
if (!Object.hasOwn(drills, name ?? '')) misused('drill', `say ${Object.keys(drills).join(', ')}`);
if (more.length > 0) misused('drill', `unknown word "${more[0]}"`);
const seconds = Number(values.seconds);
if (!(seconds >= 1 && seconds <= 60)) misused('drill', '--seconds takes 1 to 60');

install();
build();
const drill = drills[name];
const system = await startSystem(drill.placements);
let failed = true;
try {
  const load = await Load.begin(system);
  const phases = [];
  for (const phase of drill.phases) {
    const end = await phase.begin(system);
    const seen = await load.watch(seconds * 1_000);
    await end?.();
    phases.push({ name: phase.name, about: phase.about, ...seen });
    if (!values.json) showPhase(phases.at(-1));
  }
  const verdict = { drill: name, phases, ...(await load.settle(20_000)) };
  verdict.faults = drill.phases.flatMap(({ name: phase, holds }) =>
    holds.flatMap(([what, test]) =>
      test(verdict.phases.find((each) => each.name === phase)) ? [] : [`${phase}: ${what}`],
    ),
  );
  if (verdict.unsettled > 0) verdict.faults.push(`${verdict.unsettled} orders were still pending in the end`);
  if (values.json) console.log(JSON.stringify(verdict));
  else showVerdict(verdict);
  failed = verdict.faults.length > 0;
} finally {
  await system.stop();
  rmSync(system.dataDir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
