import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { steadyClock } from '../../kernel/context/index.ts';
import { certificateType, publicationType } from './certificate.ts';
import type { Enrolment, Identity, Signer } from './identity.ts';
import type { Key, KeyRing } from './key-ring.ts';
import { type KeyPair, keyPairOf, type PublicJwk, publicKeyOf } from './keys.ts';

/** Outlasts a home process that is away for hours. Processes ask for a new certificate at half of this time. */
const certificateLifeMs = 24 * 60 * 60_000;
const algorithm = 'EdDSA';

interface SystemKey extends KeyPair {
  readonly kid: string;
  readonly checks: KeyObject;
}

/**
 * The identity of the home process. It may call in every name, and certifies the keys of the other processes. Its secrets give
 * full control of the system. Its published keys let a process verify, but not sign.
 */
export class Authority implements Identity {
  readonly #derived = new Map<string, SystemKey>();
  readonly #listeners: (() => void)[] = [];
  #kids: string;
  private readonly ring: KeyRing;
  readonly now: () => number;

  constructor(ring: KeyRing, now: () => number = steadyClock.now) {
    this.ring = ring;
    this.now = now;
    this.#kids = this.#names();
  }

  signerFor(_caller: string): Signer {
    const { privateKey, kid } = this.#signing();
    return { privateKey, header: { kid } };
  }

  systemKey(kid: string): KeyObject | undefined {
    const key = this.ring.find(kid);
    return key && this.#derive(key).checks;
  }

  /** Resolves with whether the keys were rotated. */
  async renew(): Promise<boolean> {
    const kids = this.#names();
    if (kids === this.#kids) return false;
    this.#kids = kids;
    for (const listener of this.#listeners) listener();
    return true;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Returns the system's public keys, the signing key first, in the form of a JSON Web Key Set (RFC 7517). */
  publicKeys(): PublicJwk[] {
    return this.ring.all().map((key) => ({ ...this.#derive(key).publicKey, kid: key.kid }));
  }

  /** Lets the owner of the private key of `publicKey` call in the name of these modules. */
  async enrol(publicKey: PublicJwk, modules: readonly string[], lifeMs = certificateLifeMs): Promise<Enrolment> {
    const certificate = await this.certify(publicKey, modules, lifeMs);
    return { certificate, keys: this.publicKeys(), now: this.now() };
  }

  async certify(publicKey: PublicJwk, names: readonly string[], lifeMs = certificateLifeMs): Promise<string> {
    const { privateKey, kid } = this.#signing();
    const { kty, crv, x } = publicKey;
    return new SignJWT({ names, cnf: { jwk: { kty, crv, x } } })
      .setProtectedHeader({ alg: algorithm, kid, typ: certificateType })
      .setExpirationTime(Math.ceil((this.now() + lifeMs) / 1_000))
      .sign(privateKey);
  }

  /**
   * Signs its public keys and the time once with each key: a reader that trusts one of them may believe the others. The signed `nonce`
   * shows the reader that the answer is no older than its question.
   */
  publications(nonce?: string): Promise<string[]> {
    const keys = this.publicKeys();
    const now = this.now();
    return Promise.all(
      this.ring
        .all()
        .map((key) =>
          new SignJWT({ keys, now, nonce })
            .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: publicationType })
            .sign(this.#derive(key).privateKey),
        ),
    );
  }

  #signing(): SystemKey {
    return this.#derive(this.ring.signing());
  }

  #derive({ kid, secret }: Key): SystemKey {
    const known = this.#derived.get(kid);
    if (known) return known;
    const pair = keyPairOf(secret, 'system');
    const key = { ...pair, kid, checks: publicKeyOf(pair.publicKey) };
    this.#derived.set(kid, key);
    return key;
  }

  #names(): string {
    return this.ring
      .all()
      .map(({ kid }) => kid)
      .join();
  }
}
