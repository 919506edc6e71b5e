import { jwtVerify, SignJWT } from 'jose';
import { refusal } from '../errors/index.ts';
import type { KeyRing } from './key-ring.ts';

const lifeSeconds = 60;
/** Tokens remembered on each side; the oldest is forgotten first, and made or checked anew when it is needed. */
const mostRemembered = 10_000;
/** What a token is for that says on behalf of which member a call is made; no module can have this name. */
const onBehalf = '/member';

interface Made {
  readonly token: string;
  /** Milliseconds since 1970 after which a new one is made. */
  readonly renewAt: number;
}

interface Checked {
  readonly subject: string;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * How processes prove to each other who calls: a token that names the calling module and the module called, and another that
 * names the member for whom it calls. Each lives for a minute, is made and checked once per half minute, not per call.
 */
export class ServiceTokens {
  readonly #made = new Map<string, Made>();
  readonly #checked = new Map<string, Checked>();

  constructor(
    private readonly keys: KeyRing,
    private readonly most = mostRemembered,
  ) {}

  /** The token for this pair, when there is one that is fresh. */
  issued(caller: string, audience: string): string | undefined {
    const made = this.#made.get(`${caller}>${audience}`);
    return made && made.renewAt > Date.now() ? made.token : undefined;
  }

  async issue(caller: string, audience: string): Promise<string> {
    const fresh = this.issued(caller, audience);
    if (fresh) return fresh;
    const { kid, secret } = this.keys.signing();
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', kid })
      .setIssuer(caller)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${lifeSeconds}s`)
      .sign(secret);
    const renewAt = Date.now() + (lifeSeconds / 2) * 1_000;
    this.#remember(this.#made, `${caller}>${audience}`, { token, renewAt });
    return token;
  }

  /** The module that calls. Throws `unauthenticated` for a token that is missing, wrong, expired or made for another. */
  async verify(token: string | undefined, audience: string): Promise<string> {
    return (await this.#known(token, audience)).subject;
  }

  /** As `verify`; tells also when the token is over, in milliseconds since 1970. */
  async verifyUntil(token: string | undefined, audience: string): Promise<{ caller: string; until: number }> {
    const { subject, until } = await this.#known(token, audience);
    return { caller: subject, until };
  }

  /** Vouches for the member on whose behalf a call is made. At once, mostly. */
  vouch(member: string): string | Promise<string> {
    return this.issued(member, onBehalf) ?? this.issue(member, onBehalf);
  }

  /** The member that was vouched for. At once, mostly. Throws `unauthenticated`. */
  vouchedFor(token: string): string | Promise<string> {
    return this.#fresh(token, onBehalf)?.subject ?? this.verify(token, onBehalf);
  }

  #fresh(token: string, audience: string): Checked | undefined {
    const checked = this.#checked.get(token);
    return checked?.audience === audience && checked.until > Date.now() ? checked : undefined;
  }

  async #known(token: string | undefined, audience: string): Promise<Checked> {
    // Without an audience, a token for any would do.
    if (!token || !audience) throw refusal('unauthenticated', 'an internal call needs a service token');
    const fresh = this.#fresh(token, audience);
    if (fresh) return fresh;
    const checked = await this.#check(token, audience);
    this.#remember(this.#checked, token, checked);
    return checked;
  }

  async #check(token: string, audience: string): Promise<Checked> {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = this.keys.find(kid ?? '');
          if (!key) throw new Error('unknown key');
          return key.secret;
        },
        { algorithms: ['HS256'], audience, clockTolerance: 5, requiredClaims: ['iss', 'exp'] },
      );
      return { subject: payload.iss!, audience, until: payload.exp! * 1_000 };
    } catch (error) {
      throw refusal('unauthenticated', 'the service token is not valid here', {}, { cause: error });
    }
  }

  #remember<T>(kept: Map<string, T>, key: string, value: T): void {
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > this.most) kept.delete(kept.keys().next().value!);
  }
}
