import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityProvider, shopAudience } from '../harness/identity-provider.ts';
import { eventually, Kerf, newDataDir, placements, startAndFail } from '../harness/kerf.ts';
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

  it('have a member of their own, whose orders no other member sees', async () => {
    const placed = await (await as('ann')).order('WAX');
    expect(placed.status).toBe(201);
    const path = `/orders/${placed.body.id}`;
    expect((await (await as('ann')).get(path)).status).toBe(200);
    expect((await (await as('bob')).get(path)).status).toBe(404);
    expect(await (await as('ann')).get('/members/me')).toMatchObject({ status: 404, body: { code: 'not-found' } });
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

describe.each([
  { name: 'all in-process', out: [] },
  { name: 'modules out by HTTP', out },
  { name: 'modules out by gRPC', out, via: 'grpc' },
])('API keys, $name', (topology) => {
  let kerf: Kerf;
  let operator: Operator;

  beforeAll(async () => {
    kerf = await Kerf.start({ env: { ...placements(topology), RATE_LIMIT_PER_MINUTE: '40', LOG_LEVEL: 'debug' } });
    operator = new Operator(kerf);
  });
  afterAll(async () => expect(await kerf.stop(), kerf.stderr).toBe(0));

  const withKey = async (name: string) => {
    const made = { name, roles: ['catalog-editor'] };
    const { status, body } = await operator.ask<{ id: string; token: string }>('POST', '/api-keys', made);
    expect(status).toBe(201);
    return { id: body.id, shop: new Shop(kerf.url, body.token) };
  };

  it('have the roles that an operator gave to them, until they are revoked', async () => {
    const { id, shop } = await withKey('Import');
    expect(await change(shop)).toMatchObject({ status: 200, body: { sku: 'OIL' } });
    expect(await shop.get('/orders')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await shop.send('DELETE', '/sessions/current')).toMatchObject({ status: 403 });
    expect((await operator.ask('DELETE', `/api-keys/${id}`)).status).toBe(200);
    expect(await change(shop)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect((await operator.ask('DELETE', `/api-keys/${id}`)).status).toBe(404);
  });

  it('have a limit of requests each, apart from that of the address that they come from', async () => {
    const [one, two] = [await withKey('One'), await withKey('Two')];
    const statuses = async (shop: Shop, times: number) => {
      const answers = await Promise.all(Array.from({ length: times }, () => shop.get('/products/OIL')));
      return answers.filter(({ status }) => status === 429).length;
    };
    expect(await statuses(one.shop, 42)).toBe(2);
    expect(await statuses(two.shop, 40)).toBe(0);
    expect((await change(two.shop)).status).toBe(429);
    const wrong = new Shop(kerf.url, `${one.shop.token!.slice(0, -4)}AAAA`);
    expect((await change(wrong)).status).toBe(401);
  });

  it('open nothing else: no admin route and no module, and no other token is an API key', async () => {
    const { shop } = await withKey('Curious');
    const made = { name: 'Own', roles: ['catalog-editor'] };
    for (const token of [shop.token!, readFileSync(join(kerf.dataDir, 'metrics-token'), 'utf8').trim()])
      for (const [method, path] of [
        ['GET', '/roles'],
        ['GET', '/api-keys'],
        ['POST', '/api-keys'],
      ] as const)
        expect((await operator.as(token).ask(method, path, method === 'POST' ? made : undefined)).status).toBe(401);
    const { internal } = kerf.announced;
    for (const headers of [
      { authorization: `Bearer ${shop.token}` },
      { 'kerf-member': shop.token!, 'kerf-roles': 'catalog-editor' },
    ] as Record<string, string>[]) {
      const direct = await fetch(`${internal}/modules/catalog/put`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      expect(direct.status).toBe(401);
    }
    const operatorToken = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
    expect((await change(new Shop(kerf.url, operatorToken))).status).toBe(401);
  });

  // The same in every topology: the home process alone knows the keys.
  if (topology.out.length > 0) return;

  it('are made, listed and revoked by a command, and shown once', async () => {
    const made = await operator.runInHost('api-keys', ['create', 'Nightly import', 'catalog-editor', '--days', '30']);
    expect([made.code, made.stderr]).toEqual([0, '']);
    const [token, , revoke] = made.stdout.trim().split('\n');
    const shop = new Shop(kerf.url, token);
    expect((await change(shop)).status).toBe(200);
    const list = await operator.runInHost('api-keys', ['list']);
    expect(list.stdout).toMatch(/Nightly import +catalog-editor +made \S+ +ends \S+ +used \S+/);
    expect(list.stdout).not.toContain(token!.slice(-43));
    const id = /revoke ([0-9a-f]{16})$/.exec(revoke!)![1]!;
    expect((await operator.runInHost('api-keys', ['revoke', id])).code).toBe(0);
    expect((await change(shop)).status).toBe(401);
  });

  it.each<[string[], string, number]>([
    [[], 'name an action: create, list, revoke', 2],
    [['create', 'x'], 'missing <role>: its roles', 2],
    [['create', 'x', 'catalog-editor', '--days', '0'], '--days takes a number of whole days, 1 to 3650, not "0"', 2],
    [['create', 'x', 'admin'], 'roles.0: there is no role "admin"; there are catalog-editor', 1],
    [['list', '--days', '1'], "unknown option '--days'", 2],
    [['revoke'], 'missing <id>: the id of the key', 2],
    [['revoke', '../sessions'], 'there is no API key "../sessions"', 1],
  ])('the command says what is wrong: %j', async (words, message, exitCode) => {
    const { code, stdout, stderr } = await operator.runInHost('api-keys', words);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toContain(message);
  });
});

it('API keys and roles survive a restart, and a change of the signing keys', async () => {
  const dataDir = newDataDir();
  const first = await Kerf.start({ dataDir });
  const operator = new Operator(first);
  const { body: made } = await operator.ask<{ token: string }>('POST', '/api-keys', {
    ...{ name: 'Lasting', roles: ['catalog-editor'] },
  });
  const editor = await new Shop(first.url).join({ email: 'editor@example.com' });
  const { id: member } = (await editor.get<{ id: string }>('/members/me')).body;
  await operator.ask('PUT', '/roles', { member, roles: ['catalog-editor'] });
  await first.stop();

  expect((await operator.run('rotate-keys', ['--revoke'])).code).toBe(0);
  const second = await Kerf.start({ dataDir });
  expect((await change(new Shop(second.url, made.token))).status).toBe(200);
  expect((await change(new Shop(second.url, editor.token))).status).toBe(401);
  expect((await change(await new Shop(second.url).signIn('editor@example.com'))).status).toBe(200);
  await second.stop();
});

it('a provider without an audience stops the start, in one line', async () => {
  const { code, stderr } = await startAndFail({ OIDC_ISSUER: 'https://id.example' });
  expect(code).not.toBe(0);
  expect(stderr.trim()).toMatch(/^kerf: OIDC_ISSUER needs OIDC_AUDIENCE, [^\n]*$/);
});
