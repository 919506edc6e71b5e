import type { Principal } from '../context/index.ts';

/** Who sends a request, as its token says: a member who has signed in, or a program with an API key. */
export interface Session extends Principal {
  readonly id: string;
  /** The id of the API key, if it is one. */
  readonly apiKey?: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** Signs members in and out. Only the gateway holds the keys. */
export interface Sessions {
  /** Returns a new token. It is valid for twelve hours, or until sign-out. */
  issue(member: string): Promise<{ token: string; expiresAt: string }>;
  /** Ends a session. Every process refuses its token from now on. Throws `unavailable` when the sign-out cannot be stored. */
  end(session: Session): void;
}

/** Limits wrong passwords by account and client. An attacker can neither guess a password nor lock out its owner. */
export interface SignInLimit {
  /** Begins an attempt of the client with this address. Throws `too-many-requests` while the client must wait. */
  begin(account: string, address: string): SignInAttempt;
}

/** An attempt to sign in. It counts as a failure until its caller reports the outcome, so parallel attempts cannot bypass the limit. */
export interface SignInAttempt {
  succeeded(): void;
  /** Reports that the password check had no result. */
  undecided(): void;
}
