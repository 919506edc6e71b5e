import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

/** Kernel files that need the machine's clock. That clock may step by hours. */
const exceptions = [
  // Defines the clock.
  'kernel/context/clock.ts',
  // Compares the current time with the deadlines of calls.
  'control/host/connections.ts',
  'control/host/internal-service.ts',
  'control/trials/trials.ts',
  // Writes times into the data of modules, for other processes to read.
  'control/supervisor/modules-here.ts',
  // Compares the current time with times in the data of modules.
  'control/metrics/metrics.ts',
];

const kernel = join(import.meta.dirname, '..', '..', 'src', 'shared');

it('the kernel measures durations only with the steady clock', () => {
  const found = readdirSync(kernel, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => /(?<!\.(test|cases|scene)|index)\.ts$/.test(file))
    .filter((file) => /\bsystemClock\b/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(kernel, file));
  expect(found.sort(), 'use `steadyClock` of src/shared/kernel/context').toEqual(exceptions.toSorted());
});
