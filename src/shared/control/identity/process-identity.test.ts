import { beforeEach, describe, expect, it } from 'vitest';
import { Authority } from './authority.ts';
import { readIdentity, writeIdentity } from './identity-file.ts';
import { fixedKeyRing, type KeyRing } from './key-ring.ts';
import { ProcessIdentity } from './process-identity.ts';
import { readPublication } from './publication.ts';
import { ServiceTokens } from './service-tokens.ts';

const [first, second, third] = ['first', 'second', 'third'].map((name) => `the ${name} secret of 32 characters`);
const unauthenticated = { code: 'unauthenticated' };

/** The keys of the system, as they are now. */
let keys: string;
/** The time on the clocks of the home process and of the others. */
let now: number;
let authority: Authority;

const ring: KeyRing = {
  signing: () => fixedKeyRing('K', keys).signing(),
  find: (kid) => fixedKeyRing('K', keys).find(kid),
  all: () => fixedKeyRing('K', keys).all(),
};

beforeEach(() => {
  keys = first!;
  now = Date.UTC(2026, 0, 1);
  authority = new Authority(ring, () => now);
});

const open = (...modules: string[]) =>
  ProcessIdentity.open(modules, (publicKey) => authority.enrol(publicKey, modules));
const tokensOf = async (...modules: string[]) => new ServiceTokens(await open(...modules));

describe('a process that runs a module', () => {
  it('calls in the name of its module, and every process accepts it', async () => {
    const [orders, payments, home] = [
      await tokensOf('orders'),
      await tokensOf('payments'),
      new ServiceTokens(authority),
    ];
    const token = await orders.issue('orders', 'payments');
    expect([await payments.verify(token, 'payments'), await home.verify(token, 'payments')]).toEqual([
      'orders',
      'orders',
    ]);
    expect(await payments.verify(await home.issue('gateway', 'payments'), 'payments')).toBe('gateway');
  });

  it('may ping', async () => {
    const [orders, payments] = [await tokensOf('orders'), await tokensOf('payments')];
    expect(await payments.verify(await orders.issue('kernel', 'payments'), 'payments')).toBe('kernel');
  });

  it('cannot issue tokens in another name', async () => {
    const orders = await tokensOf('orders');
    for (const other of ['home', 'gateway', 'payments', '/operators']) {
      await expect(orders.issue(other, 'payments')).rejects.toMatchObject({ code: 'forbidden' });
    }
  });

  it('is rejected when it signs in another name', async () => {
    const identity = await open('orders');
    const liar = new ServiceTokens(Object.assign(Object.create(identity), anyName(identity)));
    const payments = await tokensOf('payments');
    expect(await payments.verify(await liar.issue('orders', 'payments'), 'payments')).toBe('orders');
    for (const other of ['home', 'gateway', 'mail', '/operators']) {
      await expect(payments.verify(await liar.issue(other, 'payments'), 'payments')).rejects.toMatchObject(
        unauthenticated,
      );
    }
    await expect(payments.vouchedFor(await liar.vouch({ member: 'ann' }))).rejects.toMatchObject(unauthenticated);
  });

  it('cannot issue certificates', async () => {
    const identity = await open('orders');
    const forged = await ProcessIdentity.open(['gateway'], async (publicKey) => ({
      ...(await authority.enrol(publicKey, ['gateway'])),
      certificate: (await new Authority(fixedKeyRing('K', second!), () => now).enrol(publicKey, ['gateway']))
        .certificate,
    }));
    const payments = new ServiceTokens(identity);
    const token = await new ServiceTokens(forged).issue('gateway', 'orders');
    await expect(payments.verify(token, 'orders')).rejects.toMatchObject(unauthenticated);
  });

  it('forwards the member of its own calls, and cannot name other members', async () => {
    const [home, orders, payments] = [
      new ServiceTokens(authority),
      await tokensOf('orders'),
      await tokensOf('payments'),
    ];
    await expect(orders.vouch({ member: 'ann' })).rejects.toMatchObject(unauthenticated);
    expect(await orders.vouchedFor(await home.vouch({ member: 'ann' }))).toEqual({ member: 'ann' });
    expect(await payments.vouchedFor(await orders.vouch({ member: 'ann' }))).toEqual({ member: 'ann' });
    await expect(orders.vouch({ member: 'bob' })).rejects.toMatchObject(unauthenticated);
  });

  it('is rejected a day after its last enrolment', async () => {
    const identity = await open('orders');
    const token = await new ServiceTokens(identity).issue('orders', 'payments');
    const { crt } = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
    const { exp } = JSON.parse(Buffer.from(crt.split('.')[1]!, 'base64url').toString());
    expect(exp * 1_000 - now).toBe(24 * 60 * 60_000);
  });
});

