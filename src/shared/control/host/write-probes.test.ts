import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NotWritten } from '../../kernel/errors/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { WriteProbes } from './write-probes.ts';

let folder: string;
let said: string[];
let probed: number;
let full: boolean;
let probes: WriteProbes;

const note = (level: string) => (about: { why?: string }, message: string) =>
  void said.push(`${level}: ${message}: ${about.why}`);
const orders = {
  name: 'orders',
  async probeWrite() {
    probed += 1;
    if (full) throw new NotWritten('orders', 'data/orders.db', 'the disk is full');
  },
};
/** Sets the clock of the probes to some seconds later. */
const later = (seconds: number) => vi.spyOn(performance, 'now').mockReturnValue(1e6 + seconds * 1_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-probes-'));
  [said, probed, full] = [[], 0, false];
  probes = new WriteProbes(folder, { warn: note('warn'), error: note('error') } as unknown as Log);
  later(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('writes at most once a second, and leaves no file', async () => {
  expect(await Promise.all([probes.takesWrites(orders), probes.takesWrites(orders)])).toEqual([true, true]);
  later(0.9);
  await probes.takesWrites(orders);
  expect([probed, readdirSync(folder)]).toEqual([1, []]);
  later(1);
  await probes.takesWrites(orders);
  expect(probed).toBe(2);
});

it('logs a write failure once with its reason, and its end once', async () => {
  full = true;
  for (const second of [1, 2]) {
    later(second);
    expect(await probes.takesWrites(orders)).toBe(false);
    expect(probes.whyNot('orders')).toBe('data/orders.db took no write: the disk is full');
  }
  full = false;
  for (const second of [3, 4]) {
    later(second);
    expect(await probes.takesWrites(orders)).toBe(true);
    expect(probes.whyNot('orders')).toBeUndefined();
  }
  expect(said).toEqual([
    'error: the data of a module takes no writes: data/orders.db took no write: the disk is full',
    'warn: the data of a module takes writes again: undefined',
  ]);
});

it('detects that the folder is not writable, even if the database is', async () => {
  rmSync(folder, { recursive: true });
  expect(await probes.takesWrites(orders)).toBe(false);
  expect(said).toEqual([expect.stringMatching(/takes no writes: .*kerf-probes-.* took no file: ENOENT/)]);
});

it('counts a hanging write as a failure, and starts no second one', async () => {
  const hanging = Promise.withResolvers<void>();
  let begun = 0;
  const module = {
    name: 'orders',
    probeWrite() {
      begun += 1;
      return hanging.promise;
    },
  };
  const first = probes.takesWrites(module);
  later(9.9);
  const second = probes.takesWrites(module);
  later(10);
  expect(await probes.takesWrites(module)).toBe(false);
  later(11);
  expect(await probes.takesWrites(module)).toBe(false);
  expect(begun).toBe(1);
  hanging.resolve();
  expect(await Promise.all([first, second])).toEqual([true, true]);
  expect(await probes.takesWrites(module)).toBe(true);
  expect(said).toEqual([
    'error: the data of a module takes no writes: a write has not ended within 10 s; see whether the disk hangs',
    'warn: the data of a module takes writes again: undefined',
  ]);
});

it.each([
  ['EMFILE', /kerf-probes-.* took no file: this process has as many files .* raise the limit/],
  ['ENOSPC', /kerf-probes-.* took no file: the disk is full \(ENOSPC\); make room/],
])('says what to do about %s', async (code, why) => {
  const failing = { name: 'orders', probeWrite: () => Promise.reject(Object.assign(new Error(code), { code })) };
  expect(await probes.takesWrites(failing)).toBe(false);
  expect(said).toEqual([expect.stringMatching(why)]);
});
