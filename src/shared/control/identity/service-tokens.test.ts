import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { Authority } from './authority.ts';
import { FileKeyRing, fixedKeyRing, type KeyRing, rotate } from './key-ring.ts';
import { keyPairOf } from './keys.ts';
import { ProcessIdentity } from './process-identity.ts';
import { ServiceTokens } from './service-tokens.ts';

const ring = fixedKeyRing('K', 'a secret of more than 32 characters');
const unauthenticated = { code: 'unauthenticated' };

let now: number;
let tokens: ServiceTokens;
const tokensOf = (keys: KeyRing = ring, most?: number) => new ServiceTokens(new Authority(keys, () => now), most);

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  tokens = tokensOf();
});

const pass = (seconds: number) => {
  now += seconds * 1_000;
};

/** Makes a token like an attacker might make it. */
const forged = (claims: object, { signing }: KeyRing = ring, kid = signing().kid) =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .sign(keyPairOf(signing().secret, 'system').privateKey);
const inAMinute = () => Math.floor(now / 1_000) + 60;

describe('a service token', () => {
  it('is rejected without an audience', async () => {
    await expect(tokens.verify(await tokens.issue('orders', 'payments'), '')).rejects.toMatchObject(unauthenticated);
  });

  it('is created once per half minute for each caller and callee', async () => {
    expect(tokens.issued('orders', 'payments')).toBeUndefined();
    const first = await tokens.issue('orders', 'payments');
    pass(29);
    expect([tokens.issued('orders', 'payments'), await tokens.issue('orders', 'payments')]).toEqual([first, first]);
    expect(tokens.issued('orders', 'mail')).toBeUndefined();
    pass(1);
    expect(tokens.issued('orders', 'payments')).toBeUndefined();
    expect(await tokens.issue('orders', 'payments')).not.toBe(first);
  });

  it('is valid for a minute, with a few seconds of tolerance, and contains its expiry', async () => {
    const over = now + 60_000;
    const token = await tokens.issue('orders', 'payments');
    expect(await tokens.verifyUntil(token, 'payments')).toEqual({ caller: 'orders', until: over });
    pass(64);
    expect(await tokens.verify(token, 'payments')).toBe('orders');
    pass(1);
    await expect(tokens.verify(token, 'payments')).rejects.toMatchObject(unauthenticated);
  });

  it('is valid for its audience, also after another module verified it', async () => {
    const token = await tokens.issue('orders', 'payments');
    await expect(tokens.verify(token, 'inventory')).rejects.toMatchObject(unauthenticated);
    expect(await tokens.verify(token, 'payments')).toBe('orders');
    await expect(tokens.verify(token, 'inventory')).rejects.toMatchObject(unauthenticated);
  });

  it('is reported as missing or as invalid', async () => {
    for (const none of [undefined, '']) {
      await expect(tokens.verify(none, 'payments')).rejects.toThrow('an internal call needs a service token');
    }
    await expect(tokens.verify('nonsense', 'payments')).rejects.toThrow('the service token is not valid here');
  });

  it('is rejected with another key, without an expiry, a caller or an audience', async () => {
    const stranger = fixedKeyRing('K', 'another secret of over 32 characters');
    const claims = { iss: 'orders', aud: 'payments', exp: inAMinute() };
    const taken = await forged(claims);
    expect(await tokens.verify(taken, 'payments')).toBe('orders');
    for (const token of [
      await forged(claims, stranger),
      await forged(claims, stranger, ring.signing().kid),
      await forged({ ...claims, exp: undefined }),
      await forged({ ...claims, iss: undefined }),
      await forged({ ...claims, aud: undefined }),
      `${taken.slice(0, -2)}AA`,
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: ring.signing().kid })
        .sign(ring.signing().secret),
    ]) {
      await expect(tokens.verify(token, 'payments')).rejects.toMatchObject(unauthenticated);
    }
  });
});

describe('a rotation of the keys', () => {
  it('causes no failure: the new key signs, and the previous key still verifies', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'kerf-tokens-')), 'internal.json');
    const [here, there] = [tokensOf(new FileKeyRing(file)), tokensOf(new FileKeyRing(file))];
    const before = await here.issue('orders', 'payments');
    const [kid] = rotate([file]);
    expect(await here.issue('orders', 'payments')).toBe(before);
    expect(await there.verify(before, 'payments')).toBe('orders');
    pass(30);
    const after = await here.issue('orders', 'payments');
    expect([decodeProtectedHeader(before).kid === kid, decodeProtectedHeader(after).kid]).toEqual([false, kid]);
    expect([await there.verify(after, 'payments'), await there.verify(before, 'payments')]).toEqual([
      'orders',
      'orders',
    ]);
  });
});

