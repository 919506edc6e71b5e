import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { jwtVerify, SignJWT } from 'jose';
import { betweenProcesses, refusal, StartError } from '../errors/index.ts';
import type { Authority } from './authority.ts';
import { bearer } from './bearer.ts';
import { algorithms, proofOf, toleranceSeconds } from './certificate.ts';
import { type Identity, operatorsName } from './identity.ts';
import { newKeyPair } from './keys.ts';
import { keepSecret, readSecret } from './secret-file.ts';

/** The operator's bearer token: the setting's, or the one in the data folder (mode 0600), made on first use. */
export function operatorToken(dataDir: string, setting: string | undefined): string {
  if (setting) return usable(setting, 'OPERATOR_TOKEN');
  const file = join(dataDir, 'operator-token');
  keepSecret(file, () => `${randomBytes(32).toString('base64url')}\n`);
  return usable(readSecret(file).trim(), file);
}

function usable(token: string, where: string): string {
  if (bearer(`Bearer ${token}`) === token && token.length >= 16) return token;
  throw new StartError(
    `${where}: a token has at least 16 letters, digits, or any of - . _ ~ + /; remove it to have one made`,
  );
}

/** Compares without telling by its time how much was right. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** What an operator asks of one module, as it is passed on to the process that runs it. */
export interface OperatorOrder {
  readonly module: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
}

const orderType = 'kerf-order';
const orderLifeMs = 60_000;

/**
 * Knows the operators' token, in the home process alone. The key that signs their orders is random, so that nothing that leaves this
 * process tells anything about the token.
 */
export class Operators {
  readonly #pair = newKeyPair();
  private readonly authority: Authority;
  private readonly token: string;

  constructor(authority: Authority, token: string) {
    this.authority = authority;
    this.token = token;
  }

  know(token: string | undefined): boolean {
    return token !== undefined && sameSecret(token, this.token);
  }

  /** Signs an order for another process, for an operator who shows the token. Rejects with `unauthenticated` for any other token. */
  async sign(token: string | undefined, order: OperatorOrder): Promise<string> {
    if (!this.know(token)) throw refusal('unauthenticated', 'send the operator token');
    const { privateKey, publicKey } = this.#pair;
    const crt = await this.authority.certify(publicKey, [operatorsName], orderLifeMs);
    return new SignJWT({ htm: order.method, htu: order.path, sha: digestOf(order.body) })
      .setProtectedHeader({ alg: 'EdDSA', crt, typ: orderType })
      .setAudience(order.module)
      .setExpirationTime(Math.ceil((this.authority.now() + orderLifeMs) / 1_000))
      .sign(privateKey);
  }
}

/** Throws `forbidden` unless the operators have signed just this order, a minute ago at most. */
export async function verifyOrder(signed: string | undefined, order: OperatorOrder, identity: Identity): Promise<void> {
  try {
    const { key, names } = await proofOf(signed ?? '', identity);
    if (!names?.includes(operatorsName)) throw new Error('it was signed by no operator');
    const { payload } = await jwtVerify(signed ?? '', key, {
      ...{ algorithms, typ: orderType, audience: order.module, currentDate: new Date(identity.now()) },
      ...{ clockTolerance: toleranceSeconds, requiredClaims: ['exp'] },
    });
    const { htm, htu, sha } = payload;
    if (htm !== order.method || htu !== order.path || sha !== digestOf(order.body))
      throw new Error('it was signed for something else');
  } catch (error) {
    throw betweenProcesses('forbidden', 'the operators have not signed this order', error);
  }
}

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url');
}
