import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Principal } from '../../kernel/context/index.ts';
import { betweenProcesses } from '../../kernel/errors/index.ts';
import type { CallerTokens } from '../../kernel/ports/index.ts';
import { Authority } from './authority.ts';
import { algorithms, proofOf, toleranceSeconds, UnknownKey } from './certificate.ts';
import { type Identity, pinging, type Signer } from './identity.ts';
import type { KeyRing } from './key-ring.ts';

const lifeSeconds = 60;
/** A token for a principal travels with the calls that a public request causes. The last of these calls begin within a minute. */
const principalLifeSeconds = 120;
const renewAfterMs = 30_000;
/** Maximum number of tokens in each cache. A cache drops its oldest token first; the process makes or checks it again if needed. */
const maxRemembered = 10_000;
/** The audience of a token that names the principal of a call. No module can have this name. */
const onBehalf = '/member';
/** Only a process that may call as the gateway makes tokens for principals. Other processes pass on the tokens that they received. */
const gateway = 'gateway';

interface Made {
  readonly token: string;
  /** In the system's time. */
  readonly renewAt: number;
}

interface Checked {
  readonly subject: string;
  readonly audience: string;
  /** Set when the audience is `onBehalf`. */
  readonly principal?: Principal;
  /** In the system's time. */
  readonly until: number;
}

/**
 * Makes and checks the tokens that identify a caller between processes. One token names the calling and the called module. Another
 * names the principal of the call: its member and its roles. Each is made and checked once per half minute, not per call. All times are the system's time.
 */
export class ServiceTokens implements CallerTokens {
  readonly #identity: Identity;
  readonly #made = new Map<string, Made>();
  /** By principal. Apart from `#made`, so that no member's id can pass for a pair of modules. */
  readonly #vouched = new Map<string, Made>();
  readonly #checked = new Map<string, Checked>();
  /** The longest-lived token received for each principal. */
  readonly #shown = new Map<string, Made>();
  /** Counts key changes. The caches never keep a token that was signed or checked before the last change. */
  #changes = 0;
  private readonly most: number;

  constructor(identity: Identity | KeyRing, most = maxRemembered) {
    this.most = most;
    this.#identity = 'signerFor' in identity ? identity : new Authority(identity);
    this.#identity.onChange(() => this.#forget());
  }

  /** Milliseconds since 1970. Steps of a machine's clock do not move it. */
  now(): number {
    return this.#identity.now();
  }

  /** Calls `listener` when the system's keys have changed. Earlier checks may then no longer hold. */
  onChange(listener: () => void): void {
    this.#identity.onChange(listener);
  }

  /** Returns the cached token for this pair, if it is fresh. */
  issued(caller: string, audience: string): string | undefined {
    const made = this.#made.get(`${caller}>${audience}`);
    return made && made.renewAt > this.now() ? made.token : undefined;
  }

