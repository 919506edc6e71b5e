import { spawnSync } from 'node:child_process';
import { expect, it, vi } from 'vitest';
import { plantedMigration, releaseWith } from '../harness/release.ts';

// Each starts two systems and a test run.
vi.setConfig({ testTimeout: 120_000 });

/** Whether this release, as the one before, passes the tests of payments on the data of one with another migration. */
function checked(sqlite: string) {
  const after = releaseWith([plantedMigration('expand', sqlite)]);
  const words = ['--before', process.cwd(), '--after', after, 'modules/duplicates', '-t', 'one payment'];
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check-releases.mjs', ...words], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  return { status, said: `${stdout}${stderr}` };
}

it('lets a release pass whose migration adds to what is there', () => {
  const { status, said } = checked('ALTER TABLE payments ADD COLUMN note TEXT');
  expect([status, said]).toEqual([
    0,
    expect.stringContaining('the release before passes its tests on the data of this one'),
  ]);
});

it('finds a migration that is marked as expand and renames a column', () => {
  const { status, said } = checked('ALTER TABLE payments RENAME COLUMN status TO state');
  expect(status).toBe(1);
  expect(said).toMatch(/×.* authorizes, captures and refunds one payment/);
  expect(said).toContain('a migration is marked as expand that is none');
});
