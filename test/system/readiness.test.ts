import { mkdtempSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually, Kerf, startAndFail } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

let kerf: Kerf;
afterEach(async () => expect(await kerf.stop()).toBe(0));

const readiness = async () => {
  const answer = await fetch(`${kerf.url}/readyz`);
  return { ...((await answer.json()) as object), code: answer.status };
};

/** Moves a database file away, waits for the expected readiness, and puts the file back. Then the system must be ready again. */
async function whileGone(module: string, expected: object): Promise<void> {
  const file = join(kerf.dataDir, `${module}.db`);
  renameSync(file, `${file}-away`);
  await eventually(
    async () => JSON.stringify(await readiness()) === JSON.stringify(expected),
    'the expected readiness',
  );
  renameSync(`${file}-away`, file);
  const ready = { status: 'ready', away: [], unwritable: [], code: 200 };
  await eventually(async () => JSON.stringify(await readiness()) === JSON.stringify(ready), 'readiness');
}

it('is unready while a local module cannot write, and degraded while a remote module cannot', async () => {
  kerf = await Kerf.start({ env: { MODULE_MAIL: 'http' } });
  expect(await readiness()).toEqual({ status: 'ready', away: [], unwritable: [], code: 200 });
  await whileGone('orders', { status: 'unwritable', away: [], unwritable: ['orders'], code: 503 });
  await whileGone('mail', { status: 'degraded', away: [], unwritable: ['mail'], code: 200 });
  expect(kerf.stderr).toContain('the data of a module takes no writes');
  expect(kerf.stderr).toContain('it was removed or replaced');
});

it.each<[string, (file: string) => void]>([
  ['cut off', (file) => truncateSync(file, 0)],
  ['overwritten', (file) => writeFileSync(file, Buffer.alloc(statSync(file).size), { flag: 'r+' })],
])('is unready after a database file is %s, answers orders with 503, and does not restart', async (what, damage) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kerf-readiness-'));
  kerf = await Kerf.start({ dataDir });
  const shop = await new Shop(kerf.url).join();
  damage(join(dataDir, 'orders.db'));
  const expected = { status: 'unwritable', away: [], unwritable: ['orders'], code: 503 };
  await eventually(
    async () => JSON.stringify(await readiness()) === JSON.stringify(expected),
    'the expected readiness',
  );
  const { body } = await new Operator(kerf).ask<{ modules: object[] }>('GET', '/topology');
  const why = expect.stringContaining(`it was ${what} while it was open`);
  expect(body.modules).toContainEqual(expect.objectContaining({ name: 'orders', state: 'unwritable', why }));
  expect(body.modules).toContainEqual(expect.objectContaining({ name: 'payments', state: 'ready' }));
  expect(await shop.order('WAX')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(kerf.stderr).toContain(`it was ${what} while it was open`);
  expect(await kerf.stop()).toBe(0);
  const { code, stderr } = await startAndFail({ DATA_DIR: dataDir });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/the data of "orders" .*--accept-loss orders/)]);
  rmSync(dataDir, { recursive: true });
});
