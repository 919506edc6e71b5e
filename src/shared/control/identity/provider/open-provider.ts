import { StartError } from '../../../kernel/errors/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { AccessControl } from '../access-control.ts';
import { isSafeUrl } from './key-set.ts';
import { ProviderKeys } from './provider-keys.ts';
import { ProviderSessions } from './provider-sessions.ts';

export interface ProviderSettings {
  readonly OIDC_ISSUER?: string | undefined;
  readonly OIDC_AUDIENCE?: string | undefined;
  readonly OIDC_MEMBER_CLAIM?: string | undefined;
  readonly OIDC_ROLES_CLAIM?: string | undefined;
}

/** Returns the sessions of the identity provider in the settings, if there is one. Throws a `StartError` for settings that are not safe. */
export function openProvider(
  settings: ProviderSettings,
  access: AccessControl,
  log: Pick<Log, 'warn' | 'debug'>,
): ProviderSessions | undefined {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience } = settings;
  const { OIDC_MEMBER_CLAIM: memberClaim, OIDC_ROLES_CLAIM: rolesClaim } = settings;
  if (!issuer) {
    if (audience ?? memberClaim ?? rolesClaim) throw new StartError('OIDC_AUDIENCE and the claims need OIDC_ISSUER');
    return undefined;
  }
  if (!isSafeUrl(issuer, true) || issuer.includes('?'))
    throw new StartError(
      `OIDC_ISSUER must be https:// (or http:// on this machine), without user, query and fragment, exactly as the provider spells it`,
    );
  // Without an audience, a token that the provider has made for any other program would sign in here.
  if (!audience)
    throw new StartError('OIDC_ISSUER needs OIDC_AUDIENCE, the audience of the tokens that are for this system');
  const keys = new ProviderKeys(issuer, log);
  return new ProviderSessions({ issuer, audience, memberClaim, rolesClaim }, keys, access, log);
}
