import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityProvider, shopAudience } from '../harness/identity-provider.ts';
import { eventually, Kerf, placements, startAndFail } from '../harness/kerf.ts';
import { logLines } from '../harness/log.ts';
import { Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';

const body = { name: 'Linseed oil', description: 'Boiled, 500 ml', price: { amount: 18_000, currency: 'KRW' } };
const change = (shop: Shop) => shop.send<{ code?: string }>('PUT', '/products/OIL', body);
const readiness = async (kerf: Kerf) => (await new Shop(kerf.url).get<Record<string, unknown>>('/readyz')).body;

const out = ['catalog', 'orders', 'members'];
describe.each([
  { name: 'all in-process', out: [] },
  { name: 'modules out by HTTP', out },
  { name: 'modules out by gRPC', out, via: 'grpc' },
])('tokens of an identity provider, $name', (topology) => {
  let provider: IdentityProvider;
  let kerf: Kerf;
  let as: (client: string, audience?: string) => Promise<Shop>;

  beforeAll(async () => {
    provider = await IdentityProvider.start();
    const settings = {
      ...{ OIDC_ISSUER: provider.issuer, OIDC_AUDIENCE: shopAudience, OIDC_ROLES_CLAIM: 'realm_access.roles' },
      ...{ LOG_LEVEL: 'debug', LOG_FORMAT: 'json' },
    };
    kerf = await Kerf.start({ env: { ...placements(topology), ...settings } });
    as = async (client, audience) => new Shop(kerf.url, await provider.token(client, audience));
  });
  afterAll(async () => {
    expect(await kerf.stop(), kerf.stderr).toBe(0);
    await provider.stop();
  });

  it('sign members in, who have the roles that the provider says', async () => {
    expect(await change(await as('ann'))).toMatchObject({ status: 200, body: { sku: 'OIL' } });
    expect(await change(await as('bob'))).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const orders = await (await as('bob')).get<{ items: unknown[] }>('/orders');
    expect(orders).toMatchObject({ status: 200, body: { items: [] } });
  });

  it('have a member of their own, to whom an operator may give roles', async () => {
    const operator = new Operator(kerf);
    const bob = await as('bob');
    const post = await bob.post<{ authorId: string }>('/posts', { title: 'A title', body: 'A body' });
    const placed = await (await as('ann')).order('WAX');
    expect([placed.status, (await (await as('ann')).get(`/orders/${placed.body.id}`)).status]).toEqual([201, 200]);
    expect((await bob.get(`/orders/${placed.body.id}`)).status).toBe(404);
    expect(post.status).toBeLessThan(500);
    const { items } = (await operator.ask<{ items: { member: string }[] }>('GET', '/roles')).body;
    expect(items).toEqual([]);
  });

  it('are refused for another audience, and after signing out', async () => {
    const other = await as('ann', 'https://other.example');
    expect(await change(other)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    const ann = await as('ann');
    const again = await as('ann');
    expect((await ann.send('DELETE', '/sessions/current')).status).toBe(204);
    expect([(await change(ann)).status, (await change(again)).status]).toEqual([401, 200]);
  });

  it('are never in the log', async () => {
    const shop = await as('ann');
    await change(shop);
    await fetch(`${kerf.url}/products/${shop.token!.slice(0, 200)}`);
    expect(kerf.stderr).not.toContain(shop.token!.split('.')[2]);
    expect(kerf.stderr).not.toContain(shop.token!.slice(0, 200));
  });

  // The same in every topology: only the gateway knows the provider.
  if (topology.out.length > 0) return;

  it('survive that the provider is down, and say so', async () => {
    const known = await as('ann');
    expect(await readiness(kerf)).toMatchObject({ status: 'ready', identityProvider: 'ready' });
    provider.down();
    // A token with an unknown key makes the gateway ask, as soon as it may ask again.
    const [head, ...rest] = known.token!.split('.');
    const unknown = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(head!, 'base64url').toString()), kid: 'unknown' }),
    ).toString('base64url');
    const stranger = new Shop(kerf.url, [unknown, ...rest].join('.'));
    await eventually(async () => {
      expect((await change(stranger)).status).toBe(401);
      return (await readiness(kerf)).identityProvider === 'away';
    }, 'the provider is away');
    expect(await readiness(kerf)).toMatchObject({ status: 'degraded' });
    expect((await change(known)).status).toBe(200);
    const lines = logLines(kerf.stderr).filter((line) =>
      JSON.stringify(line).includes('of the identity provider cannot'),
    );
    expect(lines).toEqual([
      expect.objectContaining({
        kerf: expect.objectContaining({ why: `${provider.issuer}/.well-known/openid-configuration answers 503` }),
      }),
    ]);
  });

  it('are accepted with a rotated key, and no longer with the old one', async () => {
    provider.up();
    const old = await as('ann');
    await provider.rotate('ES256');
    const fresh = await as('ann');
    await eventually(async () => (await change(fresh)).status === 200, 'the new key is known');
    expect((await change(old)).status).toBe(401);
    expect(await readiness(kerf)).toMatchObject({ status: 'ready', identityProvider: 'ready' });
  });
});

it('a provider without an audience stops the start, in one line', async () => {
  const { code, stderr } = await startAndFail({ OIDC_ISSUER: 'https://id.example' });
  expect(code).not.toBe(0);
  expect(stderr.trim()).toMatch(/^kerf: OIDC_ISSUER needs OIDC_AUDIENCE, [^\n]*$/);
});
