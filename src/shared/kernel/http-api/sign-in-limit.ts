import { type Clock, steadyClock } from '../context/index.ts';
import { clientNetwork } from './proxies.ts';
import { tryAgainIn } from './rate-limit.ts';

interface DelayOptions {
  /** Failures that cost nothing. */
  readonly free: number;
  readonly maxMs: number;
}

interface Failures {
  count: number;
  /** In the milliseconds of the clock. */
  lastAt: number;
}

const firstDelayMs = 1_000;
const forgottenAfterMs = 60 * 60_000;
/** Of each kind; the one that was used least recently is forgotten first. */
const maxRemembered = 100_000;

/** After `free` failures a key waits for a second, and for twice as long after each further one. It is forgotten after an hour. */
class GrowingDelay {
  readonly #failures = new Map<string, Failures>();
  private readonly options: DelayOptions;
  private readonly clock: Clock;

  constructor(options: DelayOptions, clock: Clock) {
    this.options = options;
    this.clock = clock;
  }

  /** Milliseconds until the next attempt may be made. */
  waitMs(key: string): number {
    const known = this.#failures.get(key);
    const { free, maxMs } = this.options;
    if (!known || known.count < free) return 0;
    if (this.clock.now() - known.lastAt > forgottenAfterMs) return 0;
    const delayMs = Math.min(maxMs, firstDelayMs * 2 ** Math.min(known.count - free, 30));
    return Math.max(0, known.lastAt + delayMs - this.clock.now());
  }

  failed(key: string): void {
    const known = this.#failures.get(key);
    const lastAt = this.clock.now();
    const count = known && lastAt - known.lastAt <= forgottenAfterMs ? known.count : 0;
    remember(this.#failures, key, { count: count + 1, lastAt });
  }

  /** Takes one failure back. */
  takeBack(key: string): void {
    const known = this.#failures.get(key);
    if (known && known.count > 1) known.count -= 1;
    else this.#failures.delete(key);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}

/** An attempt to sign in. It counts as a failure until it is said how it ended: many at once are no way around the limit. */
export interface SignInAttempt {
  succeeded(): void;
  /** It was not decided whether the password is right. */
  undecided(): void;
}

/**
 * Limits wrong passwords by account and client, with growing delays, so that a stranger cannot lock out an owner. A client that
 * has signed in to the account before has an allowance of its own. All others also share one for the account and one for their
 * client, whose delays stay short. Only attempts that are let through count. Kept in memory, bounded, for each home process.
 */
export class SignInLimit {
  readonly #pairs: GrowingDelay;
  readonly #strangersByAccount: GrowingDelay;
  readonly #strangersByClient: GrowingDelay;
  readonly #known = new Map<string, true>();

  constructor(clock: Clock = steadyClock) {
    this.#pairs = new GrowingDelay({ free: 10, maxMs: 15 * 60_000 }, clock);
    this.#strangersByAccount = new GrowingDelay({ free: 100, maxMs: 30_000 }, clock);
    this.#strangersByClient = new GrowingDelay({ free: 100, maxMs: 30_000 }, clock);
  }

  /** Begins an attempt by the client with this address. Refuses with `too-many-requests` while it has to wait. */
  begin(account: string, address: string): SignInAttempt {
    const client = clientNetwork(address);
    const pair = `${client} ${account}`;
    const counts: [GrowingDelay, string][] = [[this.#pairs, pair]];
    if (!this.#known.has(pair)) counts.push([this.#strangersByAccount, account], [this.#strangersByClient, client]);
    const waitMs = Math.max(...counts.map(([delay, key]) => delay.waitMs(key)));
    if (waitMs > 0) throw tryAgainIn(waitMs);
    for (const [delay, key] of counts) delay.failed(key);
    const undecided = () => {
      for (const [delay, key] of counts) delay.takeBack(key);
    };
    return {
      undecided,
      succeeded: () => {
        undecided();
        this.#pairs.forget(pair);
        remember(this.#known, pair, true);
      },
    };
  }
}

function remember<T>(kept: Map<string, T>, key: string, value: T): void {
  kept.delete(key);
  kept.set(key, value);
  if (kept.size > maxRemembered) kept.delete(kept.keys().next().value!);
}
