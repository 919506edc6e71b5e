// npm run replace: replaces the running release of a module by another one while the system serves.
import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isVia, topologyAnswer } from '../src/shared/control/admin-contract/index.ts';
import { moduleOf, moveModule } from './move/move.ts';
import { tryOut, tryOutHelp, tryOutOptions } from './move/try-out.ts';
import { ask, reaches } from './operator.ts';
import { fail } from './setup.mjs';
import { asJson, flag, readWords, text } from './words.ts';

const help = `Usage: npm run replace -- <module> [--artifact dist/modules/payments/] [--mirror s] [--canary 5%] [--for-now] [--json]

Replaces the release of a module that runs in processes of its own, while the system serves. It starts the new release beside the
old one, refuses it if its contract breaks a caller, moves the calls to it, and ends the old one. To go back, name the previous artifact.

  --artifact   the release: its entry file, or the folder of its app.js; without it, the release of the home process
${tryOutHelp}
  --for-now    keeps the change until the next start only, and does not change topology.yaml
  --json       prints a line of JSON for each step, and the report at the end

${reaches}`;

const options = {
  ...asJson,
  artifact: text,
  ...tryOutOptions,
  'for-now': flag,
} as const;
const { values, positionals } = readWords('replace', help, options, 1);
const module = moduleOf('replace', positionals);
const trial = tryOut('replace', values);

const { modules } = await ask(topologyAnswer, 'GET', '/ops/topology');
const { placement } = modules.find(({ name }) => name === module) ?? fail(`there is no module "${module}"`);
if (!isVia(placement.split('?')[0]))
  fail(
    `${module} is placed ${placement}; extract it first: only a module in processes of its own has a release of its own`,
  );
const artifact = values.artifact === undefined ? null : entryOf(values.artifact);
await moveModule(module, { artifact, again: true, forNow: values['for-now'], ...trial }, values);

/** Returns the path relative to the folder of the project, in which the home process runs. */
function entryOf(given: string): string {
  const file = existsSync(given) && statSync(given).isDirectory() ? join(given, 'app.js') : given;
  if (!existsSync(file)) fail(`--artifact: there is no ${file}; build the release first`);
  const beside = relative(process.cwd(), resolve(file));
  return beside.startsWith('..') ? resolve(file) : beside;
}
