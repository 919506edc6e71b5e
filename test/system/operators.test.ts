import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { type Letter, Operator } from '../harness/operator.ts';
import { Shop } from '../harness/shop.ts';
import { Poisoned, unknown } from './operators/poison.ts';
import { refusedCases } from './operators/refused.cases.ts';

/** Each `start` resolves with the processes, the home process first. */
const layouts: [name: string, start: (dataDir: string) => Promise<Kerf[]>][] = [
  ['in the home process', async (dataDir) => [await Kerf.start({ dataDir })]],
  ['in a module process', async (dataDir) => [await Kerf.start({ dataDir, env: { MODULE_NOTIFICATIONS: 'http' } })]],
  ['at a fixed address', atAnAddress],
];

async function atAnAddress(dataDir: string): Promise<Kerf[]> {
  const [homePort, port] = (await Promise.all([freePort(), freePort()])).map(String) as [string, string];
  const env = { MODULE_NOTIFICATIONS: `http://127.0.0.1:${port}`, HOME_ADDRESS: `http://127.0.0.1:${homePort}` };
  const home = await Kerf.start({ dataDir, env: { ...env, INTERNAL_PORT: homePort } });
  const words = ['--only', 'notifications'];
  return [home, await Kerf.start({ dataDir, env: { ...env, INTERNAL_PORT: port }, words })];
}

describe.each(layouts)('dead letters of notifications, %s', (_name, start) => {
  const dataDir = newDataDir();
  let processes: Kerf[];
  let system: Poisoned;
  let operator: Operator;
  const around = {} as { operator: Operator };

  beforeAll(async () => {
    processes = await start(dataDir);
    system = await Poisoned.in(processes[0]!);
    operator = around.operator = system.operator;
  });
  afterAll(async () => {
    for (const each of processes) expect(await each.stop()).toBe(0);
    rmSync(dataDir, { recursive: true });
  });

  const unknownVersion = () => system.unknownVersion({ orderId: randomUUID(), memberId: system.memberId });
  const replay = ({ id }: Letter) => operator.ask<Letter>('POST', `/dead-letters/${id}/replay`);
  const tried = ({ history }: Letter) => history.map(({ what }) => what);

  it('are listed with the reason, and shown with the event and its history', async () => {
    const letter = await unknownVersion();
    expect(letter).toMatchObject({ module: 'notifications', type: unknown, state: 'dead', attempts: 1 });
    expect(letter.lastError).toContain(`notifications does not know ${unknown}; it knows`);
    const { event: _, ...listed } = letter;
    expect(await operator.letters(`?key=${letter.key}`)).toEqual([listed]);
    expect(letter.event.data).toMatchObject({ orderId: letter.key });
    expect(letter.history).toEqual([{ at: expect.any(String), what: 'dead', why: letter.lastError }]);
  });

  it('become dead letters again when a replay fails, with both failures in the history', async () => {
    const letter = await system.mismatch(randomUUID());
    expect((await replay(letter)).status).toBe(200);
    const again = await eventually(async () => {
      const now = await operator.letter(letter.id);
      return now.state === 'dead' && now;
    }, 'the second dead letter');
    expect(tried(again)).toEqual(['dead', 'replayed', 'dead']);
    expect(again.lastError).toContain('memberId');
  });

  it('take effect exactly once when they are replayed after a fix', async () => {
    const letter = await unknownVersion();
    system.mend(letter);
    expect((await replay(letter)).status).toBe(200);
    await eventually(async () => (await operator.letter(letter.id)).state === 'delivered', 'its delivery');
    expect(tried(await operator.letter(letter.id))).toEqual(['dead', 'replayed', 'delivered']);
    expect((await replay(letter)).status).toBe(404);
    await system.resend(letter);
    expect(await system.messages(letter.key)).toHaveLength(1);
  });

  it('can be discarded with a reason, and disappear from the list', async () => {
    const letter = await unknownVersion();
    const { status, body } = await operator.ask<Letter>('POST', `/dead-letters/${letter.id}/discard`, {
      reason: 'a test order',
    });
    expect([status, body.state]).toEqual([200, 'discarded']);
    expect(body.history.at(-1)).toMatchObject({ what: 'discarded', why: 'a test order' });
    expect(await operator.letters(`?key=${letter.key}`)).toEqual([]);
    expect((await replay(letter)).status).toBe(404);
  });

  it('are selected by filters that must all match', async () => {
    const [version, mismatch] = [await unknownVersion(), await system.mismatch(randomUUID())];
    const ids = async (query: string) => (await operator.letters(query)).map(({ id }) => id);
    expect(await ids(`?type=${unknown}&key=${version.key}`)).toEqual([version.id]);
    expect(await ids(`?type=${unknown}&key=${mismatch.key}`)).toEqual([]);
    expect(await ids('?module=orders')).toEqual([]);
    expect(await ids('?module=notifications&error=memberId')).toContain(mismatch.id);
    const discard = { key: mismatch.key, reason: 'not an order' };
    const { body } = await operator.ask('POST', '/dead-letters/discard', discard);
    expect(body).toEqual({ items: [{ module: 'notifications', count: 1 }] });
    expect(await ids('')).not.toContain(mismatch.id);
    expect(await ids('')).toContain(version.id);
  });

  it('are counted in the outbox', async () => {
    const dead = (await operator.letters('?module=notifications')).length;
    const { body } = await operator.ask<{ items: unknown[] }>('GET', '/outbox');
    expect(body.items).toContainEqual({ module: 'notifications', held: 'dead', count: dead });
  });

  refusedCases(around);

  it('are all discarded by a request without filters', async () => {
    await operator.ask('POST', '/dead-letters/discard', { reason: 'the end of the test' });
    expect(await operator.letters()).toEqual([]);
  });
});

