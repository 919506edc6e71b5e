import { join } from 'node:path';
import { check } from './check.mjs';

const root = join(import.meta.dirname, '..', '..');
const asJson = process.argv.includes('--json');

try {
  const { rules, counts, violations } = await check(root);
  if (asJson) console.log(JSON.stringify({ ok: violations.length === 0, counts, rules, violations }, null, 2));
  else if (violations.length > 0)
    console.error(alike(violations).map(print).join('\n'), `\n${summary(violations.length)}`);
  else console.log(`boundaries: ${inWords(counts)}: every border holds`);
  process.exitCode = violations.length > 0 ? 1 : 0;
} catch (error) {
  console.error(`kerf: ${error.message}`);
  process.exitCode = 1;
}

/** Violations that are cured in one way, together. */
function alike(violations) {
  const cures = Map.groupBy(violations, ({ rule, why, add }) => [rule, why, add].join());
  return [...cures.values()];
}

function print(violations) {
  const [{ rule, why, add }] = violations;
  const where = violations.map(({ from, line, to }) => `✗ ${from}${line ? `:${line}` : ''}${to ? ` → ${to}` : ''}`);
  return [...where, `  ${why}`, ...(add ? [`  Add: ${add}`] : []), `  (${rule})\n`].join('\n');
}

function summary(count) {
  return `boundaries: ${count} ${count === 1 ? 'violation' : 'violations'}; each says above how to cure it`;
}

function inWords({ files, imports, modules, rules }) {
  return `${files} files, ${imports} imports, ${modules} modules, ${rules} rules`;
}
