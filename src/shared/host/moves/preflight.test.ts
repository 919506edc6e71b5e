import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Plan } from './plan.ts';
import { type PreflightParts, preflight } from './preflight.ts';

const plan = { module: 'shop', to: { kind: 'in-process' }, comes: 0 } as unknown as Plan;

/** What must be known before a move: of a module that answers and has nothing stuck, unless it is said otherwise. */
function parts({ folder = '.', answers = true, stuck = 0 }): PreflightParts {
  return {
    topology: { settings: { DATA_DIR: folder, BUS: 'mitt' } },
    directory: { answers: async () => answers },
    copy: { name: 'process 7', stuckSagas: async () => stuck },
  } as unknown as PreflightParts;
}

it('lets a move begin where there is room, and says how much', async () => {
  expect(await preflight(plan, true, parts({}))).toEqual({ freeBytes: expect.any(Number) });
});

/** A file system of which nothing is free. */
it.skipIf(!existsSync('/proc/self'))('refuses a move on a full disk, with the folder and what to do', async () => {
  await expect(preflight(plan, true, parts({ folder: '/proc' }))).rejects.toMatchObject({
    code: 'conflict',
    message: 'the disk of /proc has 0 KiB left; make room first',
  });
});

it('refuses a move of a module that does not answer, or whose sagas need a person', async () => {
  await expect(preflight(plan, true, parts({ answers: false }))).rejects.toMatchObject({
    code: 'conflict',
    message: 'shop does not answer where it is now (process 7); end that process, and it is started again',
  });
  await expect(preflight(plan, true, parts({ stuck: 2 }))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('2 of the sagas of shop need a person (npm run sagas -- --state stuck)'),
  });
});
