import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { Authority } from './authority.ts';
import { writeIdentity } from './identity-file.ts';
import { fixedKeyRing } from './key-ring.ts';
import { type OperatorOrder, Operators, verifyOrder } from './operator.ts';
import { ProcessIdentity } from './process-identity.ts';

const token = 'the token of the operators';
const order: OperatorOrder = { module: 'payments', method: 'PUT', path: '/ops/faults?a=1', body: '{"faults":[]}' };
const ring = fixedKeyRing('K', 'a secret of more than 32 characters');
const forbidden = { code: 'forbidden' };

let now: number;
let authority: Authority;
let payments: ProcessIdentity;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1);
  authority = new Authority(ring, () => now);
  payments = await ProcessIdentity.open(['payments'], (key) => authority.enrol(key, ['payments']));
});

describe('the operators', () => {
  it('are recognized by their token', () => {
    const operators = new Operators(authority, token);
    expect([operators.know(token), operators.know('another token of operators'), operators.know(undefined)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('have a token that no identity file and no signed order reveals', async () => {
    expect(Object.keys(JSON.parse(await writeIdentity(authority, ['payments'])))).toEqual([
      'modules',
      'privateKey',
      'certificate',
      'keys',
    ]);
    const keyOf = async () => {
      const { crt } = decodeProtectedHeader(await new Operators(authority, token).sign(token, order));
      return decodeJwt<{ cnf: { jwk: { x: string } } }>(String(crt)).cnf.jwk.x;
    };
    expect(await keyOf()).not.toBe(await keyOf());
  });

  it('sign an order for another process with their token', async () => {
    const signed = await new Operators(authority, token).sign(token, order);
    await expect(verifyOrder(signed, order, payments)).resolves.toBeUndefined();
  });

  it('cannot sign with another token', async () => {
    await expect(new Operators(authority, token).sign('another token of operators', order)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await expect(new Operators(authority, token).sign(undefined, order)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});

describe('an order', () => {
  it('is valid only for its exact content', async () => {
    const signed = await new Operators(authority, token).sign(token, order);
    for (const other of [
      { module: 'mail' },
      { method: 'DELETE' },
      { path: '/ops/faults' },
      { path: '/ops/modules/payments' },
      { body: '{"faults":[1]}' },
    ]) {
      await expect(verifyOrder(signed, { ...order, ...other }, payments)).rejects.toMatchObject(forbidden);
    }
  });

  it('is valid for a minute', async () => {
    const signed = await new Operators(authority, token).sign(token, order);
    now += 70_000;
    const later = await ProcessIdentity.open(['payments'], (key) => authority.enrol(key, ['payments']));
    await expect(verifyOrder(signed, order, later)).rejects.toMatchObject(forbidden);
  });

  it('is invalid without a signature, and with a signature of the home process or of a module', async () => {
    const signed = await new Operators(authority, token).sign(token, order);
    const [head, claims] = signed.split('.');
    const forms = [authority.signerFor('home'), payments.signerFor('payments')!].map(({ header, privateKey }) =>
      new SignJWT(JSON.parse(Buffer.from(claims!, 'base64url').toString()))
        .setProtectedHeader({ alg: 'EdDSA', typ: 'kerf-order', ...header })
        .sign(privateKey),
    );
    for (const each of [undefined, '', 'a.b.c', `${head}.${claims}.`, ...(await Promise.all(forms))]) {
      await expect(verifyOrder(each, order, payments)).rejects.toMatchObject(forbidden);
    }
  });
});
