import { statSync } from 'node:fs';
import { destination, type Logger, pino, stdSerializers } from 'pino';
import { background, currentContext } from '../context/index.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

const lookEveryMs = 1_000;
let file: string | undefined;

/** Returns whether the log is a file. Then SIGHUP reopens the file and ends nothing. */
export function logsToFile(): boolean {
  return file !== undefined;
}

/**
 * Creates a log that writes JSON lines to standard error, or to the end of a file. Each line names its request. A line must never contain
 * passwords, tokens or addresses of members.
 */
export function createLog(level: string, fields: Record<string, unknown> = {}, to?: string): Logger {
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: stdSerializers.errWithCause },
      redact: { paths: ['password', 'token', 'authorization', '*.password', '*.token'], censor: '[hidden]' },
      mixin: () => {
        const context = currentContext();
        return context ? { requestId: context.requestId } : {};
      },
    },
    to === undefined ? destination({ dest: 2, sync: true }) : rotatable(to),
  );
}

/** Reopens the file on SIGHUP, and within one second after logrotate or another tool has moved it. Each process does so by itself. */
function rotatable(to: string) {
  file = to;
  const log = destination({ dest: to, append: true, mkdir: true, sync: true });
  // A full disk must not end the process.
  log.on('error', () => {});
  const identity = () => statSync(to, { throwIfNoEntry: false })?.ino;
  let opened = identity();
  const reopen = () => {
    log.reopen();
    opened = identity();
  };
  background.setInterval(() => identity() !== opened && reopen(), lookEveryMs).unref();
  process.on('SIGHUP', reopen);
  return log;
}

export const silentLog: Log = pino({ level: 'silent' });
