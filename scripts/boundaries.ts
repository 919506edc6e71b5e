// kerf boundaries: compares the imports with the architecture in .dependency-cruiser.js.
import type { Counts } from './boundaries/check.ts';
import type { Define } from './cli/command.ts';
import type { ResultOptions } from './operator.ts';
import { during } from './progress.mjs';
import { root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Compares every import under src/ with the architecture in .dependency-cruiser.js and in each module.json, refuses every
other way to load a file, and says for each violation what is wrong and what to do.

Exits with 0 when every border holds.`)
    .json('prints one JSON object: ok, counts, rules, violations')
    .action(compare);

async function compare({ json }: ResultOptions): Promise<void> {
  const { rules, counts, violations } = await during('reading the imports', async () => {
    const { check } = await import('./boundaries/check.ts');
    return check(root);
  });
  const { inText } = await import('./boundaries/text.ts');
  if (json) console.log(JSON.stringify({ ok: violations.length === 0, counts, rules, violations }, null, 2));
  else if (violations.length > 0) console.error(inText(violations));
  else console.log(`boundaries: ${inWords(counts)}: every border holds`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}

function inWords({ files, imports, modules, rules }: Counts): string {
  return `${files} files, ${imports} imports, ${modules} modules, ${rules} rules`;
}
