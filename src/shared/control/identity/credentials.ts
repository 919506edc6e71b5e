import { refusal } from '../../kernel/errors/index.ts';
import type { Session, Sessions } from '../../kernel/http-api/index.ts';
import type { AccessControl } from './access-control.ts';
import { ApiKeys } from './api-keys.ts';
import type { ProviderSessions } from './provider/index.ts';
import type { SessionTokens } from './session-tokens.ts';

/** Verifies the bearer tokens of public requests, and finds the roles of their members. */
export class Credentials implements Sessions {
  private readonly sessions: SessionTokens;
  private readonly access: AccessControl;
  private readonly provider: ProviderSessions | undefined;

  constructor(sessions: SessionTokens, access: AccessControl, provider?: ProviderSessions) {
    this.sessions = sessions;
    this.access = access;
    this.provider = provider;
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
    if (ApiKeys.claims(token)) return this.#ofKey(token);
    const session = (await this.sessions.verify(token)) ?? (await this.#ofProvider(token));
    return session && this.#withRoles(session);
  }

  async #ofProvider(token: string): Promise<Session | undefined> {
    const session = await this.provider?.verify(token);
    return session && !this.sessions.isEnded(session) ? session : undefined;
  }

  #ofKey(token: string): Session | undefined {
    try {
      const session = this.access.apiKeys.verify(token);
      const roles = this.access.existing(session?.roles ?? []);
      // A key whose roles no endpoint asks for any more has no rights at all.
      return session && roles.length > 0 ? { ...session, roles } : undefined;
    } catch (cause) {
      throw refusal('unavailable', 'API keys cannot be read now; try again', {}, { cause });
    }
  }

  #withRoles(session: Session): Session {
    try {
      const given = this.access.rolesOf(session.member!);
      return given.length > 0 ? { ...session, roles: [...new Set([...(session.roles ?? []), ...given])] } : session;
    } catch (cause) {
      throw refusal('unavailable', 'roles cannot be read now; try again', {}, { cause });
    }
  }
}