describe('a token for a member', () => {
  it('names the member of a call, and is cached', async () => {
    const made = tokens.vouch({ member: 'ann' });
    expect(made).toBeInstanceOf(Promise);
    const token = await made;
    expect(tokens.vouch({ member: 'ann' })).toBe(token);
    const other = tokensOf();
    const checked = other.vouchedFor(token);
    expect(checked).toBeInstanceOf(Promise);
    expect([await checked, other.vouchedFor(token)]).toEqual([{ member: 'ann' }, { member: 'ann' }]);
  });

  it('expires after two minutes, also in a cache', async () => {
    const token = await tokens.vouch({ member: 'ann' });
    await tokens.vouchedFor(token);
    pass(125);
    await expect(tokens.vouchedFor(token)).rejects.toMatchObject(unauthenticated);
    expect(await tokens.vouch({ member: 'ann' })).not.toBe(token);
  });

  it('is not a service token, and a service token is not a token for a member', async () => {
    const [member, module] = [await tokens.vouch({ member: 'orders' }), await tokens.issue('orders', 'payments')];
    for (const audience of ['payments', 'orders', 'member']) {
      await expect(tokens.verify(member, audience)).rejects.toMatchObject(unauthenticated);
    }
    await expect(tokens.vouchedFor(module)).rejects.toMatchObject(unauthenticated);
    expect(await tokens.vouchedFor(member)).toEqual({ member: 'orders' });
    expect(await tokens.verify(module, 'payments')).toBe('orders');
    await expect(tokens.verify(member, 'payments')).rejects.toMatchObject(unauthenticated);
    await expect(tokens.vouchedFor(module)).rejects.toMatchObject(unauthenticated);
  });
});

describe('the roles of a principal', () => {
  const key = { roles: ['editor', 'clerk'] };

  it('travel with the member, or alone for an API key', async () => {
    for (const principal of [{ member: 'ann', ...key }, key, { member: 'ann' }]) {
      const token = await tokens.vouch(principal);
      expect(tokens.vouch(principal)).toBe(token);
      expect(await tokensOf().vouchedFor(token)).toEqual(principal);
    }
  });

  it('never reach another principal, whatever the id of a member', async () => {
    const principals = [
      { member: 'ann' },
      { member: 'ann', roles: ['editor'] },
      { member: 'editor>ann' },
      { member: '>ann' },
      { member: '', roles: ['editor'] },
      { member: 'editor' },
      { member: '["ann","editor"]' },
      { member: 'payments>ann', roles: ['a', 'b'] },
      { member: 'payments', roles: ['gateway'] },
    ];
    await tokens.issue('gateway', 'payments');
    const made = await Promise.all(principals.map((principal) => tokens.vouch(principal)));
    expect(new Set(made).size).toBe(made.length);
    const read = await Promise.all(made.map((token) => tokensOf().vouchedFor(token)));
    expect(read).toEqual(principals.map(({ member, ...roles }) => ({ ...(member && { member }), ...roles })));
  });

  it('cannot be changed by a process that received them', async () => {
    const authority = new Authority(ring, () => now);
    const enrolled = await ProcessIdentity.open(['orders'], (key) => authority.enrol(key, ['orders']));
    const orders = new ServiceTokens(enrolled);
    await orders.vouchedFor(await tokens.vouch({ member: 'ann' }));
    await orders.vouchedFor(await tokens.vouch({ member: 'bob', roles: ['editor'] }));
    expect(await orders.vouch({ member: 'bob', roles: ['editor'] })).toEqual(expect.any(String));
    for (const principal of [
      { member: 'ann', roles: ['editor'] },
      { member: 'bob' },
      { member: 'bob', roles: ['editor', 'admin'] },
      { roles: ['editor'] },
    ])
      await expect(orders.vouch(principal)).rejects.toMatchObject(unauthenticated);
  });

  it('are refused in a token that a module has signed, and ignored in a token between modules', async () => {
    const authority = new Authority(ring, () => now);
    const enrolled = await ProcessIdentity.open(['orders'], (key) => authority.enrol(key, ['orders']));
    const { privateKey, header } = enrolled.signerFor('orders')!;
    const signed = (claims: object) =>
      new SignJWT({ exp: inAMinute(), ...claims })
        .setProtectedHeader({ alg: 'EdDSA', ...header } as never)
        .sign(privateKey);
    for (const iss of ['', 'ann', 'orders', 'gateway', 'kernel'])
      await expect(tokens.vouchedFor(await signed({ iss, aud: '/member', roles: ['editor'] }))).rejects.toMatchObject(
        unauthenticated,
      );
    expect(await tokens.verify(await signed({ iss: 'orders', aud: 'payments', roles: ['editor'] }), 'payments')).toBe(
      'orders',
    );
    await expect(
      tokens.vouchedFor(await forged({ iss: 'ann', aud: '/member', exp: inAMinute(), roles: 'editor' })),
    ).rejects.toMatchObject(unauthenticated);
  });
});

describe('the cache', () => {
  it('drops its oldest entries, and creates and verifies them again', async () => {
    const most = 3;
    tokens = tokensOf(ring, most);
    const first = await tokens.vouch({ member: 'member 0' });
    const second = await tokens.vouch({ member: 'member 1' });
    expect(await tokens.vouchedFor(first)).toEqual({ member: 'member 0' });
    for (let n = 2; n <= most; n++) {
      const token = await tokens.vouch({ member: `member ${n}` });
      await tokens.vouchedFor(token);
    }
    expect(tokens.vouch({ member: 'member 1' })).toBe(second);
    const again = tokens.vouch({ member: 'member 0' });
    expect(again).toBeInstanceOf(Promise);
    await again;
    expect(tokens.vouchedFor(first)).toEqual({ member: 'member 0' });
    await tokens.vouchedFor(second);
    await tokens.vouchedFor(await tokens.vouch({ member: 'one more' }));
    const checkedAgain = tokens.vouchedFor(first);
    expect(checkedAgain).toBeInstanceOf(Promise);
    expect(await checkedAgain).toEqual({ member: 'member 0' });
  });
});
