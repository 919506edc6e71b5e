import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { refusal } from '../../kernel/errors/index.ts';
import type { Session, Sessions } from '../../kernel/http-api/index.ts';
import type { Key, KeyRing } from './key-ring.ts';
import type { SignedOut } from './signed-out.ts';

const lifeMs = 12 * 60 * 60_000;
const audience = 'kerf-public';

/** The session of a verified token, and the key that verified it. */
interface Verified {
  readonly session: Session;
  readonly key: Key;
}

/** Maximum number of cached tokens. Verifying a signature takes longer than all other checks of a session. */
const maxVerified = 10_000;

/** Issues and verifies the tokens that members send to the gateway after sign-in. */
export class SessionTokens implements Sessions {
  readonly #verified = new Map<string, Verified>();
  private readonly keys: KeyRing;
  private readonly signedOut: SignedOut;

  constructor(keys: KeyRing, signedOut: SignedOut) {
    this.keys = keys;
    this.signedOut = signedOut;
  }

  /** Returns a new token. It is valid for twelve hours, or until sign-out. */
  async issue(member: string): Promise<{ token: string; expiresAt: string }> {
    const { kid, secret } = this.keys.signing();
    const expiresAt = new Date(Date.now() + lifeMs);
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', kid })
      .setJti(randomUUID())
      .setSubject(member)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(secret);
    return { token, expiresAt: expiresAt.toISOString() };
  }

  /**
   * Resolves with the session, or with `undefined` for a token that is wrong, expired or signed out. Rejects with `unavailable` when
   * the signed-out sessions cannot be read.
   */
  async verify(token: string): Promise<Session | undefined> {
    const session = this.#again(token) ?? (await this.#read(token));
    return session && !this.isEnded(session) ? session : undefined;
  }

  /** Whether somebody has signed out of the session. Throws `unavailable` when that cannot be read. */
  isEnded({ id, expiresAt }: Session): boolean {
    try {
      return this.signedOut.has(id, expiresAt);
    } catch (cause) {
      throw refusal('unavailable', 'sessions cannot be checked now; try again', {}, { cause });
    }
  }

  /** The session of a token that was verified before, while it has not expired and its key has not been revoked. */
  #again(token: string): Session | undefined {
    const verified = this.#verified.get(token);
    if (!verified) return undefined;
    const { session, key } = verified;
    if (session.expiresAt * 1_000 > Date.now() && this.keys.find(key.kid) === key) return session;
    this.#verified.delete(token);
    return undefined;
  }

  #keep(token: string, verified: Verified): void {
    if (this.#verified.size >= maxVerified) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(token, verified);
  }

  async #read(token: string): Promise<Session | undefined> {
    let key: Key | undefined;
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          key = this.keys.find(kid ?? '');
          if (!key) throw new Error('unknown key');
          return key.secret;
        },
        { algorithms: ['HS256'], audience, requiredClaims: ['sub', 'exp'] },
      );
      const {
        sub: member,
        exp: expiresAt,
        iat,
        jti,
      } = payload as { sub: string; exp: number; iat?: number; jti?: string };
      // A token of an earlier release has no id of its own.
      const session = { id: jti ?? `${member} ${iat}`, member, expiresAt };
      this.#keep(token, { session, key: key! });
      return session;
    } catch {
      return undefined;
    }
  }

  /** Ends a session. Every process refuses its token from now on. Throws `unavailable` when the sign-out cannot be stored. */
  end({ id, expiresAt }: Session): void {
    try {
      this.signedOut.add(id, expiresAt);
    } catch (cause) {
      throw refusal('unavailable', 'the sign-out cannot be kept now; try again', {}, { cause });
    }
  }
}
