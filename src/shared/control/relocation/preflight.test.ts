import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { allAdapters } from '../../../../test/harness/adapters.ts';
import type { NamedMigration } from '../../kernel/database-engine/index.ts';
import { Adapters } from '../adapter-list/index.ts';
import type { Plan } from './plan.ts';
import { type PreflightDependencies, preflight } from './preflight.ts';

const plan = { module: 'shop', to: { kind: 'in-process' }, comes: 0 } as unknown as Plan;

/** Creates the dependencies of a preflight. By default, the module answers and has no stuck sagas. */
function parts({ folder = '.', answers = true, stuck = 0, listed = allAdapters }): PreflightDependencies {
  return {
    adapters: new Adapters(listed),
    topology: { settings: { DATA_DIR: folder, BUS: 'mitt' } },
    directory: { answers: async () => answers },
    replica: { name: 'process 7', stuckSagas: async () => stuck },
  } as unknown as PreflightDependencies;
}

it('lets a move begin when the disk has free space, and returns its size', async () => {
  expect(await preflight(plan, true, parts({}))).toEqual({ freeBytes: expect.any(Number) });
});

it('refuses a placement that no adapter serves, and names the missing adapter', async () => {
  const to = { kind: 'service', via: 'grpc', instances: 1 };
  const listed = allAdapters.filter(({ name }) => name !== 'grpc');
  await expect(preflight({ ...plan, to } as Plan, true, parts({ listed }))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(
      /^the placement of \w+ needs an adapter that listens for calls, and there is none: add one/,
    ),
  });
});

/** A file system without free space. */
it.skipIf(!existsSync('/proc/self'))(
  'refuses a move on a full disk, and names the folder and the solution',
  async () => {
    await expect(preflight(plan, true, parts({ folder: '/proc' }))).rejects.toMatchObject({
      code: 'conflict',
      message: 'the disk of /proc has 0 KiB left; make room first',
    });
  },
);

it('refuses a move of a module that does not answer, or whose sagas need a person', async () => {
  await expect(preflight(plan, true, parts({ answers: false }))).rejects.toMatchObject({
    code: 'conflict',
    message: 'shop does not answer where it is now (process 7); end that process, and it is started again',
  });
  await expect(preflight(plan, true, parts({ stuck: 2 }))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('2 of the sagas of shop need a person (npx kerf sagas list --state stuck)'),
  });
});

/** Checks a move to a release with these migrations. The old release has applied `shelves`, and `labels`, which has no phase. */
function toRelease(...migrations: NamedMigration[]) {
  const applied = [
    { name: 'shelves', phase: 'expand' },
    { name: 'labels', phase: null },
  ];
  const replica = { ...parts({}).replica, migrations: async () => applied };
  const coming = async () => migrations;
  return preflight({ ...plan, anotherRelease: true }, true, { ...parts({}), replica, coming });
}
const [shelves, labels] = [
  { name: 'shelves', phase: 'expand' },
  { name: 'labels', phase: 'contract' },
];

it('accepts another release with migrations that the running release tolerates', async () => {
  const more = { name: 'more', phase: 'expand' };
  expect(await toRelease(shelves!, labels!, more)).toEqual({ freeBytes: expect.any(Number) });
  expect(await toRelease(labels!)).toEqual({ freeBytes: expect.any(Number) });
});

it.each<[string, NamedMigration[], RegExp]>([
  [
    'has a contract migration',
    [shelves!, labels!, { name: 'rename', phase: 'contract' }],
    /its migration "rename" is not marked as expand/,
  ],
  [
    'has a migration without a phase',
    [shelves!, labels!, { name: 'rename' }],
    /its migration "rename" is not marked as expand/,
  ],
  [
    'lacks an applied migration',
    [shelves!],
    /it does not know the migration "labels", which was applied and is not marked/,
  ],
])('refuses, before any change, another release that %s', async (_, migrations, why) => {
  await expect(toRelease(...migrations)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(why),
  });
});

it('accepts a new release that does not report its migrations, but refuses when the running one does not', async () => {
  const replica = {
    ...parts({}).replica,
    migrations: () => Promise.reject(new Error('this release does not know "migrations"')),
  };
  const move = (coming: PreflightDependencies['coming']) =>
    preflight({ ...plan, anotherRelease: true }, true, { ...parts({}), replica, coming });
  expect(await move(async () => undefined)).toEqual({ freeBytes: expect.any(Number) });
  await expect(move(async () => [shelves!])).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(
      'process 7 does not say which migrations were applied to the data of shop; stop the system',
    ),
  });
});
