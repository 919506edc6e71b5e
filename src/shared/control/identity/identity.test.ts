import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bearer } from '../../kernel/ports/index.ts';
import { Authority } from './authority.ts';
import { FileKeyRing, fixedKeyRing, rotate } from './key-ring.ts';
import { givenToken, operatorToken, sameSecret } from './operator.ts';
import { ServiceTokens } from './service-tokens.ts';
import { SessionTokens } from './session-tokens.ts';
import { SignedOut } from './signed-out.ts';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'kerf-keys-')), 'keys', 'keys.json');
const minutes = 60_000;

/** Opens the session tokens of a process that shares the keys in `file`. */
const sessionsOf = (file: string) =>
  new SessionTokens(new FileKeyRing(file), new SignedOut(join(dirname(file), 'signed-out')));

afterEach(() => vi.useRealTimers());

describe('keys in a file', () => {
  it('are created at the first use, readable only by their owner', () => {
    const file = newFile();
    new FileKeyRing(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('become readable only by their owner when others could read them', () => {
    const file = newFile();
    new FileKeyRing(file);
    chmodSync(file, 0o644);
    new FileKeyRing(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('rotate under running processes: the new key signs, and old tokens stay valid', async () => {
    const file = newFile();
    const [signer, verifier] = [sessionsOf(file), sessionsOf(file)];
    const before = await signer.issue('ann');
    const [kid] = rotate([file]);
    const after = await signer.issue('ann');
    expect(decodeProtectedHeader(after.token).kid).toBe(kid);
    const known = [await verifier.verify(before.token), await verifier.verify(after.token)];
    expect(known.map((session) => session?.member)).toEqual(['ann', 'ann']);
  });

  it('expire after three rotations', async () => {
    const file = newFile();
    const sessions = sessionsOf(file);
    const { token } = await sessions.issue('ann');
    for (let times = 0; times < 3; times++) rotate([file]);
    expect([await sessions.verify(token), await sessionsOf(file).verify(token)]).toEqual([undefined, undefined]);
  });

  it('are revoked immediately in every running process when no earlier key is kept', async () => {
    const file = newFile();
    const processes = [sessionsOf(file), sessionsOf(file)];
    const { token } = await processes[0]!.issue('ann');
    for (const each of processes) expect((await each.verify(token))?.member).toBe('ann');
    rotate([file], 0);
    for (const each of processes) expect(await each.verify(token)).toBeUndefined();
    expect((await processes[1]!.verify((await processes[0]!.issue('ann')).token))?.member).toBe('ann');
  });

  it('are named but not shown when they are damaged', () => {
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

  it('rotate one process at a time, in any order', async () => {
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

  it('is valid for its audience, for a minute', async () => {
    const token = await tokens.issue('orders', 'payments');
    expect(await tokens.verify(token, 'payments')).toBe('orders');
    await expect(tokens.verify(token, 'inventory')).rejects.toMatchObject({ code: 'unauthenticated' });
    now += 2 * minutes;
    await expect(tokens.verify(token, 'payments')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await tokens.issue('orders', 'payments')).not.toBe(token);
  });

  it('is not a session token, and a session token is not a service token', async () => {
    const sessions = new SessionTokens(ring, new SignedOut(dirname(newFile())));
    expect(await sessions.verify(await tokens.issue('orders', 'payments'))).toBeUndefined();
    await expect(tokens.verify((await sessions.issue('ann')).token, 'payments')).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});

describe('a session', () => {
  it('ends by sign-out in all processes, also later ones, and other sessions continue', async () => {
    const file = newFile();
    const [one, other] = [sessionsOf(file), sessionsOf(file)];
    const tokens = [];
    for (let each = 0; each < 3; each++) tokens.push((await one.issue('ann')).token);
    const [first, second, third] = tokens as [string, string, string];
    expect(await other.verify(first)).toBeDefined();
    one.end((await one.verify(first))!);
    other.end((await other.verify(second))!);
    for (const each of [one, other, sessionsOf(file)]) {
      expect([await each.verify(first), await each.verify(second)]).toEqual([undefined, undefined]);
      expect((await each.verify(third))?.member).toBe('ann');
    }
  });

  it('stays ended for every spelling of its token', async () => {
    const sessions = sessionsOf(newFile());
    const { token } = await sessions.issue('ann');
    sessions.end((await sessions.verify(token))!);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // The last character of a signature contains two unused bits.
    for (const last of letters) expect(await sessions.verify(token.slice(0, -1) + last)).toBeUndefined();
  });

  it('ends also when the entry before it in the file is incomplete', async () => {
    const file = newFile();
    const sessions = sessionsOf(file);
    const { token } = await sessions.issue('ann');
    const session = (await sessions.verify(token))!;
    const folder = join(dirname(file), 'signed-out');
    mkdirSync(folder);
    writeFileSync(join(folder, String(Math.floor(session.expiresAt / 3_600))), '0f0f0f0f-');
    sessions.end(session);
    for (const each of [sessions, sessionsOf(file)]) expect(await each.verify(token)).toBeUndefined();
  });

  it('is neither accepted nor rejected while the list of ended sessions cannot be read or written', async () => {
    const file = newFile();
    const sessions = sessionsOf(file);
    const { token } = await sessions.issue('ann');
    const session = (await sessions.verify(token))!;
    const segment = join(dirname(file), 'signed-out', String(Math.floor(session.expiresAt / 3_600)));
    mkdirSync(segment, { recursive: true });
    await expect(sessions.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
    expect(() => sessions.end(session)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  it('stays ended when a sign-out happened while the clock was hours ahead', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const sessions = sessionsOf(newFile());
    const { token } = await sessions.issue('ann');
    sessions.end((await sessions.verify(token))!);
    const rightNow = Date.now();
    vi.setSystemTime(rightNow + 14 * 60 * minutes);
    sessions.end((await sessions.verify((await sessions.issue('bob')).token))!);
    vi.setSystemTime(rightNow);
    expect(await sessions.verify(token)).toBeUndefined();
  });

  it('is deleted from disk a day after its token has expired', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const folder = join(dirname(newFile()), 'signed-out');
    const list = new SignedOut(folder);
    const seconds = () => Math.floor(Date.now() / 1_000);
    for (let hour = 0; hour < 60; hour++) {
      for (let each = 0; each < 3; each++) list.add(`${hour}-${each}`, seconds() + 12 * 60 * 60);
      vi.setSystemTime(Date.now() + 60 * minutes);
    }
    expect(readdirSync(folder).length).toBeLessThanOrEqual(14 + 24);
    expect([list.has('59-0', seconds() + 11 * 60 * 60), list.has('other', seconds() + 11 * 60 * 60)]).toEqual([
      true,
      false,
    ]);
  });

  it('is dropped from memory after its token has expired, also in a process without sign-outs', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const folder = join(dirname(newFile()), 'signed-out');
    const [signsOut, verifies] = [new SignedOut(folder), new SignedOut(folder)];
    const inHours = (hours: number) => Math.floor(Date.now() / 1_000) + hours * 60 * 60;
    const [soon, late] = [inHours(1), inHours(12)];
    signsOut.add('first', soon);
    signsOut.add('other', late);
    expect(verifies.has('first', soon)).toBe(true);
    vi.setSystemTime(Date.now() + 180 * minutes);
    expect(verifies.has('other', late)).toBe(true);
    // A file of unchanged size is read again only when memory has no entries of its hour.
    writeFileSync(join(folder, String(Math.floor(soon / 3_600))), '\nthird\n');
    expect(verifies.has('first', soon)).toBe(false);
  });
});

describe('a sender of spans', () => {
  it('has a token only when somebody sets one, or puts one into the data folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerf-sender-'));
    const file = join(folder, 'traces-token');
    expect([givenToken(folder, 'traces', undefined), existsSync(file)]).toEqual([undefined, false]);
    expect(givenToken(folder, 'traces', 'given-by-a-setting')).toBe('given-by-a-setting');
    writeFileSync(file, 'put-into-the-folder\n', { mode: 0o644 });
    expect(givenToken(folder, 'traces', undefined)).toBe('put-into-the-folder');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, 'short');
    expect(() => givenToken(folder, 'traces', undefined)).toThrow(
      /traces-token: a token has at least 16 .* to take no spans/,
    );
    expect(() => givenToken(folder, 'traces', 'with a space in it')).toThrow('TRACES_TOKEN');
  });
});

describe('an operator', () => {
  it('has one token, created at the first use, readable only by its owner', () => {
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

  it('is recognized by the token', () => {
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
