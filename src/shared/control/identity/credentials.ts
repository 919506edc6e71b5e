import { refusal } from '../../kernel/errors/index.ts';
import type { Session, Sessions } from '../../kernel/http-api/index.ts';
import type { AccessControl } from './access-control.ts';
import type { SessionTokens } from './session-tokens.ts';

/** Verifies the bearer tokens of public requests, and finds the roles of their members. */
export class Credentials implements Sessions {
  private readonly sessions: SessionTokens;
  private readonly access: AccessControl;

  constructor(sessions: SessionTokens, access: AccessControl) {
    this.sessions = sessions;
    this.access = access;
  }

  issue(member: string): Promise<{ token: string; expiresAt: string }> {
    return this.sessions.issue(member);
  }

  end(session: Session): void {
    this.sessions.end(session);
  }

  /**
   * Resolves with the session of a token and the current roles of its member, or with `undefined` for a token that is not valid. Rejects
   * with `unavailable` when that cannot be told now.
   */
  async verify(token: string): Promise<Session | undefined> {
    const session = await this.sessions.verify(token);
    return session && this.#withRoles(session);
  }

  #withRoles(session: Session): Session {
    try {
      const roles = this.access.rolesOf(session.member!);
      return roles.length > 0 ? { ...session, roles } : session;
    } catch (cause) {
      throw refusal('unavailable', 'roles cannot be read now; try again', {}, { cause });
    }
  }
}
