import { jwtVerify, SignJWT } from 'jose';
import type { KeyRing } from './key-ring.ts';

const lifeMs = 12 * 60 * 60_000;
const audience = 'kerf-public';

/** What a member shows the gateway after signing in. */
export class SessionTokens {
  constructor(private readonly keys: KeyRing) {}

  /** Good for twelve hours. */
  async issue(member: string): Promise<{ token: string; expiresAt: string }> {
    const { kid, secret } = this.keys.signing();
    const expiresAt = new Date(Date.now() + lifeMs);
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', kid })
      .setSubject(member)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(secret);
    return { token, expiresAt: expiresAt.toISOString() };
  }

  /** The member's id, or `undefined` for a token that is wrong or over. */
  async verify(token: string): Promise<string | undefined> {
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
      return payload.sub;
    } catch {
      return undefined;
    }
  }
}
