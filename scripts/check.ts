// npm run check: checks types, lint and formatting, and boundaries, and then prints one verdict.
import { join } from 'node:path';
import { run, tool } from './programs.ts';
import { root } from './setup.mjs';
import { misused, wordsToPass } from './words.ts';

const help = `Usage: npm run check

Checks types, lint and formatting, boundaries. Runs all of them, and exits with 0 when all pass.`;

const [word] = wordsToPass(help);
if (word !== undefined) misused('check', `unknown word "${word}": all is checked`);

const checks: [name: string, words: string[]][] = [
  ['types', [tool('typescript', 'bin', 'tsc'), '-p', '.']],
  ['lint and formatting', [tool('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.']],
  ['boundaries', [join(root, 'scripts', 'run.mjs'), 'boundaries']],
];

const failed = checks.filter(([name, words]) => {
  console.log(`\n> ${name}`);
  return run(...words) !== 0;
});
if (failed.some(([name]) => name.startsWith('lint'))) console.log('\nnpm run format cures what can be cured by itself');
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.map(([name]) => name).join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
