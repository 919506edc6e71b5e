import { mkdtempSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually, Kerf, startAndFail } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

let kerf: Kerf;

const nothingIsLacking = { away: [], unwritable: [], starting: [], unresponsive: [], draining: [], undelivered: [] };

const readiness = async () => {
  const answer = await fetch(`${kerf.url}/readyz`);
  const said = (await answer.json()) as { status: string; unresponsive: string[] };
  return { ...said, code: answer.status };
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
  const ready = { status: 'ready', ...nothingIsLacking, code: 200 };
  await eventually(async () => JSON.stringify(await readiness()) === JSON.stringify(ready), 'readiness');
}

describe('a system with two processes of mail', () => {
  beforeAll(async () => {
    kerf = await Kerf.start({ env: { MODULE_MAIL: 'http?instances=2' } });
  });
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  it('answers the probes of each process, of another process without details', async () => {
    const get = async (url: string) => {
      const response = await fetch(url);
      return [response.status, await response.json()];
    };
    expect(await get(`${kerf.url}/healthz`)).toEqual([200, { status: 'ok', loopDelayMs: expect.any(Number) }]);
    expect(await get(`${kerf.url}/startupz`)).toEqual([200, { status: 'started' }]);
    const mail = kerf.announced.modules.find(({ name }) => name === 'mail')?.instances[0]?.address;
    for (const address of [kerf.announced.internal, mail]) {
      expect(await get(`${address}/healthz`)).toEqual([200, { status: 'ok' }]);
      expect(await get(`${address}/readyz`)).toEqual([200, { status: 'ready' }]);
      expect(await get(`${address}/startupz`)).toEqual([200, { status: 'started' }]);
    }
  });

  it('is unready while a local module cannot write, and degraded while a remote module cannot', async () => {
    expect(await readiness()).toEqual({ status: 'ready', ...nothingIsLacking, code: 200 });
    await whileGone('orders', { status: 'unwritable', ...nothingIsLacking, unwritable: ['orders'], code: 503 });
    await whileGone('mail', { status: 'degraded', ...nothingIsLacking, unwritable: ['mail'], code: 200 });
    expect(kerf.stderr).toContain('the data of a module takes no writes');
    expect(kerf.stderr).toContain('it was removed or replaced');
  });

  it('names a module whose process is frozen, also while another instance serves it', async () => {
    const [pid] = await kerf.readyPidsOf('mail');
    process.kill(pid!, 'SIGSTOP');
    await eventually(async () => (await readiness()).unresponsive.includes('mail'), 'the frozen process');
    expect(await readiness()).toEqual({ status: 'degraded', ...nothingIsLacking, unresponsive: ['mail'], code: 200 });
    const { body } = await new Operator(kerf).ask<{ modules: { name: string; instances: object[] }[] }>(
      'GET',
      '/topology',
    );
    const mail = body.modules.find(({ name }) => name === 'mail');
    expect(mail).toMatchObject({ state: 'ready' });
    expect(mail?.instances).toContainEqual(expect.objectContaining({ pid, unresponsive: true }));
    expect(kerf.stderr).toContain('the process of a module does not answer');
    process.kill(pid!, 'SIGCONT');
    await eventually(async () => (await readiness()).status === 'ready', 'the process that goes on');
  });
});

it.each<[string, (file: string) => void]>([
  ['cut off', (file) => truncateSync(file, 0)],
  ['overwritten', (file) => writeFileSync(file, Buffer.alloc(statSync(file).size), { flag: 'r+' })],
])('is unready after a database file is %s, answers orders with 503, and does not restart', async (what, damage) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kerf-readiness-'));
  kerf = await Kerf.start({ dataDir });
  onTestFinished(() => kerf.kill());
  const shop = await new Shop(kerf.url).join();
  damage(join(dataDir, 'orders.db'));
  const expected = { status: 'unwritable', ...nothingIsLacking, unwritable: ['orders'], code: 503 };
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
