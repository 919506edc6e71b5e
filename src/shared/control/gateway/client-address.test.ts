import { Hono } from 'hono';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { noProxies, readTrustedProxies } from '../http-server/index.ts';
import { currentClient, knowClient } from './client-address.ts';
import { rateLimit } from './rate-limit.ts';

function open(proxies = readTrustedProxies('10.0.0.1')!) {
  const logged: unknown[] = [];
  const log = { warn: (line: unknown) => void logged.push(line) };
  const app = new Hono();
  app.use(knowClient(proxies));
  app.use(rateLimit(2, log));
  app.get('/', (c) => c.text(currentClient()));
  const ask = async (from: string, headers: Record<string, string> = {}) => {
    const answer = await app.request('/', { headers }, { incoming: { socket: { remoteAddress: from } } });
    return answer.status === 200 ? answer.text() : `${answer.status} ${answer.headers.get('retry-after') !== null}`;
  };
  return { ask, logged };
}

const limited = '429 true';

afterEach(() => vi.useRealTimers());

describe('the limit on requests', () => {
  it('counts each client behind a trusted proxy separately, and logs each address once', async () => {
    const { ask, logged } = open();
    const by = (client: string) => ask('10.0.0.1', { 'x-forwarded-for': client });
    for (const client of ['203.0.113.1', '203.0.113.2']) {
      expect([await by(client), await by(client), await by(client), await by(client)]).toEqual([
        client,
        client,
        limited,
        limited,
      ]);
    }
    expect(logged).toEqual([{ client: '203.0.113.1' }, { client: '203.0.113.2' }]);
  });

  it('counts forged client addresses as one client', async () => {
    for (const proxies of [noProxies, readTrustedProxies('10.0.0.1')!]) {
      const { ask } = open(proxies);
      const answers = [];
      for (const last of [1, 2, 3]) answers.push(await ask('198.51.100.1', { 'x-forwarded-for': `203.0.113.${last}` }));
      expect(answers).toEqual(['198.51.100.1', '198.51.100.1', limited]);
    }
  });

  it('is shared by all addresses of an IPv6 network', async () => {
    const { ask } = open();
    expect([await ask('2001:db8::1'), await ask('2001:db8::2'), await ask('2001:db8::3')]).toEqual([
      '2001:db8::1',
      '2001:db8::2',
      limited,
    ]);
  });

  it('refuses a client for at most a minute when the clock steps back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const app = new Hono();
    app.use(knowClient(noProxies));
    app.use(rateLimit(1, { warn: () => {} }));
    app.get('/', (c) => c.text(currentClient()));
    const ask = () => app.request('/', {}, { incoming: { socket: { remoteAddress: '198.51.100.1' } } });
    await ask();
    vi.setSystemTime(Date.now() - 5 * 60 * 60_000);
    const { status, headers } = await ask();
    expect([status, headers.get('retry-after')]).toEqual([429, '60']);
  });
});
