import { readFileSync } from 'node:fs';
import { get, type RequestOptions } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import { Authority } from '../../harness/authority.ts';
import { deep } from '../../harness/deep.ts';
import { eventually, freePort, Kerf } from '../../harness/kerf.ts';
import { Operator } from '../../harness/operator.ts';
import { type Order, Shop, type Summary } from '../../harness/shop.ts';

const [ours, others] = await Promise.all([Authority.found('ours'), Authority.found('others')]);
afterAll(() => {
  for (const authority of [ours, others]) authority.close();
});
const settings = await ours.settings();
const ca = readFileSync(settings.INTERNAL_TLS_CA);

describe.each([
  ['http', false],
  ['grpc', true],
])('a system whose processes speak TLS, payments over %s, mutual TLS: %s', (via, mutual) => {
  let kerf: Kerf;
  let operator: Operator;
  let listeners: string[];
  beforeAll(async () => {
    const env = { ...settings, INTERNAL_TLS_MUTUAL: String(mutual), MODULE_PAYMENTS: via };
    kerf = await Kerf.start({ env });
    operator = new Operator(kerf);
    const { address } = kerf.announced.modules.find(({ name }) => name === 'payments')!.instances[0]!;
    listeners = [kerf.announced.internal, address!];
  });
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  it('confirms orders', async () => {
    const shop = await new Shop(kerf.url).join();
    const { status, body } = await shop.order('WAX');
    expect(status).toBe(201);
    const { payment, missing } = (await shop.get<Summary>(`/orders/${body.id}/summary`)).body;
    expect([payment!.status, missing]).toEqual(['captured', []]);
  });

  it('rejects plain HTTP and untrusted connections', async () => {
    const { INTERNAL_TLS_CERT, INTERNAL_TLS_KEY } = settings;
    const shown = { cert: readFileSync(INTERNAL_TLS_CERT), key: readFileSync(INTERNAL_TLS_KEY) };
    for (const address of listeners) {
      expect(address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      await expect(fetch(`${address.replace('https', 'http')}/healthz`)).rejects.toThrow('fetch failed');
      expect(await ask(address, {})).toMatch(/SELF_SIGNED|VERIFY/);
      expect(await ask(address, { ca, ...shown })).toBe(200);
      expect(await ask(address, { ca })).toEqual(mutual ? expect.stringMatching(/CERTIFICATE_REQUIRED|RESET/) : 200);
    }
  });

  it('accepts operator commands with the same TLS settings', async () => {
    const topology = await operator.run('topology', [], settings);
    expect(topology).toMatchObject({ code: 0, stderr: '' });
    expect(topology.stdout).toMatch(
      new RegExp(
        `^payments +ready +${via}, ${listeners[1]} \\(process \\d+\\)${via === 'grpc' ? ' called at grpcs://\\S+' : ''}$`,
        'm',
      ),
    );
    const put = await operator.runInHost('faults', ['put', 'orders', 'payments.*', '--double', '--json'], settings);
    expect([put.code, JSON.parse(put.stdout).missed]).toEqual([0, []]);
  });

  // Mutual TLS asks for all that TLS asks for.
  const once = mutual ? {} : deep;
  it('makes operator commands fail with other TLS settings, and they report the reason', once, async () => {
    const strangers = { ...settings, INTERNAL_TLS_CA: (await others.settings()).INTERNAL_TLS_CA };
    const { INTERNAL_TLS_KEY: _, ...half } = settings;
    const attempts: [env: Record<string, string>, about: string][] = [
      [{}, 'if it speaks TLS, set INTERNAL_TLS_CERT'],
      [half, 'set INTERNAL_TLS_KEY'],
      [strangers, 'INTERNAL_TLS_CA as the running system has'],
      [{ ...settings, INTERNAL_TLS_CA: 'nowhere.pem' }, 'INTERNAL_TLS_CA: nowhere.pem cannot be read'],
      [{ ...settings, INTERNAL_PORT: String(await freePort()) }, 'nobody answers at https://127.0.0.1:'],
    ];
    for (const [env, about] of attempts) {
      const { code, stdout, stderr } = await operator.runInHost('topology', [], env);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
      expect(stderr).toContain(about);
    }
  });
});

it.each([
  ['has a certificate of another CA', () => others.settings()],
  ['has a certificate for another address', () => ours.settings('127.0.0.2')],
])('a process gets no calls when it %s', async (_about, strange) => {
  const [homePort, port] = await Promise.all([freePort(), freePort()]);
  const scene = new Scene({
    MODULE_PAYMENTS: `https://127.0.0.1:${port}`,
    HOME_ADDRESS: `https://127.0.0.1:${homePort}`,
  });
  const words = ['--only', 'payments'];
  const stranger = await scene.start({ words, env: { ...(await strange()), INTERNAL_PORT: String(port) } });
  const home = await scene.start({ env: { ...settings, INTERNAL_PORT: String(homePort) } });
  const shop = await new Shop(home.url).join();
  const { status, body } = await shop.order('WAX', 1, { wait: 0 });
  expect(status).toBe(202);
  expect((await shop.get(`/payments/${body.id}`)).status).toBe(503);
  expect(await stranger.stop()).toBe(0);

  const known = await scene.start({ words, env: { ...settings, INTERNAL_PORT: String(port) } });
  const state = async () => (await shop.get<Order>(`/orders/${body.id}`)).body.status;
  await eventually(async () => (await state()) === 'confirmed', 'the confirmation');
  await scene.endsWell(home);
  expect(await known.stop()).toBe(0);
});

/** Resolves with the status of the answer, or with the reason for no answer. */
function ask(address: string, options: RequestOptions): Promise<number | string> {
  return new Promise((resolve) => {
    get(`${address}/healthz`, { ...options, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    }).once('error', ({ code }: NodeJS.ErrnoException) => resolve(code!));
  });
}
