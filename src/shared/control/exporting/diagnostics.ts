import { DiagLogLevel, diag } from '@opentelemetry/api';
import { type Log, OncePerMinute } from '../../kernel/telemetry/index.ts';

/** Logs the warnings and errors of OpenTelemetry, such as a server that refuses spans: at most one line a minute. */
export function logDiagnostics(log: Log): void {
  const limit = new OncePerMinute();
  const warn = (problem: string) => {
    if (limit.passes())
      log.warn({ problem: problem.slice(0, 500) }, 'spans or log lines cannot be sent; they are counted and dropped');
  };
  const nothing = () => {};
  const logger = { error: warn, warn, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
