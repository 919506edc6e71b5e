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
  it('calls in the name of its module, and is believed by every process', async () => {
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

  it('may ping, which asks for nothing', async () => {
    const [orders, payments] = [await tokensOf('orders'), await tokensOf('payments')];
    expect(await payments.verify(await orders.issue('kernel', 'payments'), 'payments')).toBe('kernel');
  });

  it('calls in no other name', async () => {
    const orders = await tokensOf('orders');
    for (const other of ['home', 'gateway', 'payments', '/operators']) {
      await expect(orders.issue(other, 'payments')).rejects.toMatchObject({ code: 'forbidden' });
    }
  });

  it('is not believed when it signs in another name all the same', async () => {
    const identity = await open('orders');
    const liar = new ServiceTokens(Object.assign(Object.create(identity), anyName(identity)));
    const payments = await tokensOf('payments');
    expect(await payments.verify(await liar.issue('orders', 'payments'), 'payments')).toBe('orders');
    for (const other of ['home', 'gateway', 'mail', '/operators']) {
      await expect(payments.verify(await liar.issue(other, 'payments'), 'payments')).rejects.toMatchObject(
        unauthenticated,
      );
    }
    await expect(payments.vouchedFor(await liar.vouch('ann'))).rejects.toMatchObject(unauthenticated);
  });

  it('certifies nobody: what it signs is no certificate', async () => {
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

  it('passes on for whom it was called, and says it of nobody else', async () => {
    const [home, orders, payments] = [
      new ServiceTokens(authority),
      await tokensOf('orders'),
      await tokensOf('payments'),
    ];
    await expect(orders.vouch('ann')).rejects.toMatchObject(unauthenticated);
    expect(await orders.vouchedFor(await home.vouch('ann'))).toBe('ann');
    expect(await payments.vouchedFor(await orders.vouch('ann'))).toBe('ann');
    await expect(orders.vouch('bob')).rejects.toMatchObject(unauthenticated);
  });

  it('is not believed any more a day after it was enrolled last', async () => {
    const identity = await open('orders');
    const token = await new ServiceTokens(identity).issue('orders', 'payments');
    const { crt } = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
    const { exp } = JSON.parse(Buffer.from(crt.split('.')[1]!, 'base64url').toString());
    expect(exp * 1_000 - now).toBe(24 * 60 * 60_000);
  });
});

describe('a change of the keys', () => {
  it('is learned by processes that meet a key they do not know', async () => {
    const [home, payments] = [new ServiceTokens(authority), await tokensOf('payments')];
    keys = `${second},${first}`;
    await authority.renew();
    expect(await payments.verify(await home.issue('gateway', 'payments'), 'payments')).toBe('gateway');
  });

  it('takes what the keys signed that are gone, and is over when the process is enrolled anew', async () => {
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
  it('moves no process: the time of the system is that of the home process since its start', async () => {
    const orders = await open('orders');
    expect(Math.abs(orders.now() - now)).toBeLessThan(1_000);
  });

  it('is set right when what others show seems to be over', async () => {
    const [home, payments] = [new ServiceTokens(authority), await tokensOf('payments')];
    now -= 3 * 60 * 60_000;
    expect(await payments.verify(await home.issue('gateway', 'payments'), 'payments')).toBe('gateway');
  });

  it('is set right when the others do not accept what this process shows', async () => {
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
  it('is that of its modules, without any secret of the system', async () => {
    const text = await writeIdentity(authority, ['orders']);
    expect(text).not.toContain(first!);
    const { modules, ...written } = readIdentity('orders.identity', text);
    const identity = await ProcessIdentity.open(modules, async () => ({ ...written, now }));
    const token = await new ServiceTokens(identity).issue('orders', 'payments');
    expect(await new ServiceTokens(authority).verify(token, 'payments')).toBe('orders');
  });

  it('that replaces another is gone by at once, however short ago the process was enrolled', async () => {
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

  it('that is damaged is named, and not shown', async () => {
    const text = await writeIdentity(authority, ['orders']);
    const { privateKey } = JSON.parse(text);
    expect(() => readIdentity('orders.identity', text.slice(0, -10))).toThrow(/^orders\.identity holds no identity/);
    expect(() => readIdentity('orders.identity', text.slice(0, -10))).not.toThrow(privateKey);
  });
});

describe('what the home process publishes', () => {
  it('is believed by whoever knows one of the keys, and tells the others and the time', async () => {
    const known = authority.publicKeys();
    keys = `${second},${first}`;
    const read = async () => readPublication(await authority.publications('asked'), known, 'asked');
    expect(await read()).toEqual({ keys: authority.publicKeys(), now });
    expect(authority.publicKeys().map(({ kid }) => kid)).toEqual(ring.all().map(({ kid }) => kid));
    keys = third!;
    expect(await read()).toBeUndefined();
  });

  it('is not believed when it answers an earlier question, or none', async () => {
    const known = authority.publicKeys();
    for (const nonce of ['earlier', undefined]) {
      await expect(readPublication(await authority.publications(nonce), known, 'asked')).rejects.toThrow();
    }
  });
});

/** Signs with its own key in whatever name. */
function anyName(identity: ProcessIdentity) {
  return {
    now: () => identity.now(),
    systemKey: (kid: string) => identity.systemKey(kid),
    renew: async () => false,
    onChange: () => {},
    signerFor: () => identity.signerFor('orders'),
  };
}
