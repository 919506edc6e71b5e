// node .ci/summary.mjs <stages> <report>: prints where the time went, and the runner's own counts as the last line.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [stages, report] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const { testResults, numPassedTests, numFailedTests, numPendingTests } = JSON.parse(report);

console.log('\nSeconds per stage:');
const rows = stages
  .trim()
  .split('\n')
  .map((line) => line.split(' '));
for (const [name, seconds] of rows) print(name, Number(seconds));
print(
  'together',
  rows.reduce((sum, [, seconds]) => sum + Number(seconds), 0),
);

console.log('\nThe slowest test files:');
const files = testResults.map(({ name, startTime, endTime }) => [relative('.', name), (endTime - startTime) / 1_000]);
for (const [name, seconds] of files.sort(([, a], [, b]) => b - a).slice(0, 10)) print(name, seconds);

console.log(`\n${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);

function print(name, seconds) {
  console.log(`${seconds.toFixed(0).padStart(6)}  ${name}`);
}
