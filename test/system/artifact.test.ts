import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bundleModule } from '../../scripts/build-module/bundle.ts';
import { Scene } from '../crash/scene.ts';
import { Authority } from '../harness/authority.ts';
import { freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { SteadyLoad } from '../harness/load.ts';
import { Operator } from '../harness/operator.ts';
import { Shop, type Summary } from '../harness/shop.ts';
import { SystemKey } from '../harness/system-key.ts';

describe('a module built as a separate artifact', () => {
  let folder: string;
  const program = (name: string) => join(folder, name, 'app.js');
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kerf-artifact-'));
    for (const name of ['payments', 'notifications']) await bundleModule(name, join(folder, name));
    symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('replaces the in-process module under load without a failed request', async () => {
    const scene = new Scene();
    const kerf = await scene.start();
    const operator = new Operator(kerf);
    const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders', '/messages'], 50);
    await load.answers(10);
    for (const name of ['payments', 'notifications']) {
      const placement = `http?artifact=${program(name)}`;
      const { status, body } = await operator.ask('PUT', `/modules/${name}`, { placement, forNow: true });
      expect([status, body]).toEqual([200, expect.objectContaining({ to: placement })]);
    }
    await load.answers(10);
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  });

  describe('started by hand with the topology of the whole system', () => {
    let home: Kerf;
    let payments: Kerf;
    const dataDir = newDataDir();

    beforeAll(async () => {
      const [homePort, port] = [await freePort(), await freePort()];
      const TOPOLOGY = join(folder, 'topology.yaml');
      const lines = [
        'modules:',
        `  payments: http://127.0.0.1:${port}`,
        'policies:',
        '  payments: { operations: { authorize: { timeoutMs: 6000 } } }',
        '  orders: { operations: { place: { attempts: 2 } } }',
        'settings:',
        '  ORDERS_CHECKOUT_SECONDS: 20',
        '  SIGN_UP_WIRING: events',
      ];
      writeFileSync(TOPOLOGY, `${lines.join('\n')}\n`);
      const env = { TOPOLOGY, HOME_ADDRESS: `http://127.0.0.1:${homePort}` };
      payments = await Kerf.start({ program: program('payments'), dataDir, env: { ...env, INTERNAL_PORT: '' } });
      home = await Kerf.start({ dataDir, env: { ...env, INTERNAL_PORT: String(homePort) } });
    });
    afterAll(async () => {
      expect(await Promise.all([home.stop(), payments.stop()])).toEqual([0, 0]);
      rmSync(dataDir, { recursive: true });
    });

    it('listens at the address in the topology and has no public listener', () => {
      expect(payments.announced.public).toBeNull();
      const placed = home.announced.modules.find(({ name }) => name === 'payments');
      expect(placed).toMatchObject({ placement: payments.announced.internal, state: 'ready' });
    });

    it('takes part in an order', async () => {
      const shop = await new Shop(home.url).join();
      const { status, body } = await shop.order('WAX');
      expect(status).toBe(201);
      const { payment } = (await shop.get<Summary>(`/orders/${body.id}/summary`)).body;
      expect(payment).toMatchObject({ orderId: body.id, status: 'captured' });
    });

    it('accepts calls only from modules that declare it in their uses', async () => {
      const system = new SystemKey(dataDir);
      const statusFor = async (caller: string) => {
        const authorization = `Bearer ${await system.signAs(caller, { subject: caller, audience: 'payments' })}`;
        const url = `${payments.announced.internal}/modules/payments/refund`;
        return (await fetch(url, { method: 'POST', headers: { authorization }, body: '{}' })).status;
      };
      expect([await statusFor('board'), await statusFor('orders')]).toEqual([403, 422]);
    });

    it('passes the health check of its container until it stops', async () => {
      const { port } = new URL(payments.announced.internal);
      expect(health({ MODULE: 'payments', INTERNAL_PORT: port })).toBe(0);
      expect(health({ PORT: new URL(home.url).port })).toBe(0);
      expect(health({ MODULE: 'payments', INTERNAL_PORT: String(await freePort()) })).toBe(1);
    });
  });

  it('passes the health check with mutual TLS', async () => {
    const authority = await Authority.found('ours');
    onTestFinished(() => authority.close());
    const tls = { ...(await authority.settings()), INTERNAL_TLS_MUTUAL: 'true' };
    const env = { ...tls, MODULE_PAYMENTS: `https://127.0.0.1:${await freePort()}` };
    const payments = await Kerf.start({ program: program('payments'), env });
    const { port } = new URL(payments.announced.internal);
    expect(health({ ...tls, MODULE: 'payments', INTERNAL_PORT: port })).toBe(0);
    expect(await payments.stop()).toBe(0);
    expect(health({ ...tls, MODULE: 'payments', INTERNAL_PORT: port })).toBe(1);
  });

  it('refuses to run another module and does not create its database', async () => {
    const DATA_DIR = join(folder, 'data');
    const env = { PATH: process.env.PATH, DATA_DIR, TOPOLOGY: devNull, MODULE_ORDERS: 'http://127.0.0.1:9' };
    const child = spawn(process.execPath, [program('payments'), '--only', 'orders'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, said]).toEqual([
      1,
      'kerf: orders is not part of this artifact; start the one that holds it, and place orders at its address\n',
    ]);
    expect(existsSync(join(DATA_DIR, 'orders.db'))).toBe(false);
  });
});

/** Returns the exit code of the image's health check, in a container with this environment. */
function health(env: Record<string, string>): number | null {
  return spawnSync(process.execPath, ['deploy/health.mjs'], { env: { PATH: process.env.PATH, ...env } }).status;
}
