import { createHash } from 'node:crypto';
import { decodeJwt, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import { refusal } from '../../../kernel/errors/index.ts';
import type { Session } from '../../../kernel/http-api/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { AccessControl } from '../access-control.ts';
import { NoKeys, type ProviderKeys } from './provider-keys.ts';

/** Public-key algorithms alone: with HMAC, a public key would be a secret that everybody knows; `none` signs nothing. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** Tolerated difference between the clocks of the provider and of this machine. */
const skewSeconds = 30;
/** An access token (RFC 9068), or a JWT without a kind of its own. Not a logout token, nor another kind. */
const tokenTypes = /^(application\/)?(at\+)?jwt$/i;
const maxVerified = 10_000;
const idPattern = /^[\x21-\x7e]{1,255}$/;

export interface ProviderOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The claim with the member's id. When absent, the id is derived from the issuer and `sub`. */
  readonly memberClaim?: string | undefined;
  /** The claim with the roles. When absent, tokens bring none. */
  readonly rolesClaim?: string | undefined;
}

interface Verified {
  readonly session: Session;
  readonly version: number;
}

/** Verifies the tokens of an identity provider (OpenID Connect). */
export class ProviderSessions {
  readonly #verified = new Map<string, Verified>();
  readonly keys: ProviderKeys;
  private readonly options: ProviderOptions;
  private readonly access: Pick<AccessControl, 'existing'>;
  private readonly log: Pick<Log, 'debug'>;

  constructor(
    options: ProviderOptions,
    keys: ProviderKeys,
    access: Pick<AccessControl, 'existing'>,
    log: Pick<Log, 'debug'>,
  ) {
    this.options = options;
    this.keys = keys;
    this.access = access;
    this.log = log;
  }

  /**
   * Resolves with the session of a token, or with `undefined` for a token that is not valid or of another issuer. Rejects with
   * `unavailable` while the provider's keys are not known.
   */
  async verify(token: string): Promise<Session | undefined> {
    if (!this.#isOfIssuer(token)) return undefined;
    const known = this.#verified.get(token);
    if (known && known.version === this.keys.version && this.keys.usable && isOpen(known.session)) return known.session;
    this.#verified.delete(token);
    try {
      // The keys may change meanwhile. What another set has verified must be verified again.
      const { version } = this.keys;
      const session = await this.#read(token);
      this.#keep(token, { session, version });
      return session;
    } catch (error) {
      if (error instanceof NoKeys)
        throw refusal('unavailable', 'the identity provider cannot be asked now; try again', {}, { cause: error });
      this.log.debug({ why: (error as Error).message }, 'a token of the identity provider was refused');
      return undefined;
    }
  }

  /** Reads the issuer without a proof: a token of another issuer causes no request to this one. */
  #isOfIssuer(token: string): boolean {
    try {
      return decodeJwt(token).iss === this.options.issuer;
    } catch {
      return false;
    }
  }

  async #read(token: string): Promise<Session> {
    const { issuer, audience, memberClaim, rolesClaim } = this.options;
    const { payload, protectedHeader } = await jwtVerify(token, (header) => this.keys.keyFor(header), {
      ...{ algorithms, issuer, audience, clockTolerance: skewSeconds },
      requiredClaims: ['sub', 'exp'],
    });
    refuseOtherKinds(protectedHeader, payload);
    const roles = rolesClaim === undefined ? [] : this.access.existing(rolesIn(claimAt(payload, rolesClaim)));
    return {
      id: `oidc ${idOf(token)}`,
      member: memberClaim === undefined ? derivedId(issuer, payload.sub) : memberIn(payload, memberClaim),
      ...(roles.length > 0 && { roles }),
      expiresAt: payload.exp!,
    };
  }

  #keep(token: string, verified: Verified): void {
    if (this.#verified.size >= maxVerified) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(token, verified);
  }
}

function isOpen({ expiresAt }: Session): boolean {
  return (expiresAt + skewSeconds) * 1_000 > Date.now();
}

function refuseOtherKinds({ typ = 'JWT' }: JWTHeaderParameters, { cnf, exp }: JWTPayload): void {
  if (!tokenTypes.test(typ)) throw new Error(`a token of the type "${typ}" is no access token`);
  if (cnf !== undefined) throw new Error('the token is bound to a key of its client (cnf), which Kerf does not check');
  if (!Number.isSafeInteger(Math.ceil(exp!))) throw new Error('the token has no usable end');
}

/** Returns the same id for the same token, also when its signature is written in another way. */
function idOf(token: string): string {
  return createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64url');
}

/** Returns a UUID (version 8) for a subject of an issuer. It equals no id that Kerf makes, and no id of another issuer. */
function derivedId(issuer: string, subject: unknown): string {
  if (typeof subject !== 'string' || subject === '' || !subject.isWellFormed()) throw new Error('"sub" is no text');
  const digest = createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest();
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join('-');
}

function memberIn(payload: JWTPayload, claim: string): string {
  const member = claimAt(payload, claim);
  if (typeof member === 'string' && idPattern.test(member)) return member;
  throw new Error(`the claim "${claim}" is no id of 1 to 255 visible ASCII characters`);
}

/** Reads `roles`, or `https://shop.example/roles` as one name; else `realm_access.roles` as a path. */
function claimAt(payload: JWTPayload, claim: string): unknown {
  if (Object.hasOwn(payload, claim)) return payload[claim];
  return claim.split('.').reduce<unknown>((at, name) => {
    const isObject = typeof at === 'object' && at !== null && !Array.isArray(at);
    return isObject && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined;
  }, payload);
}

/** A list of texts, or one text with spaces between, as `scope`. */
function rolesIn(claim: unknown): Iterable<unknown> {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim : [];
}
