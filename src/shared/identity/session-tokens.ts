import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { KeyRing } from './key-ring.ts';
import type { SignedOut } from './signed-out.ts';

const lifeMs = 12 * 60 * 60_000;
const audience = 'kerf-public';

/** What a token says. */
export interface Session {
  readonly id: string;
  /** The member's id. */
  readonly member: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** What a member shows the gateway after signing in. */
export class SessionTokens {
  constructor(
    private readonly keys: KeyRing,
    private readonly signedOut: SignedOut,
  ) {}

  /** Good for twelve hours, or until sign-out. */
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

  /** The session, or `undefined` for a token that is wrong, over, or signed out. */
  async verify(token: string): Promise<Session | undefined> {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = this.keys.find(kid ?? '');
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
      return this.signedOut.has(session.id, expiresAt) ? undefined : session;
    } catch {
      return undefined;
    }
  }

  /** Ends a session: its token is refused from now on, in every process. */
  end({ id, expiresAt }: Session): void {
    this.signedOut.add(id, expiresAt);
  }
}