  /** Resolves with a token for this pair. Rejects with `forbidden` when this process may not call in the name of `caller`. */
  async issue(caller: string, audience: string): Promise<string> {
    const fresh = this.issued(caller, audience);
    if (fresh) return fresh;
    const signer = this.#identity.signerFor(caller);
    if (!signer) throw betweenProcesses('forbidden', `this process does not call in the name of "${caller}"`);
    return this.#make(signer, { iss: caller, aud: audience }, lifeSeconds, (made) =>
      this.#remember(this.#made, `${caller}>${audience}`, made),
    );
  }

  /** Drops the token of this pair, which the callee did not accept, and renews the identity for the next token. */
  refused(caller: string, audience: string): void {
    this.#made.delete(`${caller}>${audience}`);
    void this.#identity.renew();
  }

  /** Resolves with the calling module. Rejects with `unauthenticated` for a missing, wrong or expired token, or another audience. */
  async verify(token: string | undefined, audience: string): Promise<string> {
    return (await this.#known(token, audience)).subject;
  }

  /** Does the same as `verify`, and also returns when the token expires, in the system's time. */
  async verifyUntil(token: string | undefined, audience: string): Promise<{ caller: string; until: number }> {
    const { subject, until } = await this.#known(token, audience);
    return { caller: subject, until };
  }

  /** Returns a token for the principal of a call, mostly without a promise. */
  vouch({ member = '', roles = [] }: Principal): string | Promise<string> {
    const key = keyOf(member, roles);
    const now = this.now();
    const made = this.#vouched.get(key);
    if (made && made.renewAt > now) return made.token;
    const signer = this.#identity.signerFor(gateway);
    if (signer) {
      const claims = { iss: member, aud: onBehalf, ...(roles.length > 0 && { roles }) };
      return this.#make(signer, claims, principalLifeSeconds, (each) => this.#remember(this.#vouched, key, each));
    }
    const shown = this.#shown.get(key);
    if (shown && shown.renewAt > now) return shown.token;
    return Promise.reject(betweenProcesses('unauthenticated', 'the call has no proof of its member and roles'));
  }

  /** Returns the principal that a token names, mostly without a promise. Rejects with `unauthenticated`. */
  vouchedFor(token: string): Principal | Promise<Principal> {
    return this.#fresh(token, onBehalf)?.principal ?? this.#known(token, onBehalf).then(({ principal }) => principal!);
  }

  async #make(signer: Signer, claims: object, seconds: number, remember: (made: Made) => void): Promise<string> {
    const [now, changes] = [this.now(), this.#changes];
    const issuedAt = Math.floor(now / 1_000);
    const token = await new SignJWT({ ...claims, iat: issuedAt, exp: issuedAt + seconds })
      .setProtectedHeader({ alg: 'EdDSA', ...signer.header })
      .sign(signer.privateKey);
    if (changes === this.#changes) remember({ token, renewAt: now + renewAfterMs });
    return token;
  }

  #fresh(token: string, audience: string): Checked | undefined {
    const checked = this.#checked.get(token);
    return checked?.audience === audience && checked.until > this.now() ? checked : undefined;
  }

  async #known(token: string | undefined, audience: string): Promise<Checked> {
    // Without an audience, a token for any module would pass.
    if (!token || !audience) throw betweenProcesses('unauthenticated', 'an internal call needs a service token');
    const fresh = this.#fresh(token, audience);
    if (fresh) return fresh;
    return this.#checkTwice(token, audience).catch((cause) => {
      throw betweenProcesses('unauthenticated', 'the service token is not valid here', cause);
    });
  }

  /** Checks a token again after a renewal, since an unknown key or an expired token may be valid with the system's new data. */
  async #checkTwice(token: string, audience: string): Promise<Checked> {
    try {
      return await this.#check(token, audience);
    } catch (error) {
      const mayChange = error instanceof UnknownKey || error instanceof errors.JWTExpired;
      if (!mayChange || !(await this.#identity.renew())) throw error;
      return this.#check(token, audience);
    }
  }

  async #check(token: string, audience: string): Promise<Checked> {
    const changes = this.#changes;
    const { key, names } = await proofOf(token, this.#identity);
    const { payload } = await jwtVerify(token, key, {
      ...{ algorithms, audience, currentDate: new Date(this.now()) },
      ...{ clockTolerance: toleranceSeconds, requiredClaims: ['iss', 'exp'] },
    });
    const subject = payload.iss!;
    const mayCall = audience !== onBehalf && (subject === pinging || names?.includes(subject));
    if (names && !mayCall) throw new Error(`${names} may not call in the name of "${subject}"`);
    const principal = audience === onBehalf ? principalOf(subject, payload.roles) : undefined;
    const checked = { subject, audience, ...(principal && { principal }), until: payload.exp! * 1_000 };
    if (changes !== this.#changes) return checked;
    this.#remember(this.#checked, token, checked);
    if (principal) this.#keepShown(token, principal, checked.until);
    return checked;
  }

  #keepShown(token: string, { member = '', roles = [] }: Principal, until: number): void {
    const key = keyOf(member, roles);
    const renewAt = Math.max(until, this.#shown.get(key)?.renewAt ?? 0);
    if (renewAt === until) this.#remember(this.#shown, key, { token, renewAt });
  }

  #forget(): void {
    this.#changes += 1;
    this.#made.clear();
    this.#vouched.clear();
    this.#checked.clear();
    this.#shown.clear();
  }

  #remember<T>(kept: Map<string, T>, key: string, value: T): void {
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > this.most) kept.delete(kept.keys().next().value!);
  }
}

const rolesSchema = z.array(z.string()).default([]);

/** Reads the claims of a token that the system has signed. An API key has roles, but no member. */
function principalOf(subject: string, given: unknown): Principal {
  const roles = rolesSchema.parse(given);
  return { ...(subject && { member: subject }), ...(roles.length > 0 && { roles }) };
}

/** Returns one key for each principal: roles contain neither a space nor `>`. */
function keyOf(member: string, roles: readonly string[]): string {
  return `${roles.join(' ')}>${member}`;
}
