import type { Server } from 'node:net';
import type { Clock } from '../context/index.ts';
import { whyTooManyFiles } from '../errors/index.ts';
import { type Log, OncePerMinute } from '../telemetry/index.ts';

/** Keeps a listener alive when it cannot accept a connection. Logs the reason, at most once a minute. */
export function surviveAcceptErrors(server: Server, log: Log, clock?: Clock): void {
  const limit = new OncePerMinute(clock);
  server.on('error', (error) => {
    // The caller of `listen` handles a failure to listen at all.
    if (!server.listening || !limit.passes()) return;
    log.error({ error, cure: whyTooManyFiles(error) }, 'connections cannot be accepted');
  });
}
