import { statSync } from 'node:fs';
import { destination, type Logger, pino, stdSerializers } from 'pino';
import { background, currentContext } from '../context/index.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

const lookEveryMs = 1_000;
let file: string | undefined;

/** Whether the log is a file: then SIGHUP has it opened anew, and ends nothing. */
export function logsToFile(): boolean {
  return file !== undefined;
}

/** JSON lines on standard error, or at the end of a file; each names the request it belongs to. Never passwords, tokens or addresses of members. */
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

/** Opens the file anew on SIGHUP, and within a second of when it was moved away, as logrotate does: every process by itself. */
function rotatable(to: string) {
  file = to;
  const log = destination({ dest: to, append: true, mkdir: true, sync: true });
  // A disk that is full must not end the process.
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
