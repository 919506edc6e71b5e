import { errors, jwtVerify, SignJWT } from 'jose';
import { betweenProcesses } from '../errors/index.ts';
import { Authority } from './authority.ts';
import { algorithms, proofOf, toleranceSeconds, UnknownKey } from './certificate.ts';
import { type Identity, pinging, type Signer } from './identity.ts';
import type { KeyRing } from './key-ring.ts';

const lifeSeconds = 60;
/** A token for a member travels along with the calls that a public request causes, the last of which begin within a minute. */
const memberLifeSeconds = 120;
const renewAfterMs = 30_000;
/** Tokens remembered on each side; the oldest is forgotten first, and made or checked anew when it is needed. */
const mostRemembered = 10_000;
/** What a token is for that says on behalf of which member a call is made; no module can have this name. */
const onBehalf = '/member';
/** Only a process that may speak for the gateway says for whom a call is made; the others pass on what they were shown. */
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
 * How processes prove to each other who calls: a token that names the calling module and the module called, and another that
 * names the member for whom it calls. Each is made and checked once per half minute, not per call. All times are the system's.
 */
export class ServiceTokens {
  readonly #identity: Identity;
  readonly #made = new Map<string, Made>();
  readonly #checked = new Map<string, Checked>();
  /** The last token that was shown for each member. */
  readonly #shown = new Map<string, Made>();
  /** How often the keys have changed: what was signed or checked before the last change is not remembered. */
  #changes = 0;
  private readonly most: number;

  constructor(identity: Identity | KeyRing, most = mostRemembered) {
    this.most = most;
    this.#identity = 'signerFor' in identity ? identity : new Authority(identity);
    this.#identity.onChange(() => this.#forget());
  }

  /** Milliseconds since 1970; no step of a machine's clock moves it. */
  now(): number {
    return this.#identity.now();
  }

  /** Calls `listener` when the system's keys have changed: what was believed before may not be any more. */
  onChange(listener: () => void): void {
    this.#identity.onChange(listener);
  }

  /** The token for this pair, when there is one that is fresh. */
  issued(caller: string, audience: string): string | undefined {
    const made = this.#made.get(`${caller}>${audience}`);
    return made && made.renewAt > this.now() ? made.token : undefined;
  }

  /** Rejects with `forbidden` for a caller in whose name this process may not call. */
  async issue(caller: string, audience: string): Promise<string> {
    const fresh = this.issued(caller, audience);
    if (fresh) return fresh;
    const signer = this.#identity.signerFor(caller);
    if (!signer) throw betweenProcesses('forbidden', `this process does not call in the name of "${caller}"`);
    return this.#make(signer, caller, audience, lifeSeconds);
  }

  /** A token of this pair was not accepted: the next one is made anew, with what the system says now. */
  refused(caller: string, audience: string): void {
    this.#made.delete(`${caller}>${audience}`);
    void this.#identity.renew();
  }

  /** The module that calls. Throws `unauthenticated` for a token that is missing, wrong, expired or made for another. */
  async verify(token: string | undefined, audience: string): Promise<string> {
    return (await this.#known(token, audience)).subject;
  }

  /** As `verify`; tells also when the token is over, in the system's time. */
  async verifyUntil(token: string | undefined, audience: string): Promise<{ caller: string; until: number }> {
    const { subject, until } = await this.#known(token, audience);
    return { caller: subject, until };
  }

  /** A token for the member on whose behalf a call is made. At once, mostly. */
  vouch(member: string): string | Promise<string> {
    const made = this.issued(member, onBehalf);
    if (made) return made;
    const signer = this.#identity.signerFor(gateway);
    if (signer) return this.#make(signer, member, onBehalf, memberLifeSeconds);
    const shown = this.#shown.get(member);
    if (shown && shown.renewAt > this.now()) return shown.token;
    return Promise.reject(betweenProcesses('unauthenticated', 'nobody has said that this member is signed in'));
  }

  /** The member that was vouched for. At once, mostly. Throws `unauthenticated`. */
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
    // Without an audience, a token for any would do.
    if (!token || !audience) throw betweenProcesses('unauthenticated', 'an internal call needs a service token');
    const fresh = this.#fresh(token, audience);
    if (fresh) return fresh;
    return this.#checkTwice(token, audience).catch((cause) => {
      throw betweenProcesses('unauthenticated', 'the service token is not valid here', cause);
    });
  }

  /** What is unknown or over by what this process knows may be good by what the system says now. */
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
