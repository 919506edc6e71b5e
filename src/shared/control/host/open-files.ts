import { background } from '../../kernel/context/index.ts';
import { whyNoMoreFiles } from '../../kernel/errors/index.ts';
import { type Log, OncePerMinute } from '../../kernel/telemetry/index.ts';

const lookEveryMs = 2_000;

/**
 * Logs, at most once a minute, that the process can open no more files. The operating system then closes new connections
 * without any other sign.
 */
export function watchOpenFiles(log: Pick<Log, 'error'>, why = whyNoMoreFiles): void {
  const limit = new OncePerMinute();
  const look = () => {
    const cure = why();
    if (cure && limit.passes()) log.error({ cure }, 'no more files and connections can be opened');
  };
  background.setInterval(look, lookEveryMs).unref();
}
