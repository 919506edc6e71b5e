import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually, Kerf } from '../harness/kerf.ts';

let kerf: Kerf;
afterEach(async () => expect(await kerf.stop()).toBe(0));

const readiness = async () => {
  const answer = await fetch(`${kerf.url}/readyz`);
  return { ...((await answer.json()) as object), code: answer.status };
};

/** What a database loses when its file is taken away under it; put back, it is the same again. */
async function whileGone(module: string, expected: object): Promise<void> {
  const file = join(kerf.dataDir, `${module}.db`);
  renameSync(file, `${file}-away`);
  await eventually(async () => JSON.stringify(await readiness()) === JSON.stringify(expected), 'what it says');
  renameSync(`${file}-away`, file);
  const ready = { status: 'ready', away: [], unwritable: [], code: 200 };
  await eventually(async () => JSON.stringify(await readiness()) === JSON.stringify(ready), 'that it is ready again');
}

it('is not ready while a module here can keep nothing, and degraded while one elsewhere cannot', async () => {
  kerf = await Kerf.start({ env: { MODULE_MAIL: 'http' } });
  expect(await readiness()).toEqual({ status: 'ready', away: [], unwritable: [], code: 200 });
  await whileGone('orders', { status: 'unwritable', away: [], unwritable: ['orders'], code: 503 });
  await whileGone('mail', { status: 'degraded', away: [], unwritable: ['mail'], code: 200 });
  expect(kerf.stderr).toContain('the data of a module takes no writes');
  expect(kerf.stderr).toContain('it was removed or replaced');
});
