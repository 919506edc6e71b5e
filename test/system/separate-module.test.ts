import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { type Order, Shop, type Summary } from '../harness/shop.ts';

describe('a module at a fixed address, started separately', () => {
  let home: Kerf;
  let payments: Kerf;

  beforeAll(async () => {
    const [homePort, paymentsPort] = await Promise.all([freePort(), freePort()]);
    const dataDir = newDataDir();
    const env = {
      MODULE_PAYMENTS: `http://127.0.0.1:${paymentsPort}`,
      HOME_ADDRESS: `http://127.0.0.1:${homePort}`,
    };
    home = await Kerf.start({ dataDir, env: { ...env, INTERNAL_PORT: String(homePort) } });
    payments = await Kerf.start({
      dataDir,
      env: { ...env, INTERNAL_PORT: String(paymentsPort) },
      words: ['--only', 'payments'],
    });
  });

  it('is called at the address in the topology', async () => {
    expect(payments.announced.public).toBeNull();
    const placed = home.announced.modules.find(({ name }) => name === 'payments');
    expect(placed).toMatchObject({ placement: payments.announced.internal });
  });

  it('takes part in an order', async () => {
    const shop = await new Shop(home.url).join();
    const { status, body } = await shop.order('WAX');
    expect(status).toBe(201);
    const { payment } = (await shop.get<Summary>(`/orders/${body.id}/summary`)).body;
    expect(payment).toMatchObject({ orderId: body.id, status: 'captured' });
    expect(await shop.get(`/payments/${payment!.id}`)).toMatchObject({ status: 200, body: payment! });
    expect((await shop.order('WAX', 1, { token: 'tok_declined' })).status).toBe(402);
  });

  it('completes an order after an outage', async () => {
    const shop = await new Shop(home.url).join();
    expect(await payments.stop()).toBe(0);
    const waiting = await shop.order('WAX', 1, { wait: 0 });
    expect(waiting.status).toBe(202);
    const { MODULE_PAYMENTS, HOME_ADDRESS } = addresses();
    payments = await Kerf.start({
      dataDir: home.dataDir,
      env: { MODULE_PAYMENTS, HOME_ADDRESS, INTERNAL_PORT: new URL(MODULE_PAYMENTS).port },
      words: ['--only', 'payments'],
    });
    await eventually(
      async () => (await shop.get<Order>(`/orders/${waiting.body.id}`)).body.status === 'confirmed',
      'the confirmation of the order that waited',
    );
  });

  it('announces its stop and serves requests until it stops', async () => {
    expect(await payments.stop()).toBe(0);
    const { MODULE_PAYMENTS, HOME_ADDRESS } = addresses();
    const internal = { INTERNAL_PORT: new URL(MODULE_PAYMENTS).port, DRAIN_DELAY_MS: '60000' };
    const env = { MODULE_PAYMENTS, HOME_ADDRESS, ...internal };
    payments = await Kerf.start({ dataDir: home.dataDir, env, words: ['--only', 'payments'] });
    const readiness = async () => {
      const answer = await fetch(`${payments.announced.internal}/readyz`);
      return { connection: answer.headers.get('connection'), ...((await answer.json()) as object) };
    };
    expect(await readiness()).toEqual({ status: 'ready', connection: 'keep-alive' });
    payments.process.kill('SIGTERM');
    await eventually(async () => (await readiness()).connection === 'close', 'its announcement');
    expect(await readiness()).toEqual({ status: 'stopping', connection: 'close' });
    const shop = await new Shop(home.url).join({ email: 'late@example.com' });
    expect((await shop.order('WAX')).status).toBe(201);
    payments.process.kill('SIGINT');
    expect(await payments.exited()).toBe(0);
    payments = await Kerf.start({ dataDir: home.dataDir, env, words: ['--only', 'payments'] });
  });

  afterAll(async () => {
    payments.process.kill('SIGINT');
    expect(await Promise.all([home.stop(), payments.exited()])).toEqual([0, 0]);
    rmSync(home.dataDir, { recursive: true });
  });

  function addresses() {
    return { MODULE_PAYMENTS: payments.announced.internal, HOME_ADDRESS: home.announced.internal };
  }
});
