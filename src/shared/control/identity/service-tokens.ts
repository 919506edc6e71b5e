import { errors, jwtVerify, SignJWT } from 'jose';
import { betweenProcesses } from '../../kernel/errors/index.ts';
import type { CallerTokens } from '../../kernel/ports/index.ts';
import { Authority } from './authority.ts';
import { algorithms, proofOf, toleranceSeconds, UnknownKey } from './certificate.ts';
import { type Identity, pinging, type Signer } from './identity.ts';
import type { KeyRing } from './key-ring.ts';

const lifeSeconds = 60;
/** A token for a member travels with the calls that a public request causes. The last of these calls begin within a minute. */
const memberLifeSeconds = 120;
const renewAfterMs = 30_000;
/** Maximum number of tokens in each cache. A cache drops its oldest token first; the process makes or checks it again if needed. */
const maxRemembered = 10_000;
/** The audience of a token that names the member of a call. No module can have this name. */
const onBehalf = '/member';
/** Only a process that may call as the gateway makes tokens for members. Other processes pass on the tokens that they received. */
const gateway = 'gateway';

interface Made {
  readonly token: string;
  /** In the system's time. */
  readonly renewAt: number;
}

interface Checked {
  readonly subject: string;
  readonly audience: string;
  /** In the system's time. */
  readonly until: number;
}

/**
 * Makes and checks the tokens that identify a caller between processes. One token names the calling and the called module. Another
 * names the member of the call. Each is made and checked once per half minute, not per call. All times are the system's time.
 */
export class ServiceTokens implements CallerTokens {
  readonly #identity: Identity;
  readonly #made = new Map<string, Made>();
  readonly #checked = new Map<string, Checked>();
  /** The longest-lived token received for each member. */
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
    return this.#make(signer, caller, audience, lifeSeconds);
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

  /** Returns a token for the member of a call, mostly without a promise. */
  vouch(member: string): string | Promise<string> {
    const made = this.issued(member, onBehalf);
    if (made) return made;
    const signer = this.#identity.signerFor(gateway);
    if (signer) return this.#make(signer, member, onBehalf, memberLifeSeconds);
    const shown = this.#shown.get(member);
    if (shown && shown.renewAt > this.now()) return shown.token;
    return Promise.reject(betweenProcesses('unauthenticated', 'the call has no proof that its member is signed in'));
  }

  /** Returns the member that a token names, mostly without a promise. Rejects with `unauthenticated`. */
  vouchedFor(token: string): string | Promise<string> {
    return this.#fresh(token, onBehalf)?.subject ?? this.verify(token, onBehalf);
  }

  async #make(signer: Signer, caller: string, audience: string, seconds: number): Promise<string> {
    const [now, changes] = [this.now(), this.#changes];
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'EdDSA', ...signer.header })
      .setIssuer(caller)
      .setAudience(audience)
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.floor(now / 1_000) + seconds)
      .sign(signer.privateKey);
    if (changes === this.#changes)
      this.#remember(this.#made, `${caller}>${audience}`, { token, renewAt: now + renewAfterMs });
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
    const checked = { subject, audience, until: payload.exp! * 1_000 };
    if (changes === this.#changes) this.#remember(this.#checked, token, checked);
    if (changes === this.#changes && audience === onBehalf) this.#keepShown(token, checked);
    return checked;
  }

  #keepShown(token: string, { subject, until }: Checked): void {
    const renewAt = Math.max(until, this.#shown.get(subject)?.renewAt ?? 0);
    if (renewAt === until) this.#remember(this.#shown, subject, { token, renewAt });
  }

  #forget(): void {
    this.#changes += 1;
    this.#made.clear();
    this.#checked.clear();
    this.#shown.clear();
  }

  #remember<T>(kept: Map<string, T>, key: string, value: T): void {
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > this.most) kept.delete(kept.keys().next().value!);
  }
}
