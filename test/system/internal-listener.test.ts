import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Kerf } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';
import { SystemKey } from '../harness/system-key.ts';

const inside: [method: string, path: string][] = [
  ['POST', '/modules/orders/place'],
  ['POST', '/modules/mail/send'],
  ['POST', '/modules/orders'],
  ['POST', '/events/notifications'],
  ['GET', '/routes/orders/orders'],
  ['GET', '/ops/topology'],
  ['GET', '/ops/outbox'],
  ['GET', '/ops/dead-letters'],
  ['GET', '/ops/sagas'],
  ['PUT', '/ops/modules/payments'],
  ['GET', '/ops/faults'],
  ['PUT', '/ops/faults'],
  ['POST', `/ops/dead-letters/${randomUUID()}/replay`],
  ['GET', '/metrics'],
];

/** With an extracted module there are two internal listeners. Both must reject the same requests. */
describe('the internal listener', () => {
  let kerf: Kerf;
  let session: string;
  let addresses: string[];

  beforeAll(async () => {
    kerf = await Kerf.start({ env: { MODULE_MAIL: 'http' } });
    const shop = new Shop(kerf.url);
    await shop.join({ email: 'ada@example.com' });
    const credentials = { email: 'ada@example.com', password: 'correct horse' };
    session = (await shop.post<{ token: string }>('/sessions', credentials)).body.token;
    const mail = kerf.announced.modules.find(({ name }) => name === 'mail')!.instances[0]!.address!;
    addresses = [kerf.announced.internal, mail];
  });
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  async function outcomes(authorization?: string, base = addresses): Promise<Set<string>> {
    const seen = new Set<string>();
    for (const address of base) {
      for (const [method, path] of inside) {
        const answer = await fetch(`${address}${path}`, { method, headers: authorization ? { authorization } : {} });
        expect(answer.headers.has('www-authenticate')).toBe(answer.status === 401);
        seen.add(`${answer.status} ${((await answer.json()) as { code: string }).code}`);
      }
    }
    return seen;
  }

  it('rejects requests without a token', async () => {
    expect(await outcomes()).toEqual(new Set(['401 unauthenticated']));
  });

  it("rejects a member's token, an empty token and garbage", async () => {
    for (const token of [session, '', 'garbage', 'a.b.c']) {
      expect(await outcomes(`Bearer ${token}`)).toEqual(new Set(['401 unauthenticated']));
    }
  });

  it('rejects module calls with the operator token, and admin requests with a service token', async () => {
    const operator = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
    expect((await call('POST', '/modules/mail/send', operator)).status).toBe(401);
    expect((await call('GET', '/ops/topology', await serviceToken('gateway', 'orders'))).status).toBe(401);
    expect((await call('GET', '/ops/topology', operator)).status).toBe(200);
    expect((await call('POST', '/modules/mail/send', await serviceToken('home', '/ops'))).status).toBe(401);
  });

  it("accepts a module's call only to declared modules, and a token only for its audience", async () => {
    expect((await call('POST', '/modules/payments/refund', await serviceToken('board', 'payments'))).status).toBe(403);
    expect((await call('POST', '/modules/payments/refund', await serviceToken('orders', 'mail'))).status).toBe(401);
    expect((await call('POST', '/events/mail', await serviceToken('orders', 'mail'))).status).toBe(403);
    for (const operation of ['kerf.read', 'kerf.write', 'kerf.operate'])
      expect((await passOn(`/modules/orders/${operation}`, await serviceToken('board', 'orders'))).status).toBe(403);
    expect((await passOn('/modules/orders/kerf.operate', await serviceToken('gateway', 'orders'))).status).toBe(403);
    expect((await call('POST', '/modules/payments/refund', await serviceToken('orders', 'payments'))).status).toBe(422);
  });

  it('rejects admin requests from a module process, even in the name of the home process', async () => {
    const [home, mail] = addresses as [string, string];
    const system = new SystemKey(kerf.dataDir);
    for (const [address, module] of [
      [home, 'orders'],
      [mail, 'mail'],
    ]) {
      const order = (token: string) => passOn(`/modules/${module}/kerf.operate`, token, address);
      const claim = { subject: 'home', audience: module! };
      expect((await order(await system.sign(claim))).status).toBe(403);
      expect((await order(await system.signAs(module!, claim))).status).toBe(401);
    }
  });

  it('accepts a process only in the name of its own module', async () => {
    const system = new SystemKey(kerf.dataDir);
    const claims = ['gateway', 'home', 'members', 'orders'].map((subject) => ({ subject, audience: 'payments' }));
    const statuses = await Promise.all(
      claims.map(
        async (claim) => (await call('POST', '/modules/payments/refund', await system.signAs('orders', claim))).status,
      ),
    );
    expect(statuses).toEqual([401, 401, 401, 422]);
  });

  it('publishes only public keys', async () => {
    const { keys } = (await (await fetch(`${addresses[0]}/keys`)).json()) as { keys: Record<string, string>[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([['crv', 'kid', 'kty', 'x']]);
  });

  it('has no routes on the public listener', async () => {
    expect(await outcomes(`Bearer ${session}`, [kerf.url])).toEqual(new Set(['404 not-found']));
    const operator = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
    expect(await outcomes(`Bearer ${operator}`, [kerf.url])).toEqual(new Set(['404 not-found']));
  });

  it('makes secret files readable only by their owner', () => {
    for (const file of ['operator-token', 'keys/internal.json', 'keys/sessions.json', 'members.db']) {
      expect(statSync(join(kerf.dataDir, file)).mode & 0o077, file).toBe(0);
    }
  });

  function call(method: string, path: string, token: string): Promise<Response> {
    return fetch(`${kerf.announced.internal}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: method === 'POST' ? '{}' : undefined,
    });
  }

  function passOn(path: string, token: string, address = kerf.announced.internal): Promise<Response> {
    return fetch(`${address}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ method: 'GET', path: '/ops/topology', headers: {}, body: '' }),
    });
  }

  function serviceToken(caller: string, audience: string): Promise<string> {
    return new SystemKey(kerf.dataDir).sign({ subject: caller, audience });
  }
});
