import type { Server } from 'node:net';
import { whyTooManyFiles } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';

const loggedEveryMs = 60_000;

/** Lets a listener outlive connections that it cannot accept. Logs why, once a minute at most. */
export function surviveAcceptErrors(server: Server, log: Log, now = () => performance.now()): void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  server.on('error', (error) => {
    // That it cannot listen at all is told to whoever wants it to.
    if (!server.listening || now() - loggedAt < loggedEveryMs) return;
    loggedAt = now();
    log.error({ error, cure: whyTooManyFiles(error) }, 'connections cannot be accepted');
  });
}
