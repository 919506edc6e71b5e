import type { KeyObject } from 'node:crypto';
import { decodeJwt } from 'jose';
import { background } from '../../kernel/context/index.ts';
import { type Enrolment, type Identity, pinging, type Signer } from './identity.ts';
import { type KeyPair, newKeyPair, type PublicJwk, publicKeyOf } from './keys.ts';

const renewEveryMs = 1_000;

/** An enrolment that a process gets for itself. */
export interface OwnEnrolment extends Omit<Enrolment, 'now'> {
  /** The key pair that the certificate names, where it is not the one the process asked for. */
  readonly pair?: KeyPair;
  /** Milliseconds since 1970. Undefined when the system did not send its time: the known time then continues. */
  readonly now?: number | undefined;
}

/** Gets the public key of this process certified with the system's keys. Implementations reach these keys in different ways. */
export type Enrol = (publicKey: PublicJwk) => Promise<OwnEnrolment>;

/** The identity of a process that runs some modules. It signs with its own key, and calls in the name of these modules only. */
export class ProcessIdentity implements Identity {
  readonly #listeners: (() => void)[] = [];
  #pair = newKeyPair();
  #certificate = '';
  #keys = new Map<string, KeyObject>();
  /** The system's time minus this process's uptime. Until the system sends its time, it is the machine's clock at process start. */
  #aheadMs = performance.timeOrigin;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #renewAt = 0;
  #until = 0;
  #renewing: Promise<boolean> | undefined;
  private readonly modules: readonly string[];
  private readonly enrol: Enrol;

  private constructor(modules: readonly string[], enrol: Enrol) {
    this.modules = modules;
    this.enrol = enrol;
  }

  /** Enrols the process. Rejects with the error of `enrol`. */
  static async open(modules: readonly string[], enrol: Enrol): Promise<ProcessIdentity> {
    const identity = new ProcessIdentity(modules, enrol);
    identity.update(await enrol(identity.#pair.publicKey));
    return identity;
  }

  now(): number {
    return performance.now() + this.#aheadMs;
  }

  get until(): number {
    return this.#until;
  }

  signerFor(caller: string): Signer | undefined {
    if (caller !== pinging && !this.modules.includes(caller)) return undefined;
    if (this.now() > this.#renewAt) void this.renew();
    return { privateKey: this.#pair.privateKey, header: { crt: this.#certificate } };
  }

  systemKey(kid: string): KeyObject | undefined {
    return this.#keys.get(kid);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves with false when no renewal is possible now. The known keys and certificate then stay in use. */
  renew(): Promise<boolean> {
    if (this.#renewing) return this.#renewing;
    if (performance.now() - this.#renewedAt < renewEveryMs) return Promise.resolve(false);
    this.#renewedAt = performance.now();
    this.#renewing = background
      .run(() => this.enrol(this.#pair.publicKey))
      .then((enrolment) => this.update(enrolment))
      .catch(() => false)
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  /** Renews even directly after another renewal, because the source of the enrolment has changed since. */
  async renewAnew(): Promise<boolean> {
    await this.#renewing;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    return this.renew();
  }

  /** Uses this enrolment from now on. Returns whether its keys, key pair or time are new. */
  update({ certificate, keys, now, pair = this.#pair }: OwnEnrolment): boolean {
    const aheadMs = now === undefined ? this.#aheadMs : now - performance.now();
    const stepped = Math.abs(aheadMs - this.#aheadMs) > renewEveryMs;
    const known = [...this.#keys.keys()].join() === keys.map(({ kid }) => kid).join();
    const samePair = pair.publicKey.x === this.#pair.publicKey.x;
    const isNew = stepped || !known || !samePair;
    if (stepped) this.#aheadMs = aheadMs;
    this.#pair = pair;
    this.#certificate = certificate;
    this.#keys = new Map(keys.map((key) => [key.kid!, publicKeyOf(key)]));
    this.#until = (decodeJwt(certificate).exp ?? 0) * 1_000;
    this.#renewAt = this.now() + (this.#until - this.now()) / 2;
    if (isNew) for (const listener of this.#listeners) listener();
    return isNew;
  }
}
