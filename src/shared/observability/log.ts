import { destination, type Logger, pino, stdSerializers } from 'pino';
import { currentContext } from '../context/index.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON lines on standard error; each names the request it belongs to. Never passwords, tokens or addresses of members. */
export function createLog(level: string, fields: Record<string, unknown> = {}): Logger {
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
    destination({ dest: 2, sync: true }),
  );
}

export const silentLog: Log = pino({ level: 'silent' });