describe('a rotation of the keys', () => {
  it('reaches processes that receive a token with an unknown key', async () => {
    const [home, payments] = [new ServiceTokens(authority), await tokensOf('payments')];
    keys = `${second},${first}`;
    await authority.renew();
    expect(await payments.verify(await home.issue('gateway', 'payments'), 'payments')).toBe('gateway');
  });

  it('invalidates tokens of removed keys until the process enrols again', async () => {
    const [orders, home] = [await tokensOf('orders'), new ServiceTokens(authority)];
    const before = await orders.issue('orders', 'payments');
    expect(await home.verify(before, 'payments')).toBe('orders');
    keys = second!;
    await authority.renew();
    await expect(home.verify(before, 'payments')).rejects.toMatchObject(unauthenticated);
    orders.refused('orders', 'payments');
    await expect
      .poll(async () => home.verify(await orders.issue('orders', 'payments'), 'payments').catch(() => undefined))
      .toBe('orders');
  });
});

describe('a clock that steps', () => {
  it("does not affect the process, which uses the home process's time since its start", async () => {
    const orders = await open('orders');
    expect(Math.abs(orders.now() - now)).toBeLessThan(1_000);
  });

  it('is corrected when tokens of others seem expired', async () => {
    const [home, payments] = [new ServiceTokens(authority), await tokensOf('payments')];
    now -= 3 * 60 * 60_000;
    expect(await payments.verify(await home.issue('gateway', 'payments'), 'payments')).toBe('gateway');
  });

  it('is corrected when others reject the tokens of this process', async () => {
    const orders = await tokensOf('orders');
    now += 3 * 60 * 60_000;
    const home = new ServiceTokens(new Authority(ring, () => now));
    await expect(home.verify(await orders.issue('orders', 'payments'), 'payments')).rejects.toMatchObject(
      unauthenticated,
    );
    orders.refused('orders', 'payments');
    await expect
      .poll(async () => home.verify(await orders.issue('orders', 'payments'), 'payments').catch(() => undefined))
      .toBe('orders');
  });
});

describe('an identity in a file', () => {
  it('is valid for its modules, and contains no secret of the system', async () => {
    const text = await writeIdentity(authority, ['orders']);
    expect(text).not.toContain(first!);
    const { modules, ...written } = readIdentity('orders.identity', text);
    const identity = await ProcessIdentity.open(modules, async () => ({ ...written, now }));
    const token = await new ServiceTokens(identity).issue('orders', 'payments');
    expect(await new ServiceTokens(authority).verify(token, 'payments')).toBe('orders');
  });

  it('replaces another one immediately, also shortly after an enrolment', async () => {
    let text = await writeIdentity(authority, ['orders']);
    const enrol = async () => ({ ...readIdentity('orders.identity', text), now });
    const identity = await ProcessIdentity.open(['orders'], enrol);
    const [orders, payments] = [new ServiceTokens(identity), await tokensOf('payments')];
    const before = await orders.issue('orders', 'payments');
    await identity.renew();
    text = await writeIdentity(authority, ['orders']);
    expect(await identity.renewAnew()).toBe(true);
    const after = await orders.issue('orders', 'payments');
    expect(after).not.toBe(before);
    expect(await payments.verify(after, 'payments')).toBe('orders');
  });

  it('is named but not shown when it is damaged', async () => {
    const text = await writeIdentity(authority, ['orders']);
    const { privateKey } = JSON.parse(text);
    expect(() => readIdentity('orders.identity', text.slice(0, -10))).toThrow(/^orders\.identity holds no identity/);
    expect(() => readIdentity('orders.identity', text.slice(0, -10))).not.toThrow(privateKey);
  });
});

describe('a publication of the home process', () => {
  it('is accepted by a process with one of the keys, and contains the other keys and the time', async () => {
    const known = authority.publicKeys();
    keys = `${second},${first}`;
    const read = async () => readPublication(await authority.publications('asked'), known, 'asked');
    expect(await read()).toEqual({ keys: authority.publicKeys(), now });
    expect(authority.publicKeys().map(({ kid }) => kid)).toEqual(ring.all().map(({ kid }) => kid));
    keys = third!;
    expect(await read()).toBeUndefined();
  });

  it('is rejected when it answers an earlier request, or none', async () => {
    const known = authority.publicKeys();
    for (const nonce of ['earlier', undefined]) {
      await expect(readPublication(await authority.publications(nonce), known, 'asked')).rejects.toThrow();
    }
  });
});

/** Signs any name with its own key. */
function anyName(identity: ProcessIdentity) {
  return {
    now: () => identity.now(),
    systemKey: (kid: string) => identity.systemKey(kid),
    renew: async () => false,
    onChange: () => {},
    signerFor: () => identity.signerFor('orders'),
  };
}
