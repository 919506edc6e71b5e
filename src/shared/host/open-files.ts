import { background } from '../context/index.ts';
import { whyNoMoreFiles } from '../errors/index.ts';
import type { Log } from '../observability/index.ts';

const lookEveryMs = 2_000;
const loggedEveryMs = 60_000;

/**
 * Logs, once a minute, that no more files may be open. Connections that come then are closed by the system without a word: nobody
 * else notices.
 */
export function watchOpenFiles(log: Pick<Log, 'error'>, why = whyNoMoreFiles): void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  const look = () => {
    const cure = why();
    if (!cure || performance.now() - loggedAt < loggedEveryMs) return;
    loggedAt = performance.now();
    log.error({ cure }, 'no more files and connections can be opened');
  };
  background.setInterval(look, lookEveryMs).unref();
}
