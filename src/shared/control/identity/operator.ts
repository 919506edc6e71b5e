import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { jwtVerify, SignJWT } from 'jose';
import { betweenProcesses, refusal, StartError } from '../../kernel/errors/index.ts';
import { bearer } from '../../kernel/ports/index.ts';
import type { Authority } from './authority.ts';
import { algorithms, proofOf, toleranceSeconds } from './certificate.ts';
import { type Identity, operatorsName } from './identity.ts';
import { newKeyPair } from './keys.ts';
import { keepSecret, readSecret } from './secret-file.ts';

/** A kind of client of the internal listener that is not a process of the system. */
type Client = 'operator' | 'metrics' | 'traces';

/** Returns the operator's bearer token: the setting, or a token in the data folder (mode 0600) that it creates on first use. */
export function operatorToken(dataDir: string, setting: string | undefined): string {
  return keptToken(dataDir, 'operator', setting);
}

/** Returns the bearer token of operators, or of another kind of client: the setting (`OPERATOR_TOKEN`), or the file in the data folder. */
export function keptToken(dataDir: string, client: Client, setting: string | undefined): string {
  const unless = client === 'traces' ? 'to take no spans' : 'to have one made';
  if (setting) return usable(setting, `${client.toUpperCase()}_TOKEN`, unless);
  const file = join(dataDir, `${client}-token`);
  keepSecret(file, () => `${randomBytes(32).toString('base64url')}\n`);
  return usable(readSecret(file).trim(), file, unless);
}

/** Returns the token of a kind of client, if there is a setting or a file. Creates none. */
export function givenToken(dataDir: string, client: Client, setting: string | undefined): string | undefined {
  const isGiven = setting || existsSync(join(dataDir, `${client}-token`));
  return isGiven ? keptToken(dataDir, client, setting) : undefined;
}

function usable(token: string, where: string, unless: string): string {
  if (bearer(`Bearer ${token}`) === token && token.length >= 16) return token;
  throw new StartError(`${where}: a token has at least 16 letters, digits, or any of - . _ ~ + /; remove it ${unless}`);
}

/** Compares two secrets. Its duration does not reveal how much of a guess is right. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** An operator's request for one module, in the form that travels to the process that runs the module. */
export interface OperatorOrder {
  readonly module: string;
  readonly method: string;
  /** Includes the query. */
  readonly path: string;
  readonly body: string;
}

const orderType = 'kerf-order';
const orderLifeMs = 60_000;

/**
 * Checks the operators' token and signs their orders, in the home process only. The signing key is random, so that no data that
 * leaves this process reveals the token.
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

  /** Signs an operator's order for another process. Rejects with `unauthenticated` when `token` is not the operators' token. */
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

/** Throws `forbidden` unless the operators signed exactly this order within the last minute. */
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
