import { errors, type JWTHeaderParameters } from 'jose';
import { type Cancel, type Clock, steadyClock } from '../../../kernel/context/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import { CompromisedKeys, fetchKeySet, type KeySet } from './key-set.ts';

const refreshMs = 5 * 60_000;
/** The minimum time between two fetches. Tokens with unknown keys, which anybody can send, cause no more of them. */
const cooldownMs = 10_000;
/** How long known keys are used while the provider does not answer. */
const keptMs = 60 * 60_000;

/** Without usable keys, no token can be accepted or refused. */
export class NoKeys extends Error {}

interface ProviderKeysOptions {
  readonly clock?: Clock;
  readonly fetchKeys?: (issuer: string) => Promise<KeySet>;
}

/**
 * Holds the public keys of an identity provider. Fetches them every five minutes, and when a token names an unknown key. While the
 * provider is down or not to be believed, tries again every ten seconds, and uses the known keys for an hour.
 */
export class ProviderKeys {
  #keys: KeySet | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #trouble: string | undefined;
  #next: Cancel = () => {};
  #closed = false;
  /** Changes with each set of keys. What was verified with another set must be verified again. */
  version = 0;
  private readonly issuer: string;
  private readonly log: Pick<Log, 'warn'>;
  private readonly clock: Clock;
  private readonly fetchKeys: (issuer: string) => Promise<KeySet>;

  constructor(issuer: string, log: Pick<Log, 'warn'>, options: ProviderKeysOptions = {}) {
    this.issuer = issuer;
    this.log = log;
    this.clock = options.clock ?? steadyClock;
    this.fetchKeys = options.fetchKeys ?? fetchKeySet;
  }

  /** Whether the last fetch succeeded. */
  get current(): boolean {
    return this.#trouble === undefined && this.#keys !== undefined;
  }

  /** Whether there are keys that are new enough. */
  get usable(): boolean {
    return this.#keys !== undefined && this.clock.now() - this.#fetchedAt < keptMs;
  }

  /** Fetches the keys now, and keeps fetching them until `close`. Resolves when the first fetch has ended, in whatever way. */
  open(): Promise<void> {
    return this.#fetch();
  }

  close(): void {
    this.#closed = true;
    this.#next();
  }

  /** Returns the key for a token. Rejects with `NoKeys`, or with an error of jose for a key that the provider does not have. */
  async keyFor(header: JWTHeaderParameters): ReturnType<KeySet> {
    if (!this.usable) await this.#fetch();
    if (!this.usable) throw new NoKeys(this.#trouble ?? 'it was asked a moment ago');
    try {
      return await this.#keys!(header);
    } catch (error) {
      const { version } = this;
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#fetch();
      if (version === this.version) throw error;
      return this.#keys!(header);
    }
  }

  /** Fetches the keys, unless that was tried a moment ago. */
  async #fetch(): Promise<void> {
    if (this.#fetching) return this.#fetching;
    if (this.#closed || this.clock.now() - this.#askedAt < cooldownMs) return;
    this.#askedAt = this.clock.now();
    this.#fetching = this.#renew().finally(() => {
      this.#fetching = undefined;
      this.#next();
      if (!this.#closed) this.#next = this.clock.after(this.current ? refreshMs : cooldownMs, () => void this.#fetch());
    });
    return this.#fetching;
  }

  async #renew(): Promise<void> {
    try {
      this.#keys = await this.fetchKeys(this.issuer);
      this.#fetchedAt = this.clock.now();
      this.version += 1;
      if (this.#trouble !== undefined) this.log.warn({ issuer: this.issuer }, 'the identity provider answers again');
      this.#trouble = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof CompromisedKeys) {
        this.#keys = undefined;
        this.version += 1;
      }
      // One line for each reason, however often it is met.
      if (message !== this.#trouble)
        this.log.warn({ issuer: this.issuer, why: message, until: this.#until() }, troubled);
      this.#trouble = message;
    }
  }

  /** Until when tokens of known keys are accepted. */
  #until(): string | null {
    return this.usable ? new Date(this.#fetchedAt + keptMs).toISOString() : null;
  }
}

const troubled = 'the keys of the identity provider cannot be fetched; tokens of known keys are accepted for a while';
