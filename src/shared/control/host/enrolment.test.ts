import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Authority, fixedKeyRing, type ProcessIdentity, ServiceTokens, writeIdentity } from '../identity/index.ts';
import type { Topology } from '../topology/index.ts';
import { openIdentity, publicationPath } from './enrolment.ts';

const [first, second] = ['first', 'second'].map((name) => `the ${name} secret of 32 characters`);
const hourMs = 60 * 60_000;

let folder: string;
let file: string;
let home: Server;
/** Returns the home process's answer. */
let answer: (nonce: string) => Promise<string[]>;
let writtenAt = 0;

const authorityOf = (secrets: string, now = Date.now()) => new Authority(fixedKeyRing('K', secrets), () => now);
const publish = (authority: Authority) => {
  answer = (nonce) => authority.publications(nonce);
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-enrolment-'));
  file = join(folder, 'orders.identity');
  home = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://home');
    const signed = pathname === publicationPath ? await answer(searchParams.get('nonce')!) : [];
    response.end(JSON.stringify({ signed }));
  });
  await new Promise<void>((resolve) => home.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  vi.useRealTimers();
  home.closeAllConnections();
  await new Promise((resolve) => home.close(resolve));
  rmSync(folder, { recursive: true });
});

async function writeFile(authority: Authority): Promise<void> {
  writeFileSync(file, await writeIdentity(authority, ['orders']));
  utimesSync(file, ++writtenAt, writtenAt);
}

/** Opens the identity of a process from the file. */
async function open(): Promise<ProcessIdentity> {
  const homeAddress = `http://127.0.0.1:${(home.address() as AddressInfo).port}`;
  const topology = { settings: { INTERNAL_IDENTITY: file }, only: ['orders'], homeAddress };
  return (await openIdentity(topology as unknown as Topology, {})) as ProcessIdentity;
}

it('signs with the key of a replaced identity file, without a restart', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const [before, after] = [authorityOf(first!), authorityOf(second!)];
  publish(before);
  await writeFile(before);
  const orders = new ServiceTokens(await open());
  const payments = new ServiceTokens(after);
  const token = await orders.issue('orders', 'payments');
  publish(after);
  await expect(payments.verify(token, 'payments')).rejects.toMatchObject({ code: 'unauthenticated' });
  await writeFile(after);
  vi.advanceTimersByTime(1_000);
  await expect
    .poll(async () => payments.verify(await orders.issue('orders', 'payments'), 'payments').catch(() => undefined))
    .toBe('orders');
  const leaked = await new ServiceTokens(before).issue('gateway', 'orders');
  await expect(orders.verify(leaked, 'orders')).rejects.toMatchObject({ code: 'unauthenticated' });
});

it('keeps its keys and time when an old publication is replayed, or none arrives', async () => {
  const [before, after] = [authorityOf(first!), authorityOf(`${second},${first}`, Date.now() + 3 * hourMs)];
  await writeFile(before);
  publish(after);
  const identity = await open();
  const expectNoChange = async () => {
    expect(await identity.renewAnew()).toBe(false);
    expect(after.publicKeys().map(({ kid }) => identity.systemKey(kid!)?.type)).toEqual(['public', 'public']);
    expect(Math.abs(identity.now() - after.now())).toBeLessThan(hourMs);
  };
  const replayed = await before.publications('of an earlier question');
  answer = async () => replayed;
  await expectNoChange();
  answer = async () => [];
  await expectNoChange();
});

it('follows the clock of the home process back', async () => {
  const now = Date.now();
  await writeFile(authorityOf(first!, now));
  publish(authorityOf(first!, now + 3 * hourMs));
  const identity = await open();
  publish(authorityOf(first!, now));
  expect(await identity.renewAnew()).toBe(true);
  expect(Math.abs(identity.now() - now)).toBeLessThan(hourMs);
});
