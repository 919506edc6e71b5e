import type { Server } from 'node:net';
import type { Clock } from '../context/index.ts';
import { whyTooManyFiles } from '../errors/index.ts';
import { type Log, OncePerMinute } from '../telemetry/index.ts';

/** Lets a listener outlive connections that it cannot accept. Logs why, once a minute at most. */
export function surviveAcceptErrors(server: Server, log: Log, clock?: Clock): void {
  const limit = new OncePerMinute(clock);
  server.on('error', (error) => {
    // That it cannot listen at all is told to whoever wants it to.
    if (!server.listening || !limit.passes()) return;
    log.error({ error, cure: whyTooManyFiles(error) }, 'connections cannot be accepted');
  });
}
