import { jwtVerify, SignJWT } from 'jose';
import { refusal } from '../errors/index.ts';
import type { KeyRing } from './key-ring.ts';

const lifeSeconds = 60;

interface Kept {
  token: string;
  /** Milliseconds since 1970 after which a new one is made. */
  renewAt: number;
}

/**
 * How modules prove who they are to each other across processes: a token that names the calling module, the module called,
 * and lives for a minute. Made and checked once per half minute and pair, not per call.
 */
export class ServiceTokens {
  readonly #issued = new Map<string, Kept>();
  readonly #verified = new Map<string, { caller: string; until: number }>();

  constructor(private readonly keys: KeyRing) {}

  /** The token for this pair, when there is one that is fresh. */
  issued(caller: string, audience: string): string | undefined {
    const kept = this.#issued.get(`${caller}>${audience}`);
    return kept && kept.renewAt > Date.now() ? kept.token : undefined;
  }

  async issue(caller: string, audience: string): Promise<string> {
    const kept = this.issued(caller, audience);
    if (kept) return kept;
    const { kid, secret } = this.keys.signing();
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', kid })
      .setIssuer(caller)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${lifeSeconds}s`)
      .sign(secret);
    this.#issued.set(`${caller}>${audience}`, { token, renewAt: Date.now() + (lifeSeconds / 2) * 1_000 });
    return token;
  }

  /** The module that calls. Throws `unauthenticated` for a token that is missing, wrong, expired or made for another. */
  async verify(token: string | undefined, audience: string): Promise<string> {
    if (!token) throw refusal('unauthenticated', 'an internal call needs a service token');
    const entry = `${audience}<${token}`;
    const kept = this.#verified.get(entry);
    if (kept && kept.until > Date.now()) return kept.caller;
    const caller = await this.#check(token, audience);
    if (this.#verified.size > 1_000) this.#verified.clear();
    this.#verified.set(entry, caller);
    return caller.caller;
  }

  async #check(token: string, audience: string): Promise<{ caller: string; until: number }> {
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
      return { caller: payload.iss!, until: payload.exp! * 1_000 };
    } catch (error) {
      throw refusal('unauthenticated', 'the service token is not valid here', {}, { cause: error });
    }
  }
}
