// npm test and npm run test:deep: build after changes, and run the tests.
import { run, tool } from './programs.ts';
import { kinds } from './services/index.ts';
import { build } from './setup.mjs';
import { wordsToPass } from './words.ts';

const help = `Usage: npm test -- [word …] [-t name] [-u]
       npm run test:deep -- [word …] [-t name] [-u]

Runs the tests. With words, runs only the test files whose path has one of them: npm test -- crash
npm test leaves out the tests with the tag "deep", which repeat a promise in more places, and counts them at the end.
npm run test:deep runs all.

  -t name  only tests whose name has it
  -u       renews the records that tests compare with, such as the contracts: npm test -- drift -u

  SEED=7                     npm test -- differential replays that history
  REQUIRE_SERVERS=1          tests fail when a server that they need is not up; otherwise they are skipped, and named at the end
${Object.values(kinds)
  .map(({ variable, url, port }) => `  ${variable.padEnd(25)}  where it is, unless at ${url(port)}`)
  .join('\n')}

npm run services -- up starts these servers. Other options are those of Vitest: npx vitest --help`;

const words = wordsToPass(help);
build();
const which = words.includes('--deep') ? words.filter((word) => word !== '--deep') : ['--tags-filter=!deep', ...words];
process.exit(run(tool('vitest', 'vitest.mjs'), 'run', ...which));
