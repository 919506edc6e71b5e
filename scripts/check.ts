// kerf check: checks types, lint and formatting, and boundaries, and then prints one verdict.
import { join } from 'node:path';
import type { Define } from './cli/command.ts';
import { run, tool } from './programs.ts';
import { root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description('Checks types, lint and formatting, boundaries. Runs all of them, and exits with 0 when all pass.')
    .action(checkAll);

const checks: [name: string, words: string[]][] = [
  ['types', [tool('typescript', 'bin', 'tsc'), '-p', '.']],
  ['lint and formatting', [tool('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.']],
  ['boundaries', [join(root, 'scripts', 'kerf.mjs'), 'boundaries']],
];

function checkAll(): void {
  const failed = checks.filter(([name, words]) => {
    console.log(`\n> ${name}`);
    return run(...words) !== 0;
  });
  if (failed.some(([name]) => name.startsWith('lint')))
    console.log('\nnpx kerf format cures what can be cured by itself');
  console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.map(([name]) => name).join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