describe('modules whose admin routes cannot be reached', () => {
  const keys = { INTERNAL_KEY: 'a key that the home process does not know' };
  let home: Kerf;
  let stranger: Kerf;
  let operator: Operator;
  const shown: (string | undefined)[] = [];
  const intruder = createServer(({ headers }, response) => {
    shown.push(headers.authorization);
    response.writeHead(404).end();
  });

  beforeAll(async () => {
    const [port, closed] = await Promise.all([freePort(), freePort()]);
    await once(intruder.listen(0, '127.0.0.1'), 'listening');
    const placed = { MODULE_NOTIFICATIONS: `http://127.0.0.1:${port}` };
    const env = { ...keys, ...placed, INTERNAL_PORT: String(port) };
    stranger = await Kerf.start({ env, words: ['--only', 'notifications'] });
    home = await Kerf.start({
      env: {
        ...placed,
        MODULE_MAIL: `http://127.0.0.1:${closed}`,
        MODULE_SMS: `http://127.0.0.1:${(intruder.address() as AddressInfo).port}`,
      },
    });
    operator = new Operator(home);
  });
  afterAll(async () => {
    expect(await Promise.all([home.stop(), stranger.stop()])).toEqual([0, 0]);
    intruder.close();
  });

  const unreachable = [
    { module: 'notifications', state: 'unreachable', why: expect.stringContaining('set the same INTERNAL_KEY') },
    { module: 'mail', state: 'unreachable', why: expect.stringContaining('nobody answers at http://127.0.0.1:') },
    { module: 'sms', state: 'unreachable', why: expect.stringMatching(/^http:.* answers 404$/) },
  ];

  it.each(['/dead-letters', '/sagas'])('are listed as unreachable in %s', async (path) => {
    expect((await operator.ask('GET', path)).body).toEqual({ items: unreachable });
  });

  it('are listed as unreachable by replay and discard', async () => {
    expect((await operator.ask('POST', '/dead-letters/replay')).body).toEqual({ items: unreachable });
    const only = await operator.ask('POST', '/dead-letters/discard', { module: 'mail', reason: 'a test' });
    expect(only.body).toEqual({ items: [unreachable[1]] });
  });

  it.each(['mail.in-1', 'notifications.in-1'])('answer 503 for the dead letter %s', async (id) => {
    const { status, body } = await operator.ask('GET', `/dead-letters/${id}`);
    expect([status, body.code]).toEqual([503, 'unavailable']);
  });

  it('answer 503 to members without the reason, which is logged', async () => {
    const shop = await new Shop(home.url).join();
    const { status, body } = await shop.get<{ code: string; detail?: string }>('/messages');
    expect([status, body.code, body.detail]).toEqual([503, 'unavailable', 'notifications cannot be reached']);
    expect(home.stderr).toContain('an instance does not accept calls of this process');
    expect(stranger.stderr).toContain('a caller without a valid service token was refused');
  });

  it('never receive the operator token', async () => {
    const before = shown.length;
    await operator.ask('GET', '/dead-letters');
    expect(shown.length).toBe(before + 1);
    const token = readFileSync(join(home.dataDir, 'operator-token'), 'utf8').trim();
    expect(shown.join()).not.toContain(token);
  });

  it('make the commands fail with their names', async () => {
    const { code, stdout, stderr } = await operator.run('dead-letters', ['list']);
    expect([code, stdout]).toEqual([1, 'there are no dead letters\n']);
    expect(stderr).toMatch(
      /^kerf: not asked: notifications \([^\n]*\), mail \(nobody answers at [^\n]*\), sms \([^\n]*\)\n$/,
    );
  });
});
