// npm run boundaries: compares the imports with the architecture in .dependency-cruiser.js.

import { type Counts, check } from './boundaries/check.ts';
import { inText } from './boundaries/text.ts';
import { root } from './setup.mjs';
import { readWords } from './words.ts';

const help = `Usage: npm run boundaries -- [--json]

Compares every import under src/ with the architecture in .dependency-cruiser.js and in each module.json, refuses
every other way to load a file, and says for each violation what is wrong and what to do.

  --json   the same as one JSON object: ok, counts, rules, violations

Exits with 0 when every border holds.`;

const { values } = readWords('boundaries', help, { json: { type: 'boolean' } }, 0);
const { rules, counts, violations } = await check(root);
if (values.json) console.log(JSON.stringify({ ok: violations.length === 0, counts, rules, violations }, null, 2));
else if (violations.length > 0) console.error(inText(violations));
else console.log(`boundaries: ${inWords(counts)}: every border holds`);
process.exitCode = violations.length > 0 ? 1 : 0;

function inWords({ files, imports, modules, rules }: Counts): string {
  return `${files} files, ${imports} imports, ${modules} modules, ${rules} rules`;
}
