import type { KeyObject } from 'node:crypto';
import type { PublicJwk } from './keys.ts';

/** Signs for a caller. The header tells the callee which key verifies the signature: a key of the system or the certified key. */
export interface Signer {
  readonly privateKey: KeyObject;
  readonly header: { readonly kid: string } | { readonly crt: string };
}

/** Lets a process prove to other processes which caller it acts for, and verify their proofs. */
export interface Identity {
  /** Milliseconds since 1970, the same for all processes of a system. Steps of a machine's clock do not move it. */
  now(): number;
  /** Until when this process may call, in milliseconds since 1970, unless it renews its certificate. Undefined in the home process. */
  readonly until?: number | undefined;
  /** Returns the signer for `caller`, or undefined when this process may not call in that name. */
  signerFor(caller: string): Signer | undefined;
  /** Returns the system's key with this id, or undefined for a key that is not or no longer trusted. */
  systemKey(kid: string): KeyObject | undefined;
  /** Looks for newer keys, a newer certificate and the system's time, at most once a second. Resolves with whether any was found. */
  renew(): Promise<boolean>;
  /** Calls `listener` when keys or certificate have changed. */
  onChange(listener: () => void): void;
}

/** Tells a process in which names it may call, which keys it may trust, and the system's time. */
export interface Enrolment {
  /** Signed by the system: the modules in whose name the process calls, and its public key. */
  readonly certificate: string;
  /** The system's public keys, the signing one first. */
  readonly keys: readonly PublicJwk[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The caller's name in a ping. Every process may ping in this name. */
export const pinging = 'kernel';
/** The name that signs operators' orders. No module can have this name. */
export const operatorsName = '/operators';
