import { createLocalJWKSet } from 'jose';
import { beforeEach, expect, it, vi } from 'vitest';
import { ManualClock } from '../../../kernel/context/index.ts';
import { ProviderError } from './document.ts';
import { CompromisedKeys, type KeySet } from './key-set.ts';
import { newKey } from './provider.scene.ts';
import { NoKeys, ProviderKeys } from './provider-keys.ts';

const [one, two] = [await newKey('one'), await newKey('two')];
const setOf = (...keys: (typeof one)[]) => createLocalJWKSet({ keys: keys.map(({ jwk }) => jwk) });
const minutes = 60_000;
const log = { warn: vi.fn() };
let clock: ManualClock;
let fetchKeys: ReturnType<typeof vi.fn<() => Promise<KeySet>>>;
let keys: ProviderKeys;

beforeEach(async () => {
  clock = new ManualClock();
  log.warn.mockClear();
  fetchKeys = vi.fn(async () => setOf(one));
  keys = new ProviderKeys('https://id.example', log, { clock, fetchKeys });
  await keys.open();
});

const keyFor = (kid: string) => keys.keyFor({ alg: 'ES256', kid });
const isDown = () => fetchKeys.mockRejectedValue(new ProviderError('it cannot be reached (ECONNREFUSED)'));
/** Moves the time in steps, so that each fetch ends before the next timer. */
async function pass(ms: number, stepMs = 10_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await new Promise(setImmediate);
  }
}

it('asks the provider every five minutes, not for each token', async () => {
  for (let times = 0; times < 100; times++) await keyFor('one');
  expect(fetchKeys).toHaveBeenCalledTimes(1);
  await pass(20 * minutes);
  expect(fetchKeys).toHaveBeenCalledTimes(5);
});

it('takes up a rotated key at the first token that names it', async () => {
  fetchKeys.mockResolvedValue(setOf(two));
  clock.advance(10_000);
  const { version } = keys;
  expect(await keyFor('two')).toMatchObject({ type: 'public' });
  expect(keys.version).not.toBe(version);
  await expect(keyFor('one')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

it('asks no more often than every ten seconds, however many tokens name unknown keys', async () => {
  clock.advance(10_000);
  const unknown = () => Promise.allSettled(Array.from({ length: 100 }, (_, n) => keyFor(`unknown ${n}`)));
  const settled = await unknown();
  expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
  expect(fetchKeys).toHaveBeenCalledTimes(2);
  clock.advance(9_999);
  await unknown();
  expect(fetchKeys).toHaveBeenCalledTimes(2);
  clock.advance(1);
  await unknown();
  expect(fetchKeys).toHaveBeenCalledTimes(3);
});

it('uses known keys for an hour while the provider is down, tries every ten seconds, and says so once', async () => {
  isDown();
  await pass(59 * minutes);
  expect([keys.current, keys.usable]).toEqual([false, true]);
  expect(await keyFor('one')).toMatchObject({ type: 'public' });
  expect(fetchKeys.mock.calls.length).toBeGreaterThan(300);
  await pass(1 * minutes);
  expect(keys.usable).toBe(false);
  await expect(keyFor('one')).rejects.toThrow(NoKeys);
  expect(log.warn.mock.calls).toEqual([
    [
      {
        issuer: 'https://id.example',
        why: 'it cannot be reached (ECONNREFUSED)',
        until: new Date(Date.UTC(2026, 0, 1, 1)).toISOString(),
      },
      'the keys of the identity provider cannot be fetched; tokens of known keys are accepted for a while',
    ],
  ]);
  fetchKeys.mockResolvedValue(setOf(one));
  await pass(10_000);
  expect([keys.current, keys.usable]).toEqual([true, true]);
  expect(log.warn).toHaveBeenLastCalledWith({ issuer: 'https://id.example' }, 'the identity provider answers again');
});

it('uses none of the known keys after the provider has published a secret', async () => {
  fetchKeys.mockRejectedValue(new CompromisedKeys('a private key'));
  const { version } = keys;
  clock.advance(5 * minutes);
  await vi.waitFor(() => expect(keys.usable).toBe(false));
  expect(keys.version).not.toBe(version);
  await expect(keyFor('one')).rejects.toThrow(NoKeys);
});

it('stops asking when it is closed', async () => {
  keys.close();
  await pass(20 * minutes);
  expect(fetchKeys).toHaveBeenCalledTimes(1);
});

it('starts without a provider, and finds its keys later', async () => {
  isDown();
  const late = new ProviderKeys('https://id.example', log, { clock, fetchKeys });
  await late.open();
  await expect(late.keyFor({ alg: 'ES256', kid: 'one' })).rejects.toThrow(NoKeys);
  fetchKeys.mockResolvedValue(setOf(one));
  clock.advance(10_000);
  expect(await late.keyFor({ alg: 'ES256', kid: 'one' })).toMatchObject({ type: 'public' });
});
