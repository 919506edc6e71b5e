import { join } from 'node:path';
import { check } from './check.mjs';

const root = join(import.meta.dirname, '..', '..');
const asJson = process.argv.includes('--json');

try {
  const { rules, counts, violations } = await check(root);
  if (asJson) console.log(JSON.stringify({ ok: violations.length === 0, counts, rules, violations }, null, 2));
  else if (violations.length > 0) console.error(violations.map(print).join('\n'), `\n${summary(violations.length)}`);
  else console.log(`boundaries: ${inWords(counts)}: every border holds`);
  process.exitCode = violations.length > 0 ? 1 : 0;
} catch (error) {
  console.error(`boundaries: ${error.message}`);
  process.exitCode = 1;
}

function print({ rule, from, to, why, add }) {
  return [`✗ ${to ? `${from} → ${to}` : from}`, `  ${why}`, ...(add ? [`  Add: ${add}`] : []), `  (${rule})\n`].join(
    '\n',
  );
}

function summary(count) {
  return `boundaries: ${count} ${count === 1 ? 'violation' : 'violations'}; each says above how to cure it`;
}

function inWords({ files, imports, modules, rules }) {
  return `${files} files, ${imports} imports, ${modules} modules, ${rules} rules`;
}
