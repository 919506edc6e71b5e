// kerf test: builds after changes, and runs the tests.
import type { Define } from './cli/command.ts';
import { run, tool } from './programs.ts';
import { kinds } from './services/index.ts';
import { build } from './setup.mjs';

const servers = Object.values(kinds).map(
  ({ variable, url, port }) => `  ${variable.padEnd(25)}  where it is, unless at ${url(port)}`,
);

export const define: Define = (command) =>
  command
    .description(`Runs the tests. With words, runs only the test files whose path has one of them: npm test crash. Leaves out the tests with
the tag "deep", which repeat a promise in more places, and counts them at the end.`)
    .argument('[word...]', 'which files, and options of Vitest (npx vitest --help)')
    .option('--deep', 'runs all tests, as npm run test:deep does')
    .option('-t, --testNamePattern <name>', 'only tests whose name has it')
    .option('-u, --update', 'renews the records that tests compare with, such as the contracts: npm test -- drift -u')
    .allowUnknownOption()
    .note(`Variables:
  SEED=7                     npm test differential replays that history
  REQUIRE_SERVERS=1          tests fail when a server that they need is not up; otherwise they are skipped, and named at the end
${servers.join('\n')}

npx kerf services up starts these servers.`)
    .action(runTests);

interface TestOptions {
  readonly deep?: true;
  readonly testNamePattern?: string;
  readonly update?: true;
}

function runTests(words: readonly string[], { deep, testNamePattern, update }: TestOptions): void {
  build();
  const options = [...(deep ? [] : ['--tags-filter=!deep']), ...(update ? ['-u'] : [])];
  if (testNamePattern !== undefined) options.push('-t', testNamePattern);
  process.exit(run(tool('vitest', 'vitest.mjs'), 'run', ...options, ...words));
}
