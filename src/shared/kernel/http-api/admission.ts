import { performance } from 'node:perf_hooks';
import type { MiddlewareHandler } from 'hono';
import { turn } from '../context/index.ts';
import { refusal } from '../errors/index.ts';
import { problemResponse } from './problem-response.ts';

/** A busy process answers no more requests a second with more than these at once. */
const mostWhileBusy = 256;

/**
 * Lets requests in, the oldest first. While the event loop is busy, the gateway works on `most` requests at once and refuses each further one
 * before it begins it. While the event loop has time left, any number may be in flight.
 */
export function admission(isBusy: () => boolean = watchLoop(), most = mostWhileBusy): MiddlewareHandler {
  let inFlight = 0;
  return async (_c, next) => {
    if (inFlight >= most && isBusy())
      return problemResponse(refusal('overloaded', 'nothing was begun; try again later', { retryAfter: 1 }));
    inFlight += 1;
    try {
      await turn();
      return await next();
    } finally {
      inFlight -= 1;
    }
  };
}

const windowMs = 100;
const busyShare = 0.9;

/** Whether the event loop had next to no time left, in the last tenth of a second or more. */
function watchLoop(): () => boolean {
  let [since, before, isBusy] = [performance.now(), performance.eventLoopUtilization(), false];
  return () => {
    const now = performance.now();
    if (now - since < windowMs) return isBusy;
    isBusy = performance.eventLoopUtilization(before).utilization >= busyShare;
    [since, before] = [now, performance.eventLoopUtilization()];
    return isBusy;
  };
}
