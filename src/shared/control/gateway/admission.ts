import { performance } from 'node:perf_hooks';
import type { MiddlewareHandler } from 'hono';
import { turn } from '../../kernel/context/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { problemResponse } from '../../kernel/http-api/index.ts';
import { activeTrace, addSpanEvent, isSampled, setOnSpan } from '../../kernel/telemetry/index.ts';

/** More requests in flight than this do not raise the throughput of a busy process. */
const maxWhileBusy = 256;

/**
 * Admits requests, the oldest first. While the event loop is busy, the gateway works on `most` requests at once and refuses each
 * further request before any work. While the event loop has idle time, any number of requests may be in flight. The span of a request
 * tells how long it waited, and whether it was refused.
 */
export function admission(isBusy: () => boolean = watchLoop(), most = maxWhileBusy): MiddlewareHandler {
  let inFlight = 0;
  return async (_c, next) => {
    if (inFlight >= most && isBusy()) {
      addSpanEvent(activeTrace(), 'refused at admission');
      return problemResponse(refusal('overloaded', 'nothing was begun; try again later', { retryAfter: 1 }));
    }
    inFlight += 1;
    try {
      const isDue = turn();
      if (isDue) await waitForTurn(isDue);
      return await next();
    } finally {
      inFlight -= 1;
    }
  };
}

function waitForTurn(isDue: Promise<void>): Promise<void> {
  const trace = activeTrace();
  if (!isSampled(trace)) return isDue;
  const since = performance.now();
  return isDue.then(() =>
    setOnSpan(trace, 'kerf.admission.queue_ms', Math.round((performance.now() - since) * 1_000) / 1_000),
  );
}

const windowMs = 100;
const busyShare = 0.9;

/** Returns a function that tells whether the event loop was nearly saturated in the last window of at least 100 ms. */
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
