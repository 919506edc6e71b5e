import type { MiddlewareHandler } from 'hono';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { clientNetwork } from '../address/index.ts';
import { type Refusal, refusal } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { problemResponse } from '../routes/index.ts';
import { currentClient } from './client.ts';

/** Lets one client make so many requests a minute: one IPv4 address, or one /64 network of IPv6. Zero is no limit. */
export function rateLimit(perMinute: number, log: Pick<Host['log'], 'warn'>): MiddlewareHandler {
  if (perMinute === 0) return (_c, next) => next();
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async (_c, next) => {
    const client = currentClient();
    try {
      await limiter.consume(clientNetwork(client));
    } catch (limited) {
      const { consumedPoints, msBeforeNext } = limited as RateLimiterRes;
      if (consumedPoints === perMinute + 1) log.warn({ client }, 'a client made too many requests');
      return problemResponse(tryAgainIn(msBeforeNext));
    }
    return next();
  };
}

export function tryAgainIn(delayMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(delayMs / 1_000));
  return refusal('too-many-requests', `try again in ${retryAfter} s`, { retryAfter });
}

/** Counts failures for a key, such as wrong passwords for an address, and refuses when there were too many. */
export class FailureLimit {
  readonly #limiter: RateLimiterMemory;

  constructor(failures: number, perSeconds: number) {
    this.#limiter = new RateLimiterMemory({ points: failures, duration: perSeconds });
  }

  /** Counts as a failure until it has succeeded: many at once are no way around the limit. */
  async attempt(key: string): Promise<void> {
    try {
      await this.#limiter.consume(key);
    } catch (limited) {
      throw tryAgainIn((limited as RateLimiterRes).msBeforeNext);
    }
  }

  async succeeded(key: string): Promise<void> {
    await this.#limiter.reward(key);
  }
}
