import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { eventually, Kerf } from '../../harness/kerf.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { type Order, type Page, Shop } from '../../harness/shop.ts';
import { SystemKey } from '../../harness/system-key.ts';

describe('a call to the internal listener', () => {
  let kerf: Kerf;
  let memberId: string;
  let session: string;
  let addresses: string[];
  let system: SystemKey;
  beforeAll(async () => {
    kerf = await Kerf.start({ env: { MODULE_ORDERS: 'http' } });
    system = new SystemKey(kerf.dataDir);
    const shop = new Shop(kerf.url);
    const credentials = { email: 'ada@example.com', password: 'correct horse' };
    memberId = (await shop.post<{ id: string }>('/members', { ...credentials, name: 'Ada' })).body.id;
    session = (await shop.post<{ token: string }>('/sessions', credentials)).body.token;
    const { address } = kerf.announced.modules.find(({ name }) => name === 'orders')!.instances[0]!;
    // The process of orders, and the home process, which forwards calls to it.
    addresses = [address!, kerf.announced.internal];
  });
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  const claims: [about: string, member: () => string | Promise<string>][] = [
    ['without a signature', () => memberId],
    ['signed with an unknown key', () => system.forge({ subject: memberId, audience: '/member' })],
    [
      'signed by a process that may only forward it',
      () => system.signAs('orders', { subject: memberId, audience: '/member' }),
    ],
    ['that has expired', () => system.sign({ subject: memberId, audience: '/member', until: -10 })],
    ['that is a session token', () => session],
    ['that is a service token', () => system.sign({ subject: memberId, audience: 'orders' })],
    ['without an algorithm', () => unsigned()],
  ];

  it.each(claims)('is rejected with a member token %s', async (_about, claim) => {
    const member = await claim();
    for (const address of addresses) {
      expect(await call(address, { 'kerf-member': member })).toBe('401 unauthenticated');
      expect(await exchange(address, member)).toBe('401 unauthenticated');
    }
  });

  it('is accepted with a valid member token', async () => {
    const member = await system.sign({ subject: memberId, audience: '/member' });
    for (const address of addresses) {
      expect(await call(address, { 'kerf-member': member })).toBe('200 undefined');
      expect(await exchange(address, member)).toBe('200 undefined');
    }
  });

  it('is rejected with a caller header, an expired token or a token of another key', async () => {
    const tokens = [
      await system.sign({ subject: 'gateway', audience: 'orders', until: -10 }),
      await system.forge({ subject: 'gateway', audience: 'orders' }),
      await system.signAs('payments', { subject: 'gateway', audience: 'orders' }),
      await system.signAs('payments', { subject: 'home', audience: 'orders' }),
      await system.signAs('payments', { subject: 'notifications', audience: 'orders' }),
      await system.sign({ subject: 'gateway', audience: '/member' }),
      session,
      unsigned(),
    ];
    for (const address of addresses) {
      for (const token of tokens) {
        const claim = { authorization: `Bearer ${token}`, 'kerf-caller': 'gateway' };
        expect(await call(address, claim)).toBe('401 unauthenticated');
      }
    }
  });

  async function call(address: string, headers: Record<string, string>): Promise<string> {
    const authorization = `Bearer ${await system.sign({ subject: 'gateway', audience: 'orders' })}`;
    const answer = await fetch(`${address}/modules/orders/list`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ memberId }),
    });
    return `${answer.status} ${((await answer.json()) as { code?: string }).code}`;
  }

  /** Sends one call. Resolves with the outcome of its only line. */
  async function exchange(address: string, member: string): Promise<string> {
    const context = { requestId: 'test', deadlineMs: 5_000, member };
    const answer = await fetch(`${address}/modules/orders`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await system.sign({ subject: 'gateway', audience: 'orders' })}` },
      body: `${JSON.stringify({ id: 1, operation: 'list', input: { memberId }, context })}\n`,
    });
    const [line] = (await answer.text()).split('\n');
    const { problem } = JSON.parse(line!) as { problem?: { status: number; code: string } };
    return problem ? `${problem.status} ${problem.code}` : `${answer.status} undefined`;
  }

  function unsigned(): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1_000) + 60;
    return `${part({ alg: 'none', kid: system.kid })}.${part({ iss: memberId, aud: '/member', exp })}.`;
  }
});

it('keys are rotated under load without a failure', async () => {
  const scene = new Scene({ MODULE_ORDERS: 'http?instances=2', MODULE_PAYMENTS: 'grpc', MODULE_MEMBERS: 'http' });
  const kerf = await scene.start();
  const shop = await new Shop(kerf.url).join();
  const load = new SteadyLoad(shop, ['/orders', '/members/me']);
  await load.answers(5);
  const keysOf = () => readFileSync(join(scene.dataDir, 'keys', 'internal.json'), 'utf8');
  const before = keysOf();
  for (let times = 0; times < 2; times++) {
    const { code, stdout, stderr } = await new Operator(kerf).run('rotate-keys', []);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/internal\.json: signing with \w+ from now on/);
    await load.answers(5);
  }
  expect(keysOf()).not.toBe(before);
  // A process that starts after the change meets processes from before it.
  process.kill((await kerf.readyPidsOf('orders'))[0]!, 'SIGKILL');
  await load.answers(10);
  expect((await shop.get<Page<Order>>('/orders')).status).toBe(200);
  expect(await load.stop()).toEqual([]);
  await scene.endsWell(kerf, load.orderAnswers);
});

it('revoked keys end all sessions, and all processes continue with new keys', async () => {
  const scene = new Scene({ MODULE_ORDERS: 'http', MODULE_PAYMENTS: 'grpc', MODULE_MEMBERS: 'http' });
  const kerf = await scene.start();
  const email = 'ann@example.com';
  const shop = await new Shop(kerf.url).join({ email });
  expect((await shop.order('WAX')).status).toBe(201);
  const { code, stdout } = await new Operator(kerf).run('rotate-keys', ['--revoke']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('what was signed before is refused')]);
  expect((await shop.get('/members/me')).status).toBe(401);
  const again = await eventually(() => new Shop(kerf.url).signIn(email).catch(() => undefined), 'a sign-in');
  await eventually(async () => (await again.order('WAX')).status === 201, 'an order with the new keys');
  await scene.endsWell(kerf);
});
