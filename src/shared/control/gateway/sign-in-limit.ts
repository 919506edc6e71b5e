import { type Clock, steadyClock } from '../../kernel/context/index.ts';
import type { SignInAttempt, SignInLimit } from '../../kernel/http-api/index.ts';
import { clientNetwork } from '../http-server/index.ts';
import { tryAgainIn } from './rate-limit.ts';

interface DelayOptions {
  /** Number of failures without a delay. */
  readonly free: number;
  readonly maxMs: number;
}

interface Failures {
  count: number;
  /** In milliseconds of the clock. */
  lastAt: number;
}

const firstDelayMs = 1_000;
const forgottenAfterMs = 60 * 60_000;
/** Maximum entries of each map. The limit drops the least recently written entry first. */
const maxRemembered = 100_000;

/** Delays a key for a second after `free` failures, and twice as long after each further one. Forgets a key after an hour. */
class GrowingDelay {
  readonly #failures = new Map<string, Failures>();
  private readonly options: DelayOptions;
  private readonly clock: Clock;

  constructor(options: DelayOptions, clock: Clock) {
    this.options = options;
    this.clock = clock;
  }

  /** Returns the milliseconds until the next attempt is allowed. */
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

  /** Removes one failure. */
  takeBack(key: string): void {
    const known = this.#failures.get(key);
    if (known && known.count > 1) known.count -= 1;
    else this.#failures.delete(key);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}

/**
 * Limits wrong passwords by account and client, with growing delays, so that an attacker cannot lock out an owner. A client that
 * has signed in to the account before has its own allowance. All other clients also share an allowance of the account and one of
 * their client network; the delays of these stay short. Only accepted attempts count. Each home process keeps bounded counts in
 * memory.
 */
export class GrowingSignInLimit implements SignInLimit {
  readonly #pairs: GrowingDelay;
  readonly #strangersByAccount: GrowingDelay;
  readonly #strangersByClient: GrowingDelay;
  readonly #known = new Map<string, true>();

  constructor(clock: Clock = steadyClock) {
    this.#pairs = new GrowingDelay({ free: 10, maxMs: 15 * 60_000 }, clock);
    this.#strangersByAccount = new GrowingDelay({ free: 100, maxMs: 30_000 }, clock);
    this.#strangersByClient = new GrowingDelay({ free: 100, maxMs: 30_000 }, clock);
  }

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
