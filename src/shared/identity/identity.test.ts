import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Authority,
  bearer,
  FileKeyRing,
  fixedKeyRing,
  operatorToken,
  rotate,
  ServiceTokens,
  SessionTokens,
} from './index.ts';
import { sameSecret } from './operator.ts';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'kerf-keys-')), 'keys', 'keys.json');
const minutes = 60_000;

afterEach(() => vi.useRealTimers());

describe('keys in a file', () => {
  it('are made on first use, for their owner only', () => {
    const file = newFile();
    new FileKeyRing(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are for their owner only again, when they came from elsewhere for all to read', () => {
    const file = newFile();
    new FileKeyRing(file);
    chmodSync(file, 0o644);
    new FileKeyRing(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('rotate under running processes: new tokens by the new key, old ones still good', async () => {
    const file = newFile();
    const [signer, verifier] = [new SessionTokens(new FileKeyRing(file)), new SessionTokens(new FileKeyRing(file))];
    const before = await signer.issue('ann');
    const [kid] = rotate([file]);
    const after = await signer.issue('ann');
    expect(decodeProtectedHeader(after.token).kid).toBe(kid);
    expect([await verifier.verify(before.token), await verifier.verify(after.token)]).toEqual(['ann', 'ann']);
  });

  it('are forgotten when they have been replaced three times', async () => {
    const file = newFile();
    const { token } = await new SessionTokens(new FileKeyRing(file)).issue('ann');
    for (let times = 0; times < 3; times++) rotate([file]);
    expect(await new SessionTokens(new FileKeyRing(file)).verify(token)).toBeUndefined();
  });

  it('that are damaged are named, and not shown', () => {
    const file = newFile();
    new FileKeyRing(file);
    const { secret } = JSON.parse(readFileSync(file, 'utf8')).keys[0];
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10));
    expect(() => new FileKeyRing(file)).toThrow(expect.objectContaining({ message: expect.stringContaining(file) }));
    expect(() => new FileKeyRing(file)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    );
  });
});

describe('secrets from a setting', () => {
  it('must be long enough', () => {
    expect(() => fixedKeyRing('INTERNAL_KEY', 'short')).toThrow('INTERNAL_KEY: secret 1 is shorter than 32 characters');
  });

  it('rotate one process at a time, in whatever order they list them', async () => {
    const [first, second] = ['the first secret of 32 characters', 'the second secret of 32 characters'];
    const old = new ServiceTokens(fixedKeyRing('K', first));
    const both = new ServiceTokens(fixedKeyRing('K', `${second},${first}`));
    expect(await both.verify(await old.issue('orders', 'payments'), 'payments')).toBe('orders');
    await expect(old.verify(await both.issue('orders', 'payments'), 'payments')).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});

describe('a service token', () => {
  let now = Date.UTC(2026, 0, 1);
  const ring = fixedKeyRing('K', 'a secret of more than 32 characters');
  const tokens = new ServiceTokens(new Authority(ring, () => now));

  it('is good for the module it was made for, and for a minute', async () => {
    const token = await tokens.issue('orders', 'payments');
    expect(await tokens.verify(token, 'payments')).toBe('orders');
    await expect(tokens.verify(token, 'inventory')).rejects.toMatchObject({ code: 'unauthenticated' });
    now += 2 * minutes;
    await expect(tokens.verify(token, 'payments')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await tokens.issue('orders', 'payments')).not.toBe(token);
  });

  it('is no session, and a session is no service token', async () => {
    const sessions = new SessionTokens(ring);
    expect(await sessions.verify(await tokens.issue('orders', 'payments'))).toBeUndefined();
    await expect(tokens.verify((await sessions.issue('ann')).token, 'payments')).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});

describe('an operator', () => {
  it('has one token, made on first use, for its owner only', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerf-operator-'));
    const token = operatorToken(folder, undefined);
    expect(token).toHaveLength(43);
    expect(operatorToken(folder, undefined)).toBe(token);
    expect(statSync(join(folder, 'operator-token')).mode & 0o777).toBe(0o600);
    chmodSync(join(folder, 'operator-token'), 0o666);
    expect(operatorToken(folder, undefined)).toBe(token);
    expect(statSync(join(folder, 'operator-token')).mode & 0o777).toBe(0o600);
    expect(operatorToken(folder, 'given-by-a-setting')).toBe('given-by-a-setting');
    expect(() => operatorToken(folder, 'with a space in it')).toThrow('OPERATOR_TOKEN');
  });

  it('is told from others', () => {
    expect([sameSecret('a', 'a'), sameSecret('a', 'b'), sameSecret('', 'b')]).toEqual([true, false, false]);
    expect([
      bearer('Bearer abc'),
      bearer('bearer abc'),
      bearer('Basic abc'),
      bearer('Bearer a b'),
      bearer(undefined),
    ]).toEqual(['abc', 'abc', undefined, undefined, undefined]);
  });
});
