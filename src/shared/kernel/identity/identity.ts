import type { KeyObject } from 'node:crypto';
import type { PublicJwk } from './keys.ts';

/** What signs for a caller. The header tells the callee by which key to check: one of the system's, or the certified one. */
export interface Signer {
  readonly privateKey: KeyObject;
  readonly header: { readonly kid: string } | { readonly crt: string };
}

/** How a process proves to the others who calls, and what it checks their proof by. */
export interface Identity {
  /** Milliseconds since 1970, the same for all processes of a system; no step of a machine's clock moves it. */
  now(): number;
  /** What signs for `caller`; undefined where this process may not call in that name. */
  signerFor(caller: string): Signer | undefined;
  /** The key of the system that has this name; undefined for one that is not trusted, or not any more. */
  systemKey(kid: string): KeyObject | undefined;
  /** Looks for newer keys, a newer certificate and the system's time, at most once a second. Resolves with whether any was found. */
  renew(): Promise<boolean>;
  /** Calls `listener` when keys or certificate have changed. */
  onChange(listener: () => void): void;
}

/** What the system gives to a process: whom it may call as, whom it may believe, and the time. */
export interface Enrolment {
  /** Signed by the system: the modules in whose name the process calls, and its public key. */
  readonly certificate: string;
  /** The system's public keys, the signing one first. */
  readonly keys: readonly PublicJwk[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whoever pings is asked for nothing else: every process may do it in this name. */
export const pinging = 'kernel';
/** In whose name operators' orders are signed; no module can have this name. */
export const operatorsName = '/operators';
