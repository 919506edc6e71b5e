import type { MiddlewareHandler } from 'hono';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { type Refusal, refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { currentClient } from './client-address.ts';
import { currentSession, limitedAs } from './request-context.ts';

const windowMs = 60_000;

/**
 * Limits each client to `perMinute` requests. A client is one API key, one IPv4 address or one IPv6 /64 network. Zero means no limit.
 */
export function rateLimit(perMinute: number, log: Pick<Log, 'warn'>): MiddlewareHandler {
  if (perMinute === 0) return (_c, next) => next();
  const limiter = new RateLimiterMemory({ points: perMinute, duration: windowMs / 1_000 });
  return async (_c, next) => {
    const limited = limitedAs(currentClient());
    try {
      await limiter.consume(limited);
    } catch (refused) {
      const { consumedPoints, msBeforeNext } = refused as RateLimiterRes;
      const client = currentSession()?.apiKey === undefined ? currentClient() : limited;
      if (consumedPoints === perMinute + 1) log.warn({ client }, 'a client made too many requests');
      // The limiter reads the wall clock, which may step back. A timer still ends its window on time.
      return problemResponse(tryAgainIn(Math.min(msBeforeNext, windowMs)));
    }
    return next();
  };
}

export function tryAgainIn(delayMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(delayMs / 1_000));
  return refusal('too-many-requests', `try again in ${retryAfter} s`, { retryAfter });
}

/** Limits each client to `most` requests in flight that use much CPU time or memory. */
export class RequestsInFlight {
  readonly #inFlight = new Map<string, number>();
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** Resolves with the result of `serve`, or with a refusal response. */
  async run<T>(serve: () => T | Promise<T>): Promise<T | Response> {
    const end = this.begin(limitedAs(currentClient()));
    if (!end) return problemResponse(tryAgainIn(1_000));
    try {
      return await serve();
    } finally {
      end();
    }
  }

  /** Counts a request of the client until the returned function is called. Returns `undefined` when the client has too many. */
  begin(client: string): (() => void) | undefined {
    const others = this.#inFlight.get(client) ?? 0;
    if (others >= this.most) return undefined;
    this.#inFlight.set(client, others + 1);
    return () => {
      const left = this.#inFlight.get(client)! - 1;
      if (left > 0) this.#inFlight.set(client, left);
      else this.#inFlight.delete(client);
    };
  }
}
