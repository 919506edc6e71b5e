// kerf new module: writes the least module, and lists it in src/app.ts.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Define } from './cli/command.ts';
import { variableOf, whyNotNamed } from './new-module/names.ts';
import { filesOf, listed, type UsedModule } from './new-module/texts.ts';
import { type ResultOptions, tell } from './operator.ts';
import { tool } from './programs.ts';
import { fail, node, root, runQuietly } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(
      'Writes the least module to src/modules/<name>/, with a table, a command, a query and a test. Lists it in src/app.ts.',
    )
    .argument('<name>', 'small letters, digits and single hyphens, such as wishlist or gift-cards')
    .option('--owner <team>', 'the team to contact, for module.json', 'nobody')
    .option('--uses <modules>', 'the modules that it calls, separated by commas; their contracts are imported', '')
    .json()
    .action(write);

interface NewModuleOptions extends ResultOptions {
  readonly owner: string;
  readonly uses: string;
}

function write(name: string, options: NewModuleOptions): void {
  const variable = variableOf(name);
  const others = options.uses.split(',').map((each) => each.trim());
  const uses = others.filter((each) => each !== '').map(used);
  const files = filesOf({ name, variable, owner: options.owner, uses });
  const appFile = join(root, 'src', 'app.ts');
  const app = readFileSync(appFile, 'utf8');
  const existing = Object.keys(files).find((path) => existsSync(join(root, path)));
  if (existing !== undefined) fail(`${existing} exists; take another name, or remove it first`);
  const why = whyNotNamed(name, app);
  if (why !== undefined) fail(why);
  const appAfter =
    listed(app, { name, variable }) ??
    fail('src/app.ts has no list "modules: […]" for the module; restore it, and run this command again');

  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { flag: 'wx' });
  }
  writeFileSync(appFile, appAfter);
  // Sorts the imports of src/app.ts, and breaks lines that a long name made too long.
  runQuietly(node(), [
    tool('@biomejs', 'biome', 'bin', 'biome'),
    'check',
    '--write',
    'src/app.ts',
    ...Object.keys(files),
  ]);
  const paths = Object.keys(files);
  tell(options, { name, written: paths, changed: ['src/app.ts'] }, () => {
    for (const path of paths) console.log(`wrote    ${path}`);
    console.log('changed  src/app.ts');
    console.log(
      `\nNext: npm test ${name} runs its test, and npm test drift records its contract. docs/modules.md says more.`,
    );
  });
}

/** Returns a module that the new module calls, with the name of its contract in code. Fails when there is no such module. */
function used(other: string): UsedModule {
  const contract = join('src', 'modules', other, 'contract.ts');
  if (!/^[a-z0-9-]+$/.test(other) || !existsSync(join(root, contract))) fail(`--uses: there is no module "${other}"`);
  return { name: other, variable: variableOf(other) };
}
