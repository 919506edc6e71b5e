import type { Principal } from '../context/index.ts';

/**
 * Makes and checks the tokens by which processes prove in whose name they call. One token names the calling and the called module,
 * another the principal of the call. All times are the system's time, in milliseconds since 1970.
 */
export interface CallerTokens {
  /** Steps of a machine's clock do not move it. */
  now(): number;
  /** Calls `listener` when the system's keys have changed. Earlier checks may then no longer hold. */
  onChange(listener: () => void): void;
  /** Returns the cached token for this pair, if it is fresh. */
  issued(caller: string, audience: string): string | undefined;
  /** Resolves with a token for this pair. Rejects with `forbidden` when this process may not call in the name of `caller`. */
  issue(caller: string, audience: string): Promise<string>;
  /** Drops the token of this pair, which the callee did not accept. */
  refused(caller: string, audience: string): void;
  /** Resolves with the calling module. Rejects with `unauthenticated` for a missing, wrong or expired token, or another audience. */
  verify(token: string | undefined, audience: string): Promise<string>;
  /** Does the same as `verify`, and also returns when the token expires. */
  verifyUntil(
    token: string | undefined,
    audience: string,
  ): Promise<{ readonly caller: string; readonly until: number }>;
  /** Returns a token for the member and the roles of a call, mostly without a promise. */
  vouch(principal: Principal): string | Promise<string>;
  /** Returns the principal that a token names, mostly without a promise. Rejects with `unauthenticated`. */
  vouchedFor(token: string): Principal | Promise<Principal>;
}

/** Returns the token of an `Authorization: Bearer …` header. */
export function bearer(header: string | undefined | null): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(header ?? '')?.[1];
}
