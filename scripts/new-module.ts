// npm run new-module: writes the least module, and lists it in src/app.ts.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { variableOf, whyNotNamed } from './new-module/names.ts';
import { filesOf, listed } from './new-module/texts.ts';
import { tool } from './programs.ts';
import { fail, node, root, runQuietly } from './setup.mjs';
import { asJson, misused, readWords, text } from './words.ts';

const help = `Usage: npm run new-module -- <name> [--owner shop-team] [--json]

Writes the least module, with a table, a command and a query: src/modules/<name>/ and a test of it. Lists it in src/app.ts.
The name has small letters, digits and single hyphens, such as wishlist or gift-cards.

  --owner  the team to contact, for module.json (nobody)`;

const { values, positionals } = readWords('new-module', help, {
  ...asJson,
  owner: { ...text, default: 'nobody' },
});
const [name, ...more] = positionals;
if (!name || more.length > 0) misused('new-module', 'name exactly one module, such as wishlist');
const variable = variableOf(name);
const files = filesOf({ name, variable, owner: values.owner });
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
tell();

function tell(): void {
  const paths = Object.keys(files);
  if (values.json) {
    console.log(JSON.stringify({ name, written: paths, changed: ['src/app.ts'] }));
    return;
  }
  for (const path of paths) console.log(`wrote    ${path}`);
  console.log('changed  src/app.ts');
  console.log(
    `\nNext: npm test -- ${name} runs its test, and npm test -- drift records its contract. docs/modules.md says more.`,
  );
}
