// kerf replace: replaces the running release of a module by another one while the system serves.
import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isVia, topologyAnswer } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import { type MoveOptions, moveModule } from './move/move.ts';
import { type TryOutOptions, tryOut, withTryOut } from './move/try-out.ts';
import { ask, reaches } from './operator.ts';
import { fail } from './setup.mjs';

export const define: Define = (command) => {
  command
    .description(`Replaces the release of a module that runs in processes of its own, while the system serves. It starts the new release
beside the old one, refuses it if its contract breaks a caller, moves the calls to it, and ends the old one. To go back, name the
previous artifact.`)
    .argument('<module>', 'the module, such as payments')
    .option(
      '--artifact <file>',
      'the release: its entry file, or the folder of its app.js; without it, the release of the home process',
    );
  withTryOut(command)
    .option('--for-now', 'keeps the change until the next start only, and does not change topology.yaml')
    .json('prints a line of JSON for each step, and the report at the end')
    .note(reaches)
    .action(replace);
};

interface ReplaceOptions extends MoveOptions, TryOutOptions {
  readonly artifact?: string;
}

async function replace(module: string, options: ReplaceOptions): Promise<void> {
  const trial = tryOut(options);
  const { modules } = await ask(topologyAnswer, 'GET', '/ops/topology');
  const { placement } = modules.find(({ name }) => name === module) ?? fail(`there is no module "${module}"`);
  if (!isVia(placement.split('?')[0]))
    fail(
      `${module} is placed ${placement}; extract it first: only a module in processes of its own has a release of its own`,
    );
  const artifact = options.artifact === undefined ? null : entryOf(options.artifact);
  await moveModule(module, { artifact, again: true, forNow: options.forNow === true, ...trial }, options);
}

/** Returns the path relative to the folder of the project, in which the home process runs. */
function entryOf(given: string): string {
  const file = existsSync(given) && statSync(given).isDirectory() ? join(given, 'app.js') : given;
  if (!existsSync(file)) fail(`--artifact: there is no ${file}; build the release first`);
  const beside = relative(process.cwd(), resolve(file));
  return beside.startsWith('..') ? resolve(file) : beside;
}
