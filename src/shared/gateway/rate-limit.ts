import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, MiddlewareHandler } from 'hono';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { refusal } from '../errors/index.ts';
import { problemResponse } from '../routes/index.ts';

/** At most so many requests a minute from one client address. Zero is no limit. */
export function rateLimit(perMinute: number): MiddlewareHandler {
  if (perMinute === 0) return (_c, next) => next();
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async (c, next) => {
    try {
      await limiter.consume(clientAddress(c));
    } catch (limited) {
      return problemResponse(tryAgainIn((limited as RateLimiterRes).msBeforeNext));
    }
    await next();
  };
}

function clientAddress(c: Context): string {
  try {
    return getConnInfo(c).remote.address ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

function tryAgainIn(delayMs: number) {
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
