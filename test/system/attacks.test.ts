import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Kerf, newDataDir } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';

describe('attacks from outside', () => {
  let kerf: Kerf;
  beforeAll(async () => {
    kerf = await Kerf.start({ env: { MODULE_ORDERS: 'http', MODULE_MEMBERS: 'http', TRUSTED_PROXIES: '127.0.0.1' } });
  });
  afterAll(() => kerf.stop());

  it('an invalid traceparent header does not produce dead letters', async () => {
    const shop = await new Shop(kerf.url).join();
    const body = { lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } };
    const placed = await shop.post<{ id: string }>('/orders', body, {
      traceparent: 'a'.repeat(300),
      prefer: 'wait=10',
    });
    expect(placed.status).toBe(201);
    await eventually(async () => {
      const { body: told } = await shop.get<{ items: { subject: string }[] }>('/messages');
      return told.items.some(({ subject }) => subject.includes(placed.body.id));
    }, 'the confirmation');
    expect(await kerf.ops('/ops/dead-letters')).toEqual({ items: [] });
  });

  it('parallel password guesses do not bypass the sign-in limit', async () => {
    const email = 'victim@example.com';
    await new Shop(kerf.url).join({ email });
    const guesses = Array.from({ length: 60 }, () =>
      new Shop(kerf.url).post('/sessions', { email, password: 'a wrong guess' }),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(20);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  it('wrong guesses from one address do not lock out the owner at other addresses', async () => {
    const email = 'owner@example.com';
    const shop = await new Shop(kerf.url).join({ email });
    const signIn = (password: string, client: string) =>
      shop.post('/sessions', { email, password }, { 'x-forwarded-for': client });
    const stranger = [];
    for (let each = 0; each < 25; each++) stranger.push((await signIn('a wrong guess', '203.0.113.1')).status);
    expect([stranger.at(0), stranger.at(-1)]).toEqual([401, 429]);
    expect((await signIn('correct horse', '203.0.113.1')).headers.get('retry-after')).toMatch(/^\d+$/);
    for (const client of ['203.0.113.2', '2001:db8::1']) {
      expect((await signIn('correct horse', client)).status).toBe(201);
    }
  });
});

it('the system exits when its parent process is killed', async () => {
  const words = ['scripts/kerf.mjs', 'start', '--json'].join(' ');
  const shell = spawn('sh', ['-c', `"${process.execPath}" ${words}; true`], {
    env: { PATH: process.env.PATH, DATA_DIR: newDataDir(), PORT: '0', INTERNAL_PORT: '0', TOPOLOGY: '/dev/null' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => createInterface({ input: shell.stdout! }).once('line', resolve));
  const { public: url } = JSON.parse(line) as { public: string };
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  shell.kill('SIGKILL');
  await eventually(
    () =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    'the end of the process',
  );
});
